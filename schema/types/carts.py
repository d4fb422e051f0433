"""Carts and what they cost: always at today's prices."""

from collections.abc import Callable
from typing import Any, ClassVar

import graphene
from graphql_relay import to_global_id

from schema.base import Money, OwnNode
from schema.engine.connections import (
    BatchField,
    ComputedField,
    ConnectionField,
    ObjectField,
    RelatedField,
)
from schema.engine.errors import BadRequest
from schema.engine.keyset import SortField
from schema.opened import cart_token, open_row
from schema.permissions import ANYONE
from schema.types.addresses import PostalAddress, address_value
from schema.types.catalog.products import Variant
from schema.types.tax_lines import TaxLine, tax_lines
from shop import models, money
from shop.actions import carts
from shop.actions.carts import PricedCart
from shop.actions.carts.pricing import name_of, requires_shipping
from shop.actions.shipping import rates_by_key
from shop.errors import AmountTooLarge, NotFound
from shop.pricing import TaxShare

CartStatus = graphene.Enum.from_enum(
    models.CartStatus,
    name="CartStatus",
    description=lambda member: {
        None: "What became of a cart.",
        "ACTIVE": "It can be changed and ordered.",
        "ORDERED": "It was ordered.",
        "MERGED": "It was merged into the cart of an account.",
    }[member and member.name],
)

_NOTICES = {
    None: "What a shopper should know about a cart.",
    "LINE_REMOVED": "A product or variant was deleted from the shop, and its line from the cart.",
    "MERGE_REDUCED": "Merging took over fewer units than the guest's cart had.",
    "MERGE_DROPPED": "Merging took over no unit of a line of the guest's cart.",
    "REORDER_REDUCED": "`orderReorder` added fewer units than were ordered: no more are in stock.",
    "REORDER_OUT_OF_STOCK": "`orderReorder` added no unit of a line: it is out of stock.",
    "REORDER_UNAVAILABLE": "`orderReorder` added no unit of a line: it was deleted, is not "
    "published or has no price.",
    "PRICE_CHANGED": "The price is another than when the line was last changed, or than in the "
    "order that it was added from. `oldPrice` and `newPrice` tell both.",
    "OUT_OF_STOCK": "There are not so many left.",
    "NOT_PURCHASABLE": "It is not sold any more; it costs nothing, and stands in the way of an "
    "order.",
    "VOUCHER_NOT_STARTED": "The voucher does not hold yet.",
    "VOUCHER_EXPIRED": "The voucher has expired.",
    "VOUCHER_USED_UP": "The voucher has been used as often as it can be.",
    "VOUCHER_USED_BY_CUSTOMER": "The customer has used the voucher as often as they can.",
    "VOUCHER_WRONG_CURRENCY": "The voucher is in another currency.",
    "VOUCHER_BELOW_MINIMUM": "The goods are below the minimum of the voucher.",
    "SHIPPING_NOT_OFFERED": "Nothing is shipped to this address, at this weight and total.",
    "SHIPPING_RATE_NOT_OFFERED": "The shipping that was chosen is not offered; the cheapest was "
    "taken instead.",
}
CartNoticeCode = graphene.Enum.from_enum(
    carts.NoticeCode,
    name="CartNoticeCode",
    description=lambda member: _NOTICES[member and member.name],
)


def remember(request: Any, cart: models.Cart, found: PricedCart | None = None) -> None:
    """Lets the rest of the request see the cart, as it is now.

    Args:
        found: its price, where an action has computed it already.
    """
    open_row(request, cart)
    known = request.__dict__.setdefault("priced_carts", {})
    known.pop(cart.pk, None)
    request.__dict__.setdefault("known_carts", {})[cart.pk] = cart
    if found is not None:
        known[cart.pk] = found


def _priced(request: Any, keys: list[int]) -> dict[int, PricedCart]:
    """The price of carts: computed once in a request, for all that are asked for together."""
    known: dict[int, PricedCart] = request.__dict__.setdefault("priced_carts", {})
    rows: dict[int, models.Cart] = request.__dict__.setdefault("known_carts", {})
    wanted = [key for key in keys if key not in known]
    if unread := [key for key in wanted if key not in rows]:
        rows |= models.Cart.objects.in_bulk(unread)
    try:
        for found in carts.priced_all([rows[key] for key in wanted if key in rows]):
            known[found.cart.pk] = found
    except AmountTooLarge as error:
        # The lines can be read all the same, and taken out.
        raise BadRequest(error.message, code=error.code.value) from error
    return {key: known[key] for key in keys if key in known}


