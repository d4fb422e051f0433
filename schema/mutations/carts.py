"""Carts: filled, addressed and made cheaper by whoever has the token, or by the account."""

from typing import Any

import graphene

from schema.authentication import address_of
from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.engine.nodes import decode_id
from schema.opened import cart_token
from schema.permissions import ANYONE, SIGNED_IN
from schema.types.carts import CART_TOKEN, Cart, remember
from shop import models, throttling
from shop.actions import carts
from shop.actions.customers import addresses
from shop.actions.customers.address_rules import TEXTS
from shop.actions.rows import retried
from shop.errors import Invalid
from shop.input_errors import InputErrors

_MOST = f"At most {carts.MAX_QUANTITY}."


class CartLineInput(graphene.InputObjectType):
    """So many of one variant."""

    variant = graphene.ID(required=True, description="Global id of the variant.")
    quantity = graphene.Int(required=True, description=f"How many. {_MOST}")


class CartLineUpdateInput(graphene.InputObjectType):
    """How many of a line there are to be."""

    line = graphene.ID(required=True, description="Global id of the line.")
    quantity = graphene.Int(required=True, description=f"How many; 0 takes the line out. {_MOST}")


class AddressInput(graphene.InputObjectType):
    """An address; `addressRules` tells what a country wants to have in it."""

    name = graphene.String(required=True, description="Name of the recipient.")
    company = graphene.String(description="Company or organisation.")
    line1 = graphene.String(required=True, description="Street and number.")
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
    country = graphene.String(required=True, description="ISO 3166-1 alpha-2 code.")
    phone = graphene.String(
        description="Phone number, with or without its country's prefix and an extension."
    )


VERSION = graphene.Int(
    description="The cart's version that you have seen: with another one nothing is done, and "
    "the code is CART_CHANGED. Left out, whatever it is now is changed."
)


class _CartInput:
    cart = CART_TOKEN
    version = VERSION


class CartMutation(Mutation):
    """Base of the mutations of one cart."""

    class Meta:
        abstract = True

    permission = ANYONE
    codes: tuple[str, ...] = ("NOT_FOUND", "CART_CHANGED", "CART_CLOSED", "PAYMENT_PENDING")
    # Each is one action, with a transaction of its own: within another it would be a savepoint, and
    # cost two statements more.
    owns_transaction = True

    cart = ObjectField(Cart, description="The cart as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, cart: str | None = None, **values: Any) -> Any:
        row = carts.find_to_change(info.context.user, cart_token(info.context, cart))
        remember(info.context, row)
        found = retried(lambda: cls.change(info, row, **values))
        remember(info.context, row, found)
        return cls(cart=row)

    @classmethod
    def change(cls, info: graphene.ResolveInfo, cart: models.Cart, **values: Any) -> Any:
        """Changes the cart; returns its price if it is known by then. Raises ShopError."""
        raise NotImplementedError


def _wanted(info: graphene.ResolveInfo, lines: list[Any]) -> list[tuple[int, int]]:
    return [(decode_id(info.schema, line.variant, "Variant")[1], line.quantity) for line in lines]


class CartCreate(Mutation):
    """Creates a cart.

    A signed-in customer has one cart: if there is one already, it is returned, `lines` are added to
    it and `email` replaces its address. A staff member who names an `email` other than their own
    orders for somebody else: each call creates a cart of its own, which only its `token` opens.
    """

    permission = ANYONE
    codes = (
        "REQUIRED",
        "NOT_FOUND",
        "INVALID_QUANTITY",
        "OUT_OF_STOCK",
        "NOT_PURCHASABLE",
        "CART_CLOSED",
        "CART_FULL",
        "PAYMENT_PENDING",
        "CURRENCY_MISMATCH",
    )

    class Input:
        lines = graphene.List(
            graphene.NonNull(CartLineInput), description="What to put in it at once."
        )
        email = graphene.String(description="Where the confirmation is to go.")

    cart = ObjectField(Cart, description="The cart.")
    token = graphene.String(
        description="Opens the cart: keep it on the device. Null for the cart of an account, which "
        "needs none. Carts that staff create for somebody else have one."
    )

    @classmethod
    def perform(
        cls, info: graphene.ResolveInfo, lines: Any = None, email: str | None = None
    ) -> Any:
        cart, token = carts.create(info.context.user, email)
        errors = InputErrors()
        if lines:
            with errors.collect():
                carts.add(cart, _wanted(info, lines))
        if email is not None:
            with errors.collect():
                carts.set_email(cart, email)
        # Undoes the creation: the caller's transaction ends with the error.
        errors.raise_any()
        remember(info.context, cart)
        return cls(cart=cart, token=token)


class CartLinesAdd(CartMutation):
    """Puts variants in a cart. What is there of a variant already is added to.

    Without `cart`, a signed-in customer's own cart is used, and created if there is none. No other
    mutation creates it: those answer NOT_FOUND, as this one does with a `version`.
    """

    codes = (
        "INVALID_QUANTITY",
        "OUT_OF_STOCK",
        "NOT_PURCHASABLE",
        "CURRENCY_MISMATCH",
        "CART_FULL",
    )

    class Input(_CartInput):
        lines = graphene.List(
            graphene.NonNull(CartLineInput), required=True, description="What to put in."
        )

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        lines: Any,
        cart: str | None = None,
        version: int | None = None,
    ) -> Any:
        cart = cart_token(info.context, cart)
        if cart is not None:
            return super().perform(info, cart, lines=lines, version=version)
        user, wanted = info.context.user, _wanted(info, lines)
        own = retried(lambda: carts.add_to_own(user, wanted, version=version))
        remember(info.context, own)
        return cls(cart=own)

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, cart: models.Cart, lines: Any, version: int | None = None
    ) -> None:
        carts.add(cart, _wanted(info, lines), version=version)


