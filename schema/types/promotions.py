"""What makes an order cheaper: vouchers, and discounts that apply by themselves."""

from typing import Any

import django_filters
import graphene

from schema.base import Money, MoneyField, StaffNode
from schema.engine.connections import ComputedField, ConnectionField, ObjectField
from schema.engine.filters import BooleanFilter, EnumListFilter, TextFilter
from schema.engine.keyset import SortField
from shop import models, money
from shop.text import normalize_code

_STARTS = "It holds from then on; null for always."
_ENDS = "It holds until right before then; null for always."
_MINIMUM = "What the goods must come to before discounts; 0 for no bound."

VoucherKind = graphene.Enum.from_enum(
    models.VoucherKind,
    name="VoucherKind",
    description=lambda member: {
        None: "What a voucher takes off.",
        "PERCENT": "A percentage of the goods.",
        "FIXED": "An amount off the goods, at most what they cost.",
        "FREE_SHIPPING": "What shipping costs.",
    }[member and member.name],
)


class CodeFilter(TextFilter):
    """The beginning of a code, as shoppers may type it."""

    def prepare(self, value: str) -> str:
        return normalize_code(value)


class VoucherFilterSet(django_filters.FilterSet):
    """Conditions on vouchers; all of them must be met."""

    operator_descriptions = {"kind": "what it takes off"}

    code = CodeFilter(
        "What the code begins with, in any case.", field_name="code", lookup_expr="startswith"
    )
    kind__in = EnumListFilter(VoucherKind, "Any of these.", field_name="kind", lookup_expr="in")
    is_active = BooleanFilter("Whether it can be used.", field_name="is_active")


class AutomaticDiscountFilterSet(django_filters.FilterSet):
    """Conditions on automatic discounts; all of them must be met."""

    is_active = BooleanFilter("Whether it applies.", field_name="is_active")


def _basis_points(request: Any, kind: str, value: int) -> int:
    return value if kind == models.VoucherKind.PERCENT else 0


def _amount(request: Any, kind: str, value: int, currency: str) -> money.Money:
    return money.Money(value if kind == models.VoucherKind.FIXED else 0, currency)


class Voucher(StaffNode):
    """A code that makes an order cheaper."""

    permission = "shop.view_voucher"

    code = graphene.String(required=True, description="In capitals; shoppers type it in any case.")
    kind = graphene.Field(VoucherKind, required=True, description="Kind of discount.")
    basis_points = ComputedField(
        graphene.Int,
        columns=("kind", "value"),
        compute=_basis_points,
        required=True,
        description="Discount of a PERCENT voucher in basis points, 1000 is 10 %; else 0.",
    )
    amount = ComputedField(
        Money,
        columns=("kind", "value", "currency"),
        compute=_amount,
        required=True,
        description="Discount of a FIXED voucher; else 0.",
    )
    minimum_subtotal = MoneyField("minimum_subtotal", required=True, description=_MINIMUM)
    starts_at = graphene.DateTime(description=_STARTS)
    ends_at = graphene.DateTime(description=_ENDS)
    usage_limit = graphene.Int(description="Orders that may have it; null for no limit.")
    customer_limit = graphene.Int(
        description="Orders of one customer that may have it, with any e-mail address that their "
        "account uses; null for no limit."
    )
    used = graphene.Int(
        required=True,
        description="Orders that have it; those that were cancelled or expired give it back.",
    )
    is_active = graphene.Boolean(required=True, description="Whether it can be used.")
    created_at = graphene.DateTime(required=True, description="When it was created.")

    class Meta:
        model = models.Voucher
        filterset = VoucherFilterSet
        orderings = {
            "CREATED": SortField("created_at", "By time of creation."),
            "CODE": SortField("code", "By code."),
        }
        default_order = ("CREATED", "desc")


class AutomaticDiscount(StaffNode):
    """A percentage off the goods of every order from a threshold on; the largest applies alone."""

    permission = "shop.view_automaticdiscount"

    name = graphene.String(required=True, description="Name that shoppers see.")
    basis_points = graphene.Int(required=True, description="Hundredths of a percent: 1000 is 10 %.")
    minimum_subtotal = MoneyField("minimum_subtotal", required=True, description=_MINIMUM)
    starts_at = graphene.DateTime(description=_STARTS)
    ends_at = graphene.DateTime(description=_ENDS)
    is_active = graphene.Boolean(required=True, description="Whether it applies.")
    created_at = graphene.DateTime(required=True, description="When it was created.")

    class Meta:
        model = models.AutomaticDiscount
        filterset = AutomaticDiscountFilterSet
        orderings = {"CREATED": SortField("created_at", "By time of creation.")}
        default_order = ("CREATED", "desc")


class PromotionsQuery(graphene.ObjectType):
    """Vouchers and automatic discounts as staff set them up."""

    vouchers = ConnectionField(Voucher, rows=Voucher.all, description="All vouchers.")
    voucher = ObjectField(
        Voucher,
        find=Voucher.one,
        id=graphene.Argument(graphene.ID, required=True, description="Its global id."),
        description="One voucher, or null.",
    )
    automatic_discounts = ConnectionField(
        AutomaticDiscount,
        rows=AutomaticDiscount.all,
        description="Discounts that apply by themselves.",
    )
    automatic_discount = ObjectField(
        AutomaticDiscount,
        find=AutomaticDiscount.one,
        id=graphene.Argument(graphene.ID, required=True, description="Its global id."),
        description="One automatic discount, or null.",
    )
