"""Where the shop sends things, at which price, and which taxes are due there."""

from typing import Any

import django_filters
import graphene
from django.db.models import Exists, OuterRef, QuerySet

from schema.base import MoneyField, ShopNode, StaffNode
from schema.engine.connections import BatchField, ConnectionField, ObjectField, RelatedField
from schema.engine.filters import BooleanFilter, TextFilter
from schema.engine.keyset import SortField
from schema.permissions import ANYONE
from shop import models
from shop.actions.catalog.naming import clean_tax_category
from shop.actions.shipping import shipping_zones
from shop.errors import Invalid
from shop.text import normalize_code

_VIEW_RATES = "shop.view_shippingrate"


class CountryFilter(TextFilter):
    """An ISO code, in any case."""

    def prepare(self, value: str) -> str:
        return normalize_code(value)


class TaxCategoryFilter(TextFilter):
    """A tax category, in any case."""

    def prepare(self, value: str) -> str:
        try:
            return clean_tax_category(value)
        except Invalid:
            # What is too long for a category is the category of nothing.
            return value


class ShippingZoneFilterSet(django_filters.FilterSet):
    """Conditions on zones; all of them must be met."""

    country = CountryFilter(
        "The zone that names this country, by ISO 3166-1 alpha-2 code.", method="with_country"
    )

    def with_country(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        places = models.ZoneCountry.objects.filter(zone=OuterRef("pk"), country=value)
        return queryset.filter(Exists(places))


class ShippingRateFilterSet(django_filters.FilterSet):
    """Conditions on rates; all of them must be met."""

    is_active = BooleanFilter("Whether it is on offer.", field_name="is_active")


class TaxRateFilterSet(django_filters.FilterSet):
    """Conditions on tax rates; all of them must be met."""

    country = CountryFilter("ISO 3166-1 alpha-2 code of the country.", field_name="country")
    tax_category = TaxCategoryFilter("The tax category.", field_name="category")


class ShippingZone(StaffNode):
    """Countries that share their shipping rates."""

    permission = "shop.view_shippingzone"

    name = graphene.String(required=True, description="Name for staff.")
    countries = BatchField(
        graphene.List(graphene.NonNull(graphene.String)),
        load=lambda request, keys: shipping_zones.countries_of_each(keys),
        required=True,
        description="ISO 3166-1 alpha-2 codes, sorted; empty for the zone of all countries that "
        "no other zone names.",
    )
    created_at = graphene.DateTime(required=True, description="When it was created.")
    # Not trusting: who may view zones need not see what is not on offer.
    rates = ConnectionField(
        lambda: ShippingRate, link="zone_id", description="Ways to send things there."
    )

    class Meta:
        model = models.ShippingZone
        filterset = ShippingZoneFilterSet
        orderings = {"CREATED": SortField("created_at", "By time of creation.")}
        default_order = ("CREATED", "asc")


class ShippingRate(ShopNode):
    """A way to send things, at one price. Those that are not active are for staff."""

    permission = ANYONE

    zone = RelatedField(
        lambda: ShippingZone,
        column="zone_id",
        description="Where it leads to; null for those who may not see zones.",
    )
    name = graphene.String(required=True, description="Name that shoppers see.")
    description = graphene.String(
        required=True, description="Note for shoppers, such as the delivery time; or empty."
    )
    amount = MoneyField(
        "price",
        required=True,
        description="What it costs, with tax where the shop's prices include it.",
    )
    min_weight = graphene.Int(
        required=True, description="Grams that all goods together must weigh; 0 for no bound."
    )
    max_weight = graphene.Int(
        description="Grams that all goods together may weigh; null for no bound."
    )
    min_total = MoneyField(
        "min_total",
        required=True,
        description="What the goods must come to before discounts; 0 for no bound.",
    )
    max_total = MoneyField(
        "max_total",
        description="What the goods may come to before discounts; null for no bound.",
    )
    position = graphene.Int(required=True, description="Its place among the rates of the zone.")
    is_active = graphene.Boolean(required=True, description="Whether it is on offer.")

    class Meta:
        model = models.ShippingRate
        filterset = ShippingRateFilterSet
        orderings = {"POSITION": SortField("position", "In the order that staff chose.")}
        default_order = ("POSITION", "asc")

    @classmethod
    def viewer_class(cls, context: Any) -> str:
        return _VIEW_RATES if context.user.has_perm(_VIEW_RATES) else "shopper"


class TaxRate(StaffNode):
    """The tax on one category of goods in one country or region."""

    permission = "shop.view_taxrate"

    country = graphene.String(required=True, description="ISO 3166-1 alpha-2 code.")
    region = graphene.String(
        required=True, description="Code as in addresses; empty for all of the country."
    )
    category = graphene.String(
        name="taxCategory",
        required=True,
        description='The tax category of products; "shipping" for shipping; empty for whatever '
        "has no rate of its own.",
    )
    basis_points = graphene.Int(required=True, description="Hundredths of a percent: 1900 is 19 %.")
    name = graphene.String(
        required=True, description='What it is called on bills, such as "VAT"; or empty.'
    )

    class Meta:
        model = models.TaxRate
        filterset = TaxRateFilterSet
        orderings = {"COUNTRY": SortField("country", "By country code.")}
        default_order = ("COUNTRY", "asc")


class ShippingQuery(graphene.ObjectType):
    """Shipping and taxes as staff set them up."""

    shipping_zones = ConnectionField(
        ShippingZone, rows=ShippingZone.all, description="Zones with their shipping rates."
    )
    shipping_zone = ObjectField(
        ShippingZone,
        find=ShippingZone.one,
        id=graphene.Argument(graphene.ID, required=True, description="Its global id."),
        description="One zone, or null.",
    )
    tax_rates = ConnectionField(TaxRate, rows=TaxRate.all, description="All tax rates.")
    tax_rate = ObjectField(
        TaxRate,
        find=TaxRate.one,
        id=graphene.Argument(graphene.ID, required=True, description="Its global id."),
        description="One tax rate, or null.",
    )