class CartLinesUpdate(CartMutation):
    """Sets the quantities of lines."""

    codes = ("INVALID_QUANTITY", "OUT_OF_STOCK", "NOT_PURCHASABLE", "CURRENCY_MISMATCH")

    class Input(_CartInput):
        lines = graphene.List(
            graphene.NonNull(CartLineUpdateInput), required=True, description="Which, and how many."
        )

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, cart: models.Cart, lines: Any, version: int | None = None
    ) -> None:
        wanted = [(decode_id(info.schema, one.line, "CartLine")[1], one.quantity) for one in lines]
        carts.update(cart, wanted, version=version)


class CartLinesRemove(CartMutation):
    """Takes lines out of a cart."""

    class Input(_CartInput):
        lines = graphene.List(
            graphene.NonNull(graphene.ID), required=True, description="Global ids of the lines."
        )

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, cart: models.Cart, lines: Any, version: int | None = None
    ) -> None:
        keys = [decode_id(info.schema, line, "CartLine")[1] for line in lines]
        carts.remove(cart, keys, version=version)


class CartEmailSet(CartMutation):
    """Says where the confirmation goes."""

    codes = ("REQUIRED",)

    class Input(_CartInput):
        email = graphene.String(required=True, description="E-mail address.")

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, cart: models.Cart, email: str, version: int | None = None
    ) -> None:
        carts.set_email(cart, email, version=version)


class CartAddressesSet(CartMutation):
    """Sets the shipping and the billing address. What is left out stays as it is."""

    codes = ("REQUIRED",)

    class Input(_CartInput):
        shipping_address = graphene.InputField(
            AddressInput,
            description="Where things go; or name a `shippingAddressId`. Not null without it.",
        )
        shipping_address_id = graphene.ID(
            description="Global id of one of your own addresses, instead; or null."
        )
        billing_address = graphene.InputField(
            AddressInput,
            description="Billing address; or name a `billingAddressId`. Null for the same place "
            "as the shipping address.",
        )
        billing_address_id = graphene.ID(
            description="Global id of one of your own addresses, instead; or null."
        )

    @classmethod
    def change(
        cls,
        info: graphene.ResolveInfo,
        cart: models.Cart,
        version: int | None = None,
        **values: Any,
    ) -> None:
        errors, places = InputErrors(), {}
        for kind in ("shipping", "billing"):
            if {f"{kind}_address", f"{kind}_address_id"} & values.keys():
                with errors.collect():
                    places[kind] = _address(info, values, kind)
        carts.set_addresses(cart, version=version, errors=errors, **places)