def _of_cart(value: Callable[[PricedCart], Any]) -> Callable[..., dict[int, Any]]:
    def load(request: Any, keys: list[int]) -> dict[int, Any]:
        return {key: value(found) for key, found in _priced(request, keys).items()}

    return load


class PricedField(BatchField):
    """A field of a cart that follows from its price."""

    def __init__(self, type_: Any, value: Callable[[PricedCart], Any], description: str) -> None:
        super().__init__(type_, load=_of_cart(value), required=True, description=description)


def _amount(minor: Callable[[Any], int], description: str) -> PricedField:
    def value(found: PricedCart) -> money.Money:
        return money.Money(minor(found.price), found.price.currency)

    return PricedField(Money, value, description)


def _of_line(value: Callable[[PricedCart, models.CartLine, Any], Any]) -> Callable[..., Any]:
    def load(request: Any, keys: list[int]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for priced in _priced(request, _carts_of(request, keys)).values():
            for line, price in zip(priced.lines, priced.price.lines, strict=True):
                found[line.pk] = value(priced, line, price)
            for line in priced.left_out:
                found[line.pk] = value(priced, line, None)
        return found

    return load


def _carts_of(request: Any, keys: list[int]) -> list[int]:
    """The carts of lines, by the prices that are known already or else from the database."""
    known: dict[int, PricedCart] = getattr(request, "priced_carts", {})
    of_line = {
        line.pk: priced.cart.pk
        for priced in known.values()
        for line in (*priced.lines, *priced.left_out)
    }
    if not of_line.keys() >= set(keys):
        rows = models.CartLine.objects.filter(pk__in=keys)
        of_line |= dict(rows.values_list("pk", "cart_id"))
    return sorted({of_line[key] for key in keys if key in of_line})


def _line_names(request: Any, keys: list[int]) -> dict[int, str]:
    try:
        priced = _priced(request, _carts_of(request, keys)).values()
        lines = [line for found in priced for line in (*found.lines, *found.left_out)]
    except BadRequest:
        # A cart without a price has names, by which its shopper finds the lines to remove.
        rows = models.CartLine.objects.filter(pk__in=keys)
        lines = list(rows.select_related("variant__product"))
    return {line.pk: name_of(line.variant) for line in lines}


def _line_amount(minor: Callable[[Any], int], description: str) -> BatchField:
    def value(priced: PricedCart, line: models.CartLine, price: Any) -> money.Money:
        return money.Money(0 if price is None else minor(price), priced.price.currency)

    return BatchField(Money, load=_of_line(value), required=True, description=description)


class CartLine(OwnNode):
    """Units of one variant in a cart. Amounts are 0, and a notice says so, once it is not sold."""

    permission = "shop.view_cart"
    opened_model = models.Cart
    opened_lookup = "cart_id"

    variant = RelatedField(
        Variant, column="variant_id", description="What is bought; null when it is not sold now."
    )
    name = BatchField(
        graphene.String,
        load=_line_names,
        required=True,
        description='The product, and the variant in brackets: "Mug (Small)".',
    )
    quantity = graphene.Int(required=True, description="How many of it.")
    unit_price = _line_amount(lambda price: price.unit_price, "Today's price of one.")
    subtotal = _line_amount(lambda price: price.subtotal, "Of all of them, before discounts.")
    discount = _line_amount(
        lambda price: price.discount, "Its part of all discounts, vouchers included."
    )
    tax = _line_amount(lambda price: price.tax, "The tax within `total`.")
    total = _line_amount(lambda price: price.total, "What is paid for the line, tax included.")
    saved = _line_amount(
        lambda price: price.saved, "What it costs less than at compare-at prices; no discount."
    )
    created_at = graphene.DateTime(required=True, description="When it was first put in.")

    class Meta:
        model = models.CartLine


class CartDiscount(graphene.ObjectType):
    """What one thing takes off."""

    code = graphene.String(
        required=True, description="Code of a voucher; empty for automatic discounts."
    )
    amount = graphene.Field(Money, required=True, description="Amount of the discount.")


class CartShippingOffer(graphene.ObjectType):
    """A way to have the cart sent, at a price."""

    rate_id = graphene.ID(required=True, description="For `cartShippingSet`.")
    name = graphene.String(required=True, description="What it is called.")
    description = graphene.String(
        required=True, description="Note for shoppers, such as the delivery time; or empty."
    )
    price = graphene.Field(Money, required=True, description="Before discounts.")
    is_chosen = graphene.Boolean(
        required=True, description="Whether it is the one within the total."
    )


class CartNotice(graphene.ObjectType):
    """Something to know about a cart.

    PRICE_CHANGED and notices of lines that are gone or were not added (LINE_REMOVED, MERGE_REDUCED,
    MERGE_DROPPED, REORDER_REDUCED, REORDER_OUT_OF_STOCK, REORDER_UNAVAILABLE) stay until
    `cartNoticesDismiss`. All others stand in the way of an order.
    """

    code = graphene.Field(CartNoticeCode, required=True, description="For programs.")
    message = graphene.String(required=True, description="For people, in one sentence.")
    line_id = graphene.ID(description="Global id of the line that it is about, if any.")
    name = graphene.String(
        description='What is not in the cart any more, such as "Mug (Small)"; null for others.'
    )
    quantity = graphene.Int(
        description="Units that were removed or left out; null for notices of other kinds."
    )
    old_price = graphene.Field(
        Money, description="Price of one unit that the shopper saw last, of PRICE_CHANGED; or null."
    )
    new_price = graphene.Field(
        Money, description="Price of one unit today, of PRICE_CHANGED; or null."
    )


def _discounts(found: PricedCart) -> list[dict[str, Any]]:
    return [
        {
            "code": getattr(discount.source, "code", ""),
            "amount": money.Money(discount.amount, found.price.currency),
        }
        for discount in found.price.discounts
    ]


def _tax_lines(found: PricedCart) -> list[dict[str, Any]]:
    price = found.price
    shares = [TaxShare(line.tax_rate, line.total, line.tax) for line in price.lines]
    shipping = price.shipping.shares if price.shipping else ()
    return tax_lines([*shares, *shipping], price.currency)


def _notices(found: PricedCart) -> list[dict[str, Any]]:
    return [
        {
            "code": notice.code,
            "message": notice.message,
            "line_id": to_global_id("CartLine", notice.line) if notice.line else None,
            "name": notice.name,
            "quantity": notice.quantity,
            "old_price": _money(notice.old_price, found),
            "new_price": _money(notice.new_price, found),
        }
        for notice in found.notices
    ]


def _money(minor: int | None, found: PricedCart) -> money.Money | None:
    return None if minor is None else money.Money(minor, found.price.currency)


def _offers(request: Any, keys: list[int]) -> dict[int, list[dict[str, Any]]]:
    """All offers of all carts, with the names of their rates in one statement."""
    priced = _priced(request, keys)
    wanted = {rate.key for found in priced.values() for rate in found.rates}
    rows = rates_by_key(wanted) if wanted else {}
    return {
        key: [
            {
                "rate_id": to_global_id("ShippingRate", rate.key),
                "name": rows[rate.key].name,
                "description": rows[rate.key].description,
                "price": money.Money(rate.price, found.price.currency),
                "is_chosen": bool(found.price.shipping and found.price.shipping.key == rate.key),
            }
            for rate in found.rates
            if rate.key in rows
        ]
        for key, found in priced.items()
    }


def _voucher_codes(request: Any, keys: list[int]) -> dict[int, str | None]:
    rows = models.Cart.objects.filter(pk__in=keys, voucher__isnull=False)
    return dict(rows.values_list("pk", "voucher__code"))


class Cart(OwnNode):
    """What one shopper is about to buy, at today's prices.

    Whoever has its token sees and changes it; that of an account is for the account alone.
    """

    permission = "shop.view_cart"
    opened_model = models.Cart

    status = graphene.Field(CartStatus, required=True, description="What became of it.")
    version = graphene.Int(required=True, description="Another one after every change.")
    currency = graphene.String(required=True, description="ISO 4217 code of all its amounts.")
    email = graphene.String(required=True, description="Where the confirmation goes, or empty.")
    shipping_address = ComputedField(
        PostalAddress,
        columns=("shipping_address",),
        compute=address_value,
        description="Where things go; null while it is not known.",
    )
    billing_address = ComputedField(
        PostalAddress,
        columns=("billing_address",),
        compute=address_value,
        description="Who gets the bill; null when it is the same place.",
    )
    voucher_code = BatchField(
        graphene.String, load=_voucher_codes, description="The voucher in it; null without one."
    )
    wants_reminder = ComputedField(
        graphene.Boolean,
        columns=("reminder",),
        compute=lambda request, reminder: reminder,
        required=True,
        description="Whether to write a mail when it is left behind.",
    )
    lines = ConnectionField(
        CartLine, link="cart_id", trusts_parent=True, description="What is in it, oldest first."
    )
    quantity = PricedField(
        graphene.Int,
        lambda found: sum(line.quantity for line in found.lines),
        "Units of all lines that are for sale.",
    )
    subtotal = _amount(lambda price: price.subtotal, "Of all lines, before discounts.")
    discount = _amount(lambda price: price.discount, "Off lines and shipping, vouchers included.")
    shipping = _amount(
        lambda price: price.shipping_price,
        "What shipping costs before discounts; 0 while the address is not known.",
    )
    tax = _amount(
        lambda price: price.tax,
        "The tax within `total`; that of the shop's country while the address is not known.",
    )
    requires_shipping = PricedField(
        graphene.Boolean,
        lambda found: requires_shipping(found.lines),
        "Whether something in it is sent as a parcel. Else it needs no shipping address and no "
        "shipping, and is taxed in the country of the billing address.",
    )
    tax_lines = PricedField(
        graphene.List(graphene.NonNull(TaxLine)),
        _tax_lines,
        "Tax by rate, goods and shipping together, the highest rate first.",
    )
    total = _amount(
        lambda price: price.total,
        "What is to be paid: the `expectedTotal` of `checkoutComplete`.",
    )
    saved = _amount(
        lambda price: price.saved, "What lines cost less than at compare-at prices; no discount."
    )
    tax_included = PricedField(
        graphene.Boolean,
        lambda found: found.price.tax_included,
        "Whether prices include the tax: total = subtotal - discount + shipping; else + tax.",
    )
    discounts = PricedField(
        graphene.List(graphene.NonNull(CartDiscount)),
        _discounts,
        "What makes it cheaper; the amounts add up to `discount`.",
    )
    shipping_offers = BatchField(
        graphene.List(graphene.NonNull(CartShippingOffer)),
        load=_offers,
        required=True,
        description="Ways to have it sent; empty while the address is not known.",
    )
    notices = PricedField(
        graphene.List(graphene.NonNull(CartNotice)), _notices, "What the shopper should know."
    )
    created_at = graphene.DateTime(required=True, description="When it was made.")
    updated_at = graphene.DateTime(required=True, description="When it last changed.")

    class Meta:
        model = models.Cart
        orderings = {"UPDATED": SortField("updated_at", "By the time of the last change.")}
        default_order = ("UPDATED", "desc")


CART_TOKEN = graphene.String(
    description="The cart's token. Left out, it is the account's own cart, or for guests the cart "
    "whose token is in the request header `Cart-Token`."
)


def open_cart(info: graphene.ResolveInfo, token: str | None) -> models.Cart:
    """The cart that a request names. Raises NotFound."""
    cart = carts.find(info.context.user, cart_token(info.context, token))
    remember(info.context, cart)
    return cart


def _find(root: Any, info: graphene.ResolveInfo, token: str | None = None) -> models.Cart | None:
    try:
        return open_cart(info, token)
    except NotFound:
        return None


class CartsQuery(graphene.ObjectType):
    """Carts."""

    field_permissions: ClassVar[dict[str, str]] = {"cart": ANYONE}

    cart = ObjectField(
        Cart,
        find=_find,
        token=graphene.Argument(
            graphene.String,
            description="Its token. Left out, it is the account's own cart, or for guests the cart "
            "whose token is in the request header `Cart-Token`.",
        ),
        description="The cart with a token, or the account's own; null when there is none.",
    )
