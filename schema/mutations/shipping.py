"""Shipping and taxes as staff set them up."""

from decimal import Decimal as PythonDecimal
from functools import partial
from typing import Any, ClassVar

import graphene

from schema.base import Decimal, DeleteMutation
from schema.engine.connections import ObjectField
from schema.inputs import load, rename, replace, replace_amounts
from schema.types.shipping import ShippingRate, ShippingZone, TaxRate
from schema.updates import CreateMutation, UpdateMutation
from shop import models
from shop.actions.shipping import shipping_rates, shipping_zones, tax_rates
from shop.input_errors import InputErrors

_COUNTRIES = graphene.List(
    graphene.NonNull(graphene.String),
    description="ISO 3166-1 alpha-2 codes. A country belongs to one zone at most; an empty list "
    "makes the zone that of all countries which no other zone names, as null does.",
)


def _id(kind: str) -> graphene.ID:
    return graphene.ID(required=True, description=f"Global id of the {kind}.")


class ShippingZoneCreate(CreateMutation):
    """Creates a zone, without rates."""

    permission = "shop.add_shippingzone"

    class Input:
        name = graphene.String(required=True, description="Name for staff.")
        countries = _COUNTRIES

    shipping_zone = ObjectField(ShippingZone, description="The new zone.")

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(shipping_zone=shipping_zones.create(**values))


class ShippingZoneUpdate(UpdateMutation):
    """Changes a zone. Fields that are left out stay as they are."""

    permission = "shop.change_shippingzone"
    node_type = ShippingZone

    class Input:
        id = _id("zone")
        name = graphene.String(description="Name for staff.")
        countries = _COUNTRIES

    shipping_zone = ObjectField(ShippingZone, description="The zone as it is now.")

    @classmethod
    def save(
        cls, info: graphene.ResolveInfo, row: models.ShippingZone, changes: dict[str, Any]
    ) -> Any:
        return cls(shipping_zone=shipping_zones.update(row, **changes))


class ShippingZoneDelete(DeleteMutation):
    """Deletes a zone with its rates; its countries fall to the rest of the world."""

    permission = "shop.delete_shippingzone"
    node_type = ShippingZone
    remove = staticmethod(shipping_zones.delete)


class RateFields:
    """Input fields of a shipping rate."""

    description = graphene.String(description="Note for shoppers, such as the delivery time.")
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


_AMOUNT = "In the shop's currency, 0 or more; with tax where the shop's prices include it."


class ShippingRateCreate(CreateMutation):
    """Adds a rate to a zone."""

    permission = "shop.add_shippingrate"
    codes = ("NOT_FOUND", "INVALID_PRICE")
    further_permissions = ("shop.view_shippingzone",)

    class Input(RateFields):
        zone = _id("zone")
        name = graphene.String(required=True, description="Name that shoppers see.")
        amount = Decimal(required=True, description=_AMOUNT)

    shipping_rate = ObjectField(ShippingRate, description="The new rate.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        replace(values, "zone", errors, partial(load, info, ShippingZone, field="zone"))
        replace_amounts(values, errors, "amount", "min_total", "max_total")
        rename(values, "amount", "price")

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(shipping_rate=shipping_rates.create(values.pop("zone", None), **values))


class ShippingRateUpdate(UpdateMutation):
    """Changes a rate; it stays in its zone. Fields that are left out stay as they are."""

    permission = "shop.change_shippingrate"
    codes = ("INVALID_PRICE", "CURRENCY_MISMATCH")
    node_type = ShippingRate
    cleared: ClassVar[dict[str, Any]] = {"min_weight": 0, "min_total": PythonDecimal(0)}

    class Input(RateFields):
        id = _id("rate")
        name = graphene.String(description="Name that shoppers see.")
        amount = Decimal(description=_AMOUNT)

    shipping_rate = ObjectField(ShippingRate, description="The rate as it is now.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        replace_amounts(values, errors, "amount", "min_total", "max_total")
        rename(values, "amount", "price")

    @classmethod
    def save(
        cls, info: graphene.ResolveInfo, row: models.ShippingRate, changes: dict[str, Any]
    ) -> Any:
        return cls(shipping_rate=shipping_rates.update(row, **changes))


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
    tax_category = graphene.String(
        description='The tax category of products, in any case; "shipping" for shipping; empty '
        "for whatever has no rate of its own."
    )
    name = graphene.String(description='What it is called on bills, such as "VAT".')


_COUNTRY = "ISO 3166-1 alpha-2 code."
_BASIS_POINTS = "Hundredths of a percent, 0 to 10000: 1900 is 19 %."


class TaxRateCreate(CreateMutation):
    """Creates a tax rate: one for each country, region and category."""

    permission = "shop.add_taxrate"
    codes = ("DUPLICATE_TAX_RATE",)

    class Input(TaxFields):
        country = graphene.String(required=True, description=_COUNTRY)
        basis_points = graphene.Int(required=True, description=_BASIS_POINTS)

    tax_rate = ObjectField(TaxRate, description="The new tax rate.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        rename(values, "tax_category", "category")

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(tax_rate=tax_rates.create(**values))


class TaxRateUpdate(UpdateMutation):
    """Changes a tax rate; orders keep theirs. Fields that are left out stay as they are.

    Another country has no region until one is given.
    """

    permission = "shop.change_taxrate"
    codes = ("DUPLICATE_TAX_RATE",)
    node_type = TaxRate
    cleared: ClassVar[dict[str, Any]] = {"tax_category": ""}

    class Input(TaxFields):
        id = _id("tax rate")
        country = graphene.String(description=_COUNTRY)
        basis_points = graphene.Int(description=_BASIS_POINTS)

    tax_rate = ObjectField(TaxRate, description="The tax rate as it is now.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        rename(values, "tax_category", "category")

    @classmethod
    def save(cls, info: graphene.ResolveInfo, row: models.TaxRate, changes: dict[str, Any]) -> Any:
        return cls(tax_rate=tax_rates.update(row, **changes))


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
