"""Vouchers, and discounts that apply by themselves."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesCheckboxFilter

from shop.actions.promotions import automatic_discounts, vouchers
from shop.admin.fields import PercentField, PriceField, money, on_one_line, percentage
from shop.admin.setting_up import SetUpAdmin, TermsForm
from shop.models import AutomaticDiscount, Voucher, VoucherKind
from shop.text import normalize_code

_MINIMUM = "What the goods must come to before discounts. Empty: nothing."


class VoucherForm(TermsForm):
    """Its value is entered in the field of its kind."""

    basis_points = PercentField(label="Percentage", help_text="For “a percentage of the goods”.")
    amount = PriceField(label="Amount", help_text="For “an amount off the goods”.")
    minimum_subtotal = PriceField(label="From total", help_text=_MINIMUM)
    lower_bounds = ("minimum_subtotal",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        values = {VoucherKind.PERCENT: "basis_points", VoucherKind.FIXED: "amount"}
        if name := values.get(VoucherKind(self.instance.kind)) if self.instance.pk else None:
            self.initial[name] = self.instance.value


@admin.register(Voucher)
class VoucherAdmin(SetUpAdmin):
    form = VoucherForm
    fields = (
        ("code", "is_active"),
        "kind",
        ("basis_points", "amount"),
        "minimum_subtotal",
        "starts_at",
        "ends_at",
        ("usage_limit", "customer_limit", "used"),
        "created_at",
    )
    readonly_fields = ("used", "created_at")
    shown = {"basis_points": "takes_off", "amount": None, "minimum_subtotal": "minimum"}
    list_display = (
        "code",
        "kind",
        "takes_off",
        "minimum",
        "uses",
        "starts_at",
        "ends_at",
        "is_active",
    )
    list_filter = (("kind", ChoicesCheckboxFilter), ("is_active", BooleanRadioFilter))
    search_fields = ("code",)
    search_help_text = "How the code begins"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        # As codes are stored: MariaDB compares them by code point.
        return queryset.filter(code__startswith=normalize_code(search_term)), False

    @admin.display(description="Takes off", empty_value="–")
    def takes_off(self, voucher: Voucher) -> str | None:
        if voucher.kind == VoucherKind.PERCENT:
            return on_one_line(percentage(voucher.value))
        if voucher.kind == VoucherKind.FIXED:
            return on_one_line(money(voucher.value, voucher.currency))
        return None

    @admin.display(description="From total")
    def minimum(self, voucher: Voucher) -> str:
        return on_one_line(money(voucher.minimum_subtotal, voucher.currency))

    @admin.display(description="Used")
    def uses(self, voucher: Voucher) -> str:
        if voucher.usage_limit is None:
            return str(voucher.used)
        return on_one_line(f"{voucher.used} of {voucher.usage_limit}")

    def create_row(self, fields: dict[str, Any]) -> Voucher:
        return vouchers.create(**fields)

    def change_row(self, row: Voucher, changes: dict[str, Any]) -> Voucher:
        return vouchers.update(row, **changes)

    def delete_row(self, row: Voucher) -> None:
        vouchers.delete(row)


class DiscountForm(TermsForm):
    basis_points = PercentField(label="Percentage", required=True)
    minimum_subtotal = PriceField(label="From total", help_text=_MINIMUM)
    lower_bounds = ("minimum_subtotal",)


@admin.register(AutomaticDiscount)
class AutomaticDiscountAdmin(SetUpAdmin):
    form = DiscountForm
    fields = (
        ("name", "is_active"),
        "basis_points",
        "minimum_subtotal",
        "starts_at",
        "ends_at",
        "created_at",
    )
    readonly_fields = ("created_at",)
    shown = {"basis_points": "takes_off", "minimum_subtotal": "minimum"}
    list_display = ("name", "takes_off", "minimum", "starts_at", "ends_at", "is_active")
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name",)
    search_help_text = "Name"

    @admin.display(description="Takes off")
    def takes_off(self, discount: AutomaticDiscount) -> str:
        return on_one_line(percentage(discount.basis_points))

    @admin.display(description="From total")
    def minimum(self, discount: AutomaticDiscount) -> str:
        return on_one_line(money(discount.minimum_subtotal, discount.currency))

    def create_row(self, fields: dict[str, Any]) -> AutomaticDiscount:
        return automatic_discounts.create(**fields)

    def change_row(self, row: AutomaticDiscount, changes: dict[str, Any]) -> AutomaticDiscount:
        return automatic_discounts.update(row, **changes)

    def delete_row(self, row: AutomaticDiscount) -> None:
        automatic_discounts.delete(row)
