"""Addresses of customers, and what each country wants to have in them."""

from typing import Any

import graphene

from schema.base import OwnNode
from schema.engine.connections import ComputedField
from schema.engine.keyset import SortField
from schema.permissions import ANYONE
from shop import models
from shop.actions.customers import address_rules
from shop.actions.customers.address_rules import TEXTS
from shop.text import normalize_code

_FIELDS = {
    "name": "Name of the recipient.",
    "company": "Company or organisation.",
    "line1": "Street and number, or whatever stands for it.",
    "line2": "Second line of the street.",
    "district": "Part of the city.",
    "city": "City, town or village.",
    "region": "State, province, prefecture or county.",
    "postal_code": "Postal or ZIP code.",
}

_PHONE = "Phone number in E.164, such as +12175550100, with an extension as in +12175550100;ext=5."

AddressPart = graphene.Enum(
    "AddressPart",
    [(name.upper(), name) for name in _FIELDS],
    description=lambda member: (
        _FIELDS[member.value] if member else "A part of an address; inputs have fields of the name."
    ),
)


def _is_default(request: Any, key: int | None) -> bool:
    return key is not None


def _formatted(request: Any, *values: str) -> list[str]:
    return address_rules.formatted(dict(zip(TEXTS, values, strict=True)))


def _text(description: str) -> graphene.String:
    return graphene.String(required=True, description=f"{description} Empty where there is none.")


class Address(OwnNode):
    """A place that a customer has things sent to, or is billed at."""

    permission = "shop.view_address"

    name = graphene.String(required=True, description=_FIELDS["name"])
    company = _text(_FIELDS["company"])
    line1 = graphene.String(required=True, description=_FIELDS["line1"])
    line2 = _text(_FIELDS["line2"])
    district = _text(_FIELDS["district"])
    city = _text(_FIELDS["city"])
    region = _text(f"{_FIELDS['region']} A code of `addressRules` where the country has them.")
    postal_code = _text(_FIELDS["postal_code"])
    country = graphene.String(required=True, description="ISO 3166-1 alpha-2 code.")
    phone = _text(_PHONE)
    is_default_shipping = ComputedField(
        graphene.Boolean,
        columns=("default_shipping_key",),
        compute=_is_default,
        required=True,
        description="Whether things are sent here unless another place is chosen.",
    )
    is_default_billing = ComputedField(
        graphene.Boolean,
        columns=("default_billing_key",),
        compute=_is_default,
        required=True,
        description="Whether bills are made out to it unless another is chosen.",
    )
    formatted = ComputedField(
        graphene.List(graphene.NonNull(graphene.String)),
        columns=TEXTS,
        compute=_formatted,
        required=True,
        description="Its lines as the country writes them, for labels; the country's name is last.",
    )
    created_at = graphene.DateTime(required=True, description="When it was added.")

    class Meta:
        model = models.Address
        orderings = {"CREATED": SortField("created_at", "By time of creation.")}
        default_order = ("CREATED", "asc")


class PostalAddress(graphene.ObjectType):
    """An address in a cart or an order: a copy, which later changes of an account leave alone."""

    name = _text(_FIELDS["name"])
    company = _text(_FIELDS["company"])
    line1 = _text(_FIELDS["line1"])
    line2 = _text(_FIELDS["line2"])
    district = _text(_FIELDS["district"])
    city = _text(_FIELDS["city"])
    region = _text(f"{_FIELDS['region']} A code of `addressRules` where the country has them.")
    postal_code = _text(_FIELDS["postal_code"])
    country = graphene.String(required=True, description="ISO 3166-1 alpha-2 code.")
    phone = _text(_PHONE)
    formatted = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="Its lines as the country writes them, for labels; the country's name is last.",
    )


def address_value(request: Any, parts: dict[str, str] | None) -> dict[str, Any] | None:
    """A stored copy of an address as `PostalAddress` shows it."""
    if not parts:
        return None
    values = {name: parts.get(name, "") for name in TEXTS}
    return {**values, "formatted": address_rules.formatted(values)}


class AddressRegion(graphene.ObjectType):
    """A state, province, prefecture or county that addresses can be in."""

    shared = True

    code = graphene.String(required=True, description="What is stored; inputs take the name too.")
    name = graphene.String(required=True, description="Its name, in Latin letters if it has one.")


class AddressRules(graphene.ObjectType):
    """What a form for addresses in a country needs to know. The data are Google's."""

    permission = ANYONE
    shared = True

    country = graphene.String(required=True, description="ISO 3166-1 alpha-2 code.")
    name = graphene.String(
        required=True, description="Name of the country in capitals, as on envelopes."
    )
    required_parts = graphene.List(
        graphene.NonNull(AddressPart), required=True, description="What must not be empty."
    )
    allowed_parts = graphene.List(
        graphene.NonNull(AddressPart),
        required=True,
        description="Parts that addresses of the country have. Others are dropped, or moved into "
        "`line1` or `line2`.",
    )
    region_type = graphene.String(
        required=True, description='What regions are called, such as "state"; empty without.'
    )
    regions = graphene.List(
        graphene.NonNull(AddressRegion),
        required=True,
        description="The regions to choose from; empty where any text will do.",
    )
    postal_code_type = graphene.String(
        required=True, description='What postal codes are called, such as "zip"; empty without.'
    )
    postal_code_pattern = graphene.String(
        required=True,
        description="Regular expression that a whole postal code in capitals must match; empty "
        "where any will do. Which codes there are in a region only the server knows.",
    )
    postal_code_examples = graphene.List(
        graphene.NonNull(graphene.String), required=True, description="Postal codes of the country."
    )


class Country(graphene.ObjectType):
    """A country that addresses can be in."""

    permission = ANYONE
    shared = True

    code = graphene.String(required=True, description="ISO 3166-1 alpha-2 code.")
    name = graphene.String(required=True, description="Its name in capitals, as on envelopes.")


class AddressesQuery(graphene.ObjectType):
    """What addresses hold where."""

    countries = graphene.List(
        graphene.NonNull(Country),
        required=True,
        description="All countries that addresses can be in, sorted by name.",
    )
    address_rules = graphene.Field(
        AddressRules,
        country=graphene.Argument(
            graphene.String, required=True, description="ISO 3166-1 alpha-2 code."
        ),
        description="What addresses in a country hold; null when there is no such country.",
    )

    @staticmethod
    def resolve_countries(root: Any, info: graphene.ResolveInfo) -> list[Country]:
        return [Country(code=code, name=name) for code, name in address_rules.countries().items()]

    @staticmethod
    def resolve_address_rules(
        root: Any, info: graphene.ResolveInfo, country: str
    ) -> AddressRules | None:
        rules = address_rules.rules_of(normalize_code(country))
        if rules is None:
            return None
        return AddressRules(
            country=rules.country,
            name=rules.name,
            required_parts=rules.required,
            allowed_parts=rules.allowed,
            region_type=rules.region_type,
            regions=[AddressRegion(code=c, name=name) for c, name in rules.regions.items()],
            postal_code_type=rules.postal_code_type,
            postal_code_pattern=rules.postal_code,
            postal_code_examples=rules.examples,
        )
