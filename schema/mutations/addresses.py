"""Addresses of whoever is signed in. Those of others are a matter of the staff screens."""

from typing import Any

import graphene

from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.engine.nodes import decode_id
from schema.permissions import SIGNED_IN
from schema.types.addresses import Address
from schema.updates import CreateMutation, UpdateMutation
from shop import models
from shop.actions.customers import addresses

_DEFAULTS = ("set_default_shipping", "set_default_billing")
_SET_DEFAULT = "Whether it becomes the default for {}; false changes nothing."


class _Fields:
    """What an address holds beside the parts that every country has."""

    company = graphene.String(description="Company or organisation.")
    line2 = graphene.String(description="Second line of the street.")
    district = graphene.String(
        description="Part of the city. Moves into a line where addresses have no district."
    )
    city = graphene.String(
        description="City, town or village. Moves into a line where addresses have no city."
    )
    region = graphene.String(
        description="State, province, prefecture or county: a code or a name of `addressRules`."
    )
    postal_code = graphene.String(description="Postal or ZIP code.")
    phone = graphene.String(
        description="Phone number, with or without an extension; without + and prefix it is one "
        "of the address's country."
    )
    set_default_shipping = graphene.Boolean(description=_SET_DEFAULT.format("things to be sent"))
    set_default_billing = graphene.Boolean(description=_SET_DEFAULT.format("bills"))


def _own(info: graphene.ResolveInfo, global_id: str) -> models.Address:
    """The viewer's own address; staff who see those of others do not change them here."""
    return addresses.own(info.context.user, decode_id(info.schema, global_id, "Address")[1])


def _arguments(values: dict[str, Any]) -> dict[str, Any]:
    """As the actions take them."""
    defaults = {name.removeprefix("set_"): values.pop(name, False) for name in _DEFAULTS}
    return {**values, **defaults}


class AddressCreate(CreateMutation):
    """Adds an address. The first is the default for everything. There can be 50."""

    permission = SIGNED_IN
    codes = ("NOT_FOUND",)

    class Input(_Fields):
        name = graphene.String(required=True, description="Name of the recipient.")
        line1 = graphene.String(required=True, description="Street and number.")
        country = graphene.String(required=True, description="ISO 3166-1 alpha-2 code.")

    address = ObjectField(Address, description="The new address, as the country writes its parts.")

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        return cls(address=addresses.create(info.context.user, **_arguments(values)))


class AddressUpdate(UpdateMutation):
    """Changes an address of your own. What is left out stays, unless a new country lacks it."""

    permission = SIGNED_IN
    node_type = Address

    class Input(_Fields):
        id = graphene.ID(required=True, description="Global id of the address.")
        name = graphene.String(description="Name of the recipient.")
        line1 = graphene.String(description="Street and number.")
        country = graphene.String(description="ISO 3166-1 alpha-2 code.")

    address = ObjectField(Address, description="The address as it is now.")

    @classmethod
    def find(cls, info: graphene.ResolveInfo, key: str) -> models.Address:
        return _own(info, key)

    @classmethod
    def save(cls, info: graphene.ResolveInfo, row: models.Address, changes: dict[str, Any]) -> Any:
        return cls(address=addresses.update(row, **_arguments(changes)))


class AddressDelete(Mutation):
    """Deletes an address of your own. The newest of the others takes its place as a default."""

    permission = SIGNED_IN
    codes = ("NOT_FOUND",)

    class Input:
        id = graphene.ID(required=True, description="Global id of the address.")

    deleted_id = graphene.ID(description="Global id of what was deleted.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        addresses.delete(_own(info, id))
        return cls(deleted_id=id)


class AddressesMutation(graphene.ObjectType):
    """Addresses."""

    address_create = AddressCreate.Field()
    address_update = AddressUpdate.Field()
    address_delete = AddressDelete.Field()
