"""Shipping and taxes as staff set them up."""

from typing import Any

import graphene

from schema.base import Decimal, DeleteMutation, Mutation
from schema.engine.connections import ObjectField
from schema.inputs import load, load_any, minor_units
from schema.types.shipping import ShippingRate, ShippingZone, TaxRate
from shop.actions.shipping import shipping_rates, shipping_zones, tax_rates

_COUNTRIES = graphene.List(
    graphene.NonNull(graphene.String),
    description="ISO 3166-1 alpha-2 codes. A country belongs to one zone at most; an empty list "
    "makes the zone that of all countries which no other zone names.",
)
_AMOUNTS = {"price": "price", "min_total": "minTotal", "max_total": "maxTotal"}
# Null is no bound for the upper ones, an empty text for texts, and nothing for the others.
_NULLABLE = ("max_weight", "max_total")
_TEXTS = ("description", "region", "category")


def _changes(values: dict[str, Any]) -> dict[str, Any]:
    """Null empties what can be empty and leaves alone the rest."""
    kept = {k: v for k, v in values.items() if v is not None or k in (*_NULLABLE, *_TEXTS)}
    for name in _AMOUNTS.keys() & kept.keys():
        kept[name] = minor_units(kept[name], [_AMOUNTS[name]])
    return kept


def _id(kind: str) -> graphene.ID:
    return graphene.ID(required=True, description=f"Global id of the {kind}.")


class ShippingZoneCreate(Mutation):
    """Creates a zone, without rates."""

    permission = "shop.add_shippingzone"

    class Input:
        name = graphene.String(required=True, description="What staff call it.")
        countries = _COUNTRIES

    shipping_zone = ObjectField(ShippingZone, description="The new zone.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        return cls(shipping_zone=shipping_zones.create(**_changes(values)))


class ShippingZoneUpdate(Mutation):
    """Changes a zone. Fields that are left out stay as they are."""

    permission = "shop.change_shippingzone"

    class Input:
        id = _id("zone")
        name = graphene.String(description="What staff call it.")
        countries = _COUNTRIES

    shipping_zone = ObjectField(ShippingZone, description="The zone as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, **values: Any) -> Any:  # noqa: A002
        zone = load_any(info, ShippingZone, id)
        return cls(shipping_zone=shipping_zones.update(zone, **_changes(values)))


class ShippingZoneDelete(DeleteMutation):
    """Deletes a zone with its rates; its countries fall to the rest of the world."""

    permission = "shop.delete_shippingzone"
    node_type = ShippingZone
    remove = staticmethod(shipping_zones.delete)


class RateFields:
    """Input fields of a shipping rate."""

    description = graphene.String(
        description="What shoppers should know, such as how long it takes."
    )
    min_weight = graphene.Int(description="Grams that all goods together must weigh.")
    max_weight = graphene.Int(
        description="Grams that all goods together may weigh; null for no bound."
    )
    min_total = Decimal(
        description="What the goods must come to before discounts, in the shop's currency."
    )
    max_total = Decimal(
        description="What the goods may come to before discounts; null for no bound."
    )
    position = graphene.Int(description="Its place among the rates; the last when left out.")
    is_active = graphene.Boolean(description="Whether it is on offer; true at first.")


_PRICE = "In the shop's currency, 0 or more; with tax where the shop's prices include it."


class ShippingRateCreate(Mutation):
    """Adds a rate to a zone."""

    permission = "shop.add_shippingrate"
    further_permissions = ("shop.view_shippingzone",)

    class Input(RateFields):
        zone = _id("zone")
        name = graphene.String(required=True, description="What shoppers choose by.")
        price = Decimal(required=True, description=_PRICE)

    shipping_rate = ObjectField(ShippingRate, description="The new rate.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, zone: str, **values: Any) -> Any:
        owner = load(info, ShippingZone, zone, "zone")
        return cls(shipping_rate=shipping_rates.create(owner, **_changes(values)))


class ShippingRateUpdate(Mutation):
    """Changes a rate; it stays in its zone. Fields that are left out stay as they are."""

    permission = "shop.change_shippingrate"

    class Input(RateFields):
        id = _id("rate")
        name = graphene.String(description="What shoppers choose by.")
        price = Decimal(description=_PRICE)

    shipping_rate = ObjectField(ShippingRate, description="The rate as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, **values: Any) -> Any:  # noqa: A002
        rate = load(info, ShippingRate, id)
        return cls(shipping_rate=shipping_rates.update(rate, **_changes(values)))


class ShippingRateDelete(DeleteMutation):
    """Deletes a rate. Carts that chose it take the cheapest; orders keep what they paid."""

    permission = "shop.delete_shippingrate"
    node_type = ShippingRate
    remove = staticmethod(shipping_rates.delete)


class TaxFields:
    """Input fields of a tax rate."""

    region = graphene.String(
        description="A code or a name of `addressRules`; empty for all of the country. Only where "
        "addresses name regions."
    )
    category = graphene.String(
        description='The tax category of products, in any case; "shipping" for shipping; empty '
        "for whatever has no rate of its own."
    )
    name = graphene.String(description='What it is called on bills, such as "VAT".')


_COUNTRY = "ISO 3166-1 alpha-2 code."
_BASIS_POINTS = "Hundredths of a percent, 0 to 10000: 1900 is 19 %."


class TaxRateCreate(Mutation):
    """Creates a tax rate: one for each country, region and category."""

    permission = "shop.add_taxrate"

    class Input(TaxFields):
        country = graphene.String(required=True, description=_COUNTRY)
        basis_points = graphene.Int(required=True, description=_BASIS_POINTS)

    tax_rate = ObjectField(TaxRate, description="The new tax rate.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        return cls(tax_rate=tax_rates.create(**_changes(values)))


class TaxRateUpdate(Mutation):
    """Changes a tax rate; orders keep theirs. Fields that are left out stay as they are.

    Another country has no region until one is given.
    """

    permission = "shop.change_taxrate"

    class Input(TaxFields):
        id = _id("tax rate")
        country = graphene.String(description=_COUNTRY)
        basis_points = graphene.Int(description=_BASIS_POINTS)

    tax_rate = ObjectField(TaxRate, description="The tax rate as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, **values: Any) -> Any:  # noqa: A002
        rate = load_any(info, TaxRate, id)
        return cls(tax_rate=tax_rates.update(rate, **_changes(values)))


class TaxRateDelete(DeleteMutation):
    """Deletes a tax rate: the next closest one holds, or no tax."""

    permission = "shop.delete_taxrate"
    node_type = TaxRate
    remove = staticmethod(tax_rates.delete)


class ShippingMutation(graphene.ObjectType):
    """Shipping and taxes."""

    shipping_zone_create = ShippingZoneCreate.Field()
    shipping_zone_update = ShippingZoneUpdate.Field()
    shipping_zone_delete = ShippingZoneDelete.Field()
    shipping_rate_create = ShippingRateCreate.Field()
    shipping_rate_update = ShippingRateUpdate.Field()
    shipping_rate_delete = ShippingRateDelete.Field()
    tax_rate_create = TaxRateCreate.Field()
    tax_rate_update = TaxRateUpdate.Field()
    tax_rate_delete = TaxRateDelete.Field()
