"""Zones with their shipping rates, and tax rates."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from shop.actions.shipping import shipping_rates, shipping_zones, tax_rates
from shop.admin.fields import (
    CountryField,
    PercentField,
    PriceField,
    count_of,
    country_choices,
    money,
    on_one_line,
    percentage,
)
from shop.admin.setting_up import SetUpAdmin, ShownToReaders, TermsForm
from shop.admin.writing import ActionFormSet, ActionInline, RowForm, arranged
from shop.models import ShippingRate, ShippingZone, TaxRate

# How many countries a list names before it only counts.
_NAMED = 8


class RateForm(TermsForm, RowForm):
    price = PriceField(required=True, label="Price")
    min_total = PriceField(label="From total")
    max_total = PriceField(label="To total")
    lower_bounds = ("min_total",)
    field_names: ClassVar[dict[str, str]] = {"amount": "price"}


class RateFormSet(ActionFormSet):
    def add_row(self, fields: dict[str, Any]) -> ShippingRate:
        return shipping_rates.create(self.instance, **fields)

    def change_row(self, row: ShippingRate, changes: dict[str, Any]) -> None:
        shipping_rates.update(row, **changes)

    def delete_row(self, row: ShippingRate) -> None:
        shipping_rates.delete(row)

    def reorder(self, positions: dict[int, int]) -> None:
        rows = self.instance.rates.order_by("position", "id")
        for number, row in enumerate(arranged(rows, positions)):
            if row.position != number:
                shipping_rates.update(row, position=number)


class RateInline(ShownToReaders, ActionInline):
    model = ShippingRate
    form = RateForm
    formset = RateFormSet
    fields = (
        "name",
        "description",
        "price",
        "min_total",
        "max_total",
        "min_weight",
        "max_weight",
        "is_active",
        "position",
    )
    shown = {
        "price": "shown_price",
        "min_total": "shown_min_total",
        "max_total": "shown_max_total",
    }
    ordering = ("position", "id")
    ordering_field = "position"
    hide_ordering_field = True
    verbose_name = "rate"
    verbose_name_plural = "rates, in the order in which they are offered"

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        for name, label in (("min_weight", "From weight (g)"), ("max_weight", "To weight (g)")):
            if name in formset.form.base_fields:
                formset.form.base_fields[name].label = label
        return formset

    @admin.display(description="Price")
    def shown_price(self, rate: ShippingRate) -> str:
        return on_one_line(money(rate.price, rate.currency))

    @admin.display(description="From total")
    def shown_min_total(self, rate: ShippingRate) -> str:
        return on_one_line(money(rate.min_total, rate.currency))

    @admin.display(description="To total", empty_value="–")
    def shown_max_total(self, rate: ShippingRate) -> str | None:
        return None if rate.max_total is None else on_one_line(money(rate.max_total, rate.currency))


class ZoneForm(TermsForm):
    countries = forms.MultipleChoiceField(
        required=False,
        choices=country_choices,
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text="None at all: every country that no other zone names.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "countries" in self.fields:
            found = shipping_zones.countries_of_each([self.instance.pk])
            self.initial["countries"] = found[self.instance.pk]


@admin.register(ShippingZone)
class ShippingZoneAdmin(SetUpAdmin):
    form = ZoneForm
    fields = ("name", "countries")
    shown = {"countries": "shown_countries"}
    inlines = (RateInline,)
    list_display = ("name", "shown_countries", "rates", "created_at")
    search_fields = ("name", "places__country")
    search_help_text = "Name, or code of a country"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ShippingZone]:
        number = count_of(ShippingRate.objects.filter(is_active=True), "zone")
        return super().get_queryset(request).annotate(number=number).prefetch_related("places")

    @admin.display(description="Countries")
    def shown_countries(self, zone: ShippingZone) -> str:
        codes = sorted(place.country for place in zone.places.all())
        more = len(codes) - _NAMED
        named = ", ".join(code or "Rest of the world" for code in codes[:_NAMED])
        return f"{named} and {more} more" if more > 0 else named

    @admin.display(description="Rates on offer")
    def rates(self, zone: Any) -> int:
        return zone.number

    def create_row(self, fields: dict[str, Any]) -> ShippingZone:
        return shipping_zones.create(**fields)

    def change_row(self, row: ShippingZone, changes: dict[str, Any]) -> ShippingZone:
        return shipping_zones.update(row, **changes)

    def delete_row(self, row: ShippingZone) -> None:
        shipping_zones.delete(row)


class TaxRateForm(TermsForm):
    country = CountryField()
    basis_points = PercentField(label="Rate (%)", required=True)
    field_names: ClassVar[dict[str, str]] = {"taxCategory": "category"}


class CountryFilter(DropdownFilter):
    """Rates of one country: those that have any."""

    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        used = set(TaxRate.objects.values_list("country", flat=True).distinct())
        return [(code, name) for code, name in country_choices() if code in used]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value()
        return queryset.filter(country=chosen) if chosen else queryset


@admin.register(TaxRate)
class TaxRateAdmin(SetUpAdmin):
    form = TaxRateForm
    fields = ("country", "region", "category", "basis_points", "name")
    shown = {"basis_points": "rate"}
    list_display = ("country", "region", "category", "rate", "name")
    list_filter = (CountryFilter,)
    ordering = ("country", "region", "category")

    @admin.display(description="Rate")
    def rate(self, tax: TaxRate) -> str:
        return on_one_line(percentage(tax.basis_points))

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        for name, text in (
            ("region", "A code or a name, as in addresses. Empty: all of the country."),
            ("category", "Of products, or “shipping”. Empty: what has no rate of its own."),
            ("name", "On bills, such as “VAT”."),
        ):
            if name in form.base_fields:
                form.base_fields[name].help_text = text
        return form

    def create_row(self, fields: dict[str, Any]) -> TaxRate:
        return tax_rates.create(**fields)

    def change_row(self, row: TaxRate, changes: dict[str, Any]) -> TaxRate:
        return tax_rates.update(row, **changes)

    def delete_row(self, row: TaxRate) -> None:
        tax_rates.delete(row)
