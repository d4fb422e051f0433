"""Vouchers and automatic discounts as staff set them up."""

from typing import Any

import graphene

from schema.base import Decimal, DeleteMutation, Mutation
from schema.engine.connections import ObjectField
from schema.engine.scalars import in_utc
from schema.inputs import load_any, minor_units
from schema.types.promotions import AutomaticDiscount, Voucher, VoucherKind
from shop.actions.promotions import automatic_discounts, vouchers

_BASIS_POINTS = "Hundredths of a percent, 1 to 10000: 1000 is 10 %."
_AMOUNTS = {"amount": "amount", "minimum_subtotal": "minimumSubtotal"}
_TIMES = ("starts_at", "ends_at")
# Null means none for these; it leaves alone what there must be.
_NULLABLE = ("basis_points", "amount", *_TIMES, "usage_limit", "customer_limit")


class Terms:
    """Input fields that vouchers and automatic discounts have in common."""

    minimum_subtotal = Decimal(
        description="What the goods must come to before discounts, in the shop's currency."
    )
    starts_at = graphene.DateTime(description="It holds from then on; null for always.")
    ends_at = graphene.DateTime(description="It holds until right before then; null for always.")
    is_active = graphene.Boolean(description="Whether it holds at all; true at first.")


class VoucherFields(Terms):
    """Input fields of a voucher."""

    basis_points = graphene.Int(description=f"Of PERCENT, which must have it. {_BASIS_POINTS}")
    amount = Decimal(description="Of FIXED, which must have it: above 0, in the shop's currency.")
    usage_limit = graphene.Int(
        description="Orders that may have it, not below those that do; null for no limit."
    )
    customer_limit = graphene.Int(
        description="Orders of one customer that may have it; null for no limit."
    )


def _values(values: dict[str, Any]) -> dict[str, Any]:
    """As the actions take them."""
    kept = {k: v for k, v in values.items() if v is not None or k in _NULLABLE}
    for name in _AMOUNTS.keys() & kept.keys():
        kept[name] = minor_units(kept[name], [_AMOUNTS[name]])
    for name in _TIMES:
        if kept.get(name) is not None:
            kept[name] = in_utc(kept[name])
    if "kind" in kept:
        kept["kind"] = kept["kind"].value
    return kept


class VoucherCreate(Mutation):
    """Creates a voucher."""

    permission = "shop.add_voucher"

    class Input(VoucherFields):
        code = graphene.String(
            required=True,
            description="1 to 64 characters, no spaces; unique in any case; stored in capitals.",
        )
        kind = graphene.InputField(VoucherKind, required=True, description="What it takes off.")

    voucher = ObjectField(Voucher, description="The new voucher.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        return cls(voucher=vouchers.create(**_values(values)))


class VoucherUpdate(Mutation):
    """Changes a voucher; orders keep what it took off. Fields that are left out stay as they are.

    Another kind needs its value.
    """

    permission = "shop.change_voucher"

    class Input(VoucherFields):
        id = graphene.ID(required=True, description="Global id of the voucher.")
        code = graphene.String(description="As in `voucherCreate`.")
        kind = graphene.InputField(VoucherKind, description="What it takes off.")

    voucher = ObjectField(Voucher, description="The voucher as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, **values: Any) -> Any:  # noqa: A002
        voucher = load_any(info, Voucher, id)
        return cls(voucher=vouchers.update(voucher, **_values(values)))


class VoucherDelete(DeleteMutation):
    """Deletes a voucher that no order has; deactivate others."""

    permission = "shop.delete_voucher"
    node_type = Voucher
    remove = staticmethod(vouchers.delete)


class AutomaticDiscountCreate(Mutation):
    """Creates a discount that applies by itself."""

    permission = "shop.add_automaticdiscount"

    class Input(Terms):
        name = graphene.String(required=True, description="What shoppers see it called.")
        basis_points = graphene.Int(required=True, description=_BASIS_POINTS)

    automatic_discount = ObjectField(AutomaticDiscount, description="The new discount.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        return cls(automatic_discount=automatic_discounts.create(**_values(values)))


class AutomaticDiscountUpdate(Mutation):
    """Changes an automatic discount; orders keep theirs. What is left out stays as it is."""

    permission = "shop.change_automaticdiscount"

    class Input(Terms):
        id = graphene.ID(required=True, description="Global id of the discount.")
        name = graphene.String(description="What shoppers see it called.")
        basis_points = graphene.Int(description=_BASIS_POINTS)

    automatic_discount = ObjectField(AutomaticDiscount, description="The discount as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, **values: Any) -> Any:  # noqa: A002
        discount = load_any(info, AutomaticDiscount, id)
        changes = {k: v for k, v in _values(values).items() if k != "basis_points" or v is not None}
        return cls(automatic_discount=automatic_discounts.update(discount, **changes))


class AutomaticDiscountDelete(DeleteMutation):
    """Deletes an automatic discount; orders keep what it took off."""

    permission = "shop.delete_automaticdiscount"
    node_type = AutomaticDiscount
    remove = staticmethod(automatic_discounts.delete)


class PromotionsMutation(graphene.ObjectType):
    """Vouchers and automatic discounts."""

    voucher_create = VoucherCreate.Field()
    voucher_update = VoucherUpdate.Field()
    voucher_delete = VoucherDelete.Field()
    automatic_discount_create = AutomaticDiscountCreate.Field()
    automatic_discount_update = AutomaticDiscountUpdate.Field()
    automatic_discount_delete = AutomaticDiscountDelete.Field()