def _address(info: graphene.ResolveInfo, values: dict[str, Any], kind: str) -> Any:
    """Parts of an address by name; None for null."""
    field = f"{kind}Address"
    given, key = values.get(f"{kind}_address"), values.get(f"{kind}_address_id")
    if given is not None and key is not None:
        raise Invalid("Give an address or an id, not both.", field=[field])
    if key is None:
        return given
    row = addresses.own(
        info.context.user, decode_id(info.schema, key, "Address")[1], field=f"{field}Id"
    )
    return {part: getattr(row, part) for part in TEXTS}


class CartShippingSet(CartMutation):
    """Chooses one of the cart's `shippingOffers`."""

    codes = ("SHIPPING_NOT_OFFERED", "AMOUNT_TOO_LARGE", "CURRENCY_MISMATCH")

    class Input(_CartInput):
        shipping_rate = graphene.ID(
            description="The offer's `rateId`; null or nothing takes the cheapest, whatever it is."
        )

    @classmethod
    def change(
        cls,
        info: graphene.ResolveInfo,
        cart: models.Cart,
        shipping_rate: str | None = None,
        version: int | None = None,
    ) -> Any:
        rate = shipping_rate and decode_id(info.schema, shipping_rate, "ShippingRate")[1]
        return carts.set_shipping(cart, rate or None, version=version)


class CartVoucherApply(CartMutation):
    """Puts a voucher in a cart, instead of the one that is there.

    One that the cart is too small for stays in it, with a notice. Codes that no voucher has are
    limited for each client address; codes that exist are not counted.
    """

    codes = ("INVALID_VOUCHER", "AMOUNT_TOO_LARGE", "CURRENCY_MISMATCH")

    class Input(_CartInput):
        code = graphene.String(required=True, description="The voucher's code, in any case.")

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, cart: models.Cart, code: str, version: int | None = None
    ) -> Any:
        with throttling.voucher_attempt(address_of(info.context)):
            return carts.apply_voucher(cart, code, version=version)


class CartVoucherRemove(CartMutation):
    """Takes the voucher out of a cart."""

    class Input(_CartInput):
        pass

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, cart: models.Cart, version: int | None = None
    ) -> None:
        carts.remove_voucher(cart, version=version)


class CartReminderSet(CartMutation):
    """Says whether the shop may write one mail when the cart is left behind."""

    class Input(_CartInput):
        wanted = graphene.Boolean(required=True, description="Whether it may.")

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, cart: models.Cart, wanted: bool, version: int | None = None
    ) -> None:
        carts.set_reminder(cart, wanted, version=version)


class CartNoticesDismiss(CartMutation):
    """Says that the shopper has seen today's prices, and what is gone.

    Notices of PRICE_CHANGED go, and all of lines that are gone or were not added.
    """

    class Input(_CartInput):
        pass

    @classmethod
    def change(
        cls, info: graphene.ResolveInfo, cart: models.Cart, version: int | None = None
    ) -> None:
        carts.dismiss_notices(cart, version=version)


class CartMerge(Mutation):
    """Brings a guest's cart into that of the account, after signing in.

    Quantities of the same variant add up, as far as there is stock; notices tell what was left out.
    Doing it twice does no more
    than once. `tokenAuth` does it too, with its `cart`.
    """

    permission = SIGNED_IN
    codes = ("NOT_FOUND", "CART_CLOSED", "PAYMENT_PENDING")

    class Input:
        cart = graphene.String(required=True, description="Token of the guest's cart.")

    cart = ObjectField(Cart, description="The account's cart as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, cart: str) -> Any:
        own = carts.merge(info.context.user, cart)
        remember(info.context, own)
        return cls(cart=own)


class CartsMutation(graphene.ObjectType):
    """Carts."""

    cart_create = CartCreate.Field()
    cart_lines_add = CartLinesAdd.Field()
    cart_lines_update = CartLinesUpdate.Field()
    cart_lines_remove = CartLinesRemove.Field()
    cart_email_set = CartEmailSet.Field()
    cart_addresses_set = CartAddressesSet.Field()
    cart_shipping_set = CartShippingSet.Field()
    cart_voucher_apply = CartVoucherApply.Field()
    cart_voucher_remove = CartVoucherRemove.Field()
    cart_reminder_set = CartReminderSet.Field()
    cart_notices_dismiss = CartNoticesDismiss.Field()
    cart_merge = CartMerge.Field()
