"""Vouchers and automatic discounts as staff set them up."""

from decimal import Decimal as PythonDecimal
from typing import Any, ClassVar

import graphene

from schema.base import Decimal, DeleteMutation
from schema.engine.connections import ObjectField
from schema.engine.scalars import in_utc
from schema.inputs import replace, replace_amounts
from schema.types.promotions import AutomaticDiscount, Voucher, VoucherKind
from schema.updates import CreateMutation, UpdateMutation
from shop import models
from shop.actions.promotions import automatic_discounts, vouchers
from shop.input_errors import InputErrors

_BASIS_POINTS = "Hundredths of a percent, 1 to 10000: 1000 is 10 %."
# Values of a voucher that has no minimum, or is of another kind.
_NO_MINIMUM: dict[str, Any] = {"minimum_subtotal": PythonDecimal(0)}
_NO_VALUES: dict[str, Any] = {"basis_points": None, "amount": None}


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

    basis_points = graphene.Int(
        description=f"Only of PERCENT, which must have it; null for others. {_BASIS_POINTS}"
    )
    amount = Decimal(
        description="Only of FIXED, which must have it; null for others. Above 0, in the shop's "
        "currency."
    )
    usage_limit = graphene.Int(
        description="Orders that may have it, not below those that do; null for no limit."
    )
    customer_limit = graphene.Int(
        description="Orders of one customer that may have it; null for no limit."
    )


def _read(values: dict[str, Any], errors: InputErrors) -> None:
    replace_amounts(values, errors, "amount", "minimum_subtotal")
    replace(values, "starts_at", errors, in_utc)
    replace(values, "ends_at", errors, in_utc)
    replace(values, "kind", errors, lambda kind: kind.value)


class VoucherCreate(CreateMutation):
    """Creates a voucher."""

    permission = "shop.add_voucher"
    codes = ("INVALID_PRICE", "DUPLICATE_CODE")

    class Input(VoucherFields):
        code = graphene.String(
            required=True,
            description="1 to 64 characters, no spaces; unique in any case; stored in capitals.",
        )
        kind = graphene.InputField(VoucherKind, required=True, description="Kind of discount.")

    voucher = ObjectField(Voucher, description="The new voucher.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read(values, errors)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(voucher=vouchers.create(**values))


class VoucherUpdate(UpdateMutation):
    """Changes a voucher; orders keep what it took off. Fields that are left out stay as they are.

    Another kind needs its value.
    """

    permission = "shop.change_voucher"
    codes = ("INVALID_PRICE", "CURRENCY_MISMATCH", "DUPLICATE_CODE")
    node_type = Voucher
    cleared: ClassVar[dict[str, Any]] = _NO_MINIMUM | _NO_VALUES

    class Input(VoucherFields):
        id = graphene.ID(required=True, description="Global id of the voucher.")
        code = graphene.String(description="As in `voucherCreate`.")
        kind = graphene.InputField(VoucherKind, description="Kind of discount.")

    voucher = ObjectField(Voucher, description="The voucher as it is now.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read(values, errors)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, row: models.Voucher, changes: dict[str, Any]) -> Any:
        return cls(voucher=vouchers.update(row, **changes))


class VoucherDelete(DeleteMutation):
    """Deletes a voucher that no order has; deactivate others."""

    permission = "shop.delete_voucher"
    codes = ("IN_USE",)
    node_type = Voucher
    remove = staticmethod(vouchers.delete)


class AutomaticDiscountCreate(CreateMutation):
    """Creates a discount that applies by itself."""

    permission = "shop.add_automaticdiscount"
    codes = ("INVALID_PRICE",)

    class Input(Terms):
        name = graphene.String(required=True, description="Name that shoppers see.")
        basis_points = graphene.Int(required=True, description=_BASIS_POINTS)

    automatic_discount = ObjectField(AutomaticDiscount, description="The new discount.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read(values, errors)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(automatic_discount=automatic_discounts.create(**values))


class AutomaticDiscountUpdate(UpdateMutation):
    """Changes an automatic discount; orders keep theirs. What is left out stays as it is."""

    permission = "shop.change_automaticdiscount"
    codes = ("INVALID_PRICE", "CURRENCY_MISMATCH")
    node_type = AutomaticDiscount
    cleared: ClassVar[dict[str, Any]] = _NO_MINIMUM

    class Input(Terms):
        id = graphene.ID(required=True, description="Global id of the discount.")
        name = graphene.String(description="Name that shoppers see.")
        basis_points = graphene.Int(description=_BASIS_POINTS)

    automatic_discount = ObjectField(AutomaticDiscount, description="The discount as it is now.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        _read(values, errors)

    @classmethod
    def save(
        cls, info: graphene.ResolveInfo, row: models.AutomaticDiscount, changes: dict[str, Any]
    ) -> Any:
        return cls(automatic_discount=automatic_discounts.update(row, **changes))


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
