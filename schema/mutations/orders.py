"""What comes after a sale: shipping, calling off, paying back, taking back, notes of staff."""

from collections.abc import Sequence
from decimal import Decimal as PythonDecimal
from typing import Any

import graphene

from schema.base import Decimal, Mutation
from schema.engine.connections import ObjectField
from schema.idempotency import KEY, key_of
from schema.inputs import load, load_any
from schema.mutations.order_inputs import (
    CHANGE,
    ORDER_ID,
    REASON,
    SEEN,
    TrackingFields,
    by_line,
    quantities,
    tracking_of,
    units,
)
from schema.permissions import ANYONE, SIGNED_IN, require
from schema.types.orders.events import OrderEvent
from schema.types.orders.orders import Order
from schema.types.orders.parcels import Fulfillment, Return
from schema.types.orders.queries import open_order
from schema.types.payments import Refund
from shop import models
from shop.actions import aftersales
from shop.actions.aftersales import Back, Wanted
from shop.errors import InvalidPrice, NotFound
from shop.input_errors import InputErrors
from shop.money import parse_minor


class OrderReturnLineInput(graphene.InputObjectType):
    """Units of a line that came back."""

    line = graphene.ID(required=True, description="Global id of the line, of this order.")
    quantity = graphene.Int(
        description="How many units; all that were shipped and are not back yet when left out."
    )
    restock = graphene.Boolean(
        description="Whether they are sold again; true when left out.",
    )


class OrderFulfil(Mutation):
    """Ships units of a confirmed order whose payment is made or promised, as one parcel.

    Refunded units are not shipped, unless `includeRefunded` says so: asking for them is the error
    EXCEEDS_ORDER. Once nothing else is left to ship, they are cancelled and their stock is free.
    Lines that are not shipped (`requiresShipping: false`) are NOT_SHIPPABLE and left out.
    The order is completed once all of it is shipped and paid. The customer gets a mail.
    """

    permission = CHANGE
    codes = (
        "REQUIRED",
        "NOT_FOUND",
        "INVALID_QUANTITY",
        "IDEMPOTENCY_CONFLICT",
        "ILLEGAL_MOVE",
        "EXCEEDS_ORDER",
        "NOT_SHIPPABLE",
    )

    class Input(TrackingFields):
        id = ORDER_ID
        lines = units(
            "What is in the parcel. When left out: all units that are neither shipped, cancelled "
            "nor refunded."
        )
        include_refunded = graphene.Boolean(
            description="Whether refunded units are shipped as well, also of an order whose money "
            "all went back. False when left out."
        )
        idempotency_key = KEY

    order = ObjectField(Order, description=f"The order as it is now; {SEEN}.")
    fulfillment = ObjectField(Fulfillment, description=f"The parcel; {SEEN}.")

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        lines: Sequence[Any] | None = None,
        include_refunded: bool | None = None,
        idempotency_key: str | None = None,
        **tracking: str | None,
    ) -> Any:
        order = load_any(info, Order, id)
        parcel = aftersales.fulfil(
            order,
            quantities(by_line(info, lines)),
            **tracking_of(tracking),
            include_refunded=bool(include_refunded),
            by=info.context.user,
            key=key_of(info, idempotency_key),
        )
        return cls(order=order, fulfillment=parcel)


class OrderCancel(Mutation):
    """Calls off an order of which nothing was shipped.

    Your own; with the permission `shop.change_order` anyone's. Its stock is free again, and its
    voucher can be used again. What was paid goes back, what was
    promised is given up: at once, or as soon as the provider answers; `paymentStatus` tells.
    """

    permission = SIGNED_IN
    codes = ("NOT_FOUND", "IDEMPOTENCY_CONFLICT", "ILLEGAL_MOVE")
    # Providers are asked once it is committed.
    owns_transaction = True

    class Input:
        id = ORDER_ID
        reason = REASON
        restock = graphene.Boolean(
            description="False when the goods are lost or damaged: they are taken off the stock. "
            "That needs the permission `shop.change_order`. True when left out."
        )
        idempotency_key = KEY

    order = ObjectField(Order, description=f"The order as it is now; {SEEN}.")

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        reason: str | None = None,
        restock: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        user = info.context.user
        order = _to_cancel(info, id)
        if restock is False:
            require(user, CHANGE)
        order = aftersales.cancel(
            order,
            reason=reason or "",
            restock=restock is not False,
            by=user,
            key=key_of(info, idempotency_key),
        )
        return cls(order=order)


def _to_cancel(info: graphene.ResolveInfo, global_id: str) -> models.Order:
    """An order of the viewer's own, or anyone's with the permission. Raises as `load`."""
    user = info.context.user
    if user.has_perm(CHANGE):
        return load_any(info, Order, global_id)
    order = load(info, Order, global_id)
    if order.user_id != user.pk:
        # Those who only see it.
        require(user, CHANGE)
    return order


class OrderCancelByToken(Mutation):
    """Calls off an order of which nothing was shipped, for customers without an account.

    What happens is the same as with `orderCancel`. Tries are limited by address, as those of
    `orderByToken` are.
    """

    permission = ANYONE
    codes = ("NOT_FOUND", "IDEMPOTENCY_CONFLICT", "ILLEGAL_MOVE")
    carries_credential = True
    owns_transaction = True

    class Input:
        number = graphene.String(required=True, description="The order's number, in any case.")
        token = graphene.String(
            required=True,
            description="Its secret, from the reply to the checkout or from a mail.",
        )
        reason = REASON
        idempotency_key = KEY

    order = ObjectField(
        Order,
        description="The order as it is now; null when number and secret do not belong together.",
    )

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        number: str,
        token: str,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        order = open_order(None, info, number, token)
        if order is None:
            raise NotFound("There is no such Order.", field=["token"])
        key = key_of(info, idempotency_key)
        return cls(order=aftersales.cancel(order, reason=reason or "", by=None, key=key))


class OrderRefund(Mutation):
    """Pays money back: for units of lines and for the shipping, or just an amount.

    The price of a line is spread over its units, so that all of them together come to exactly what
    was paid for it. Each unit is paid back once. Goods that come back are told by `orderReturn`.
    """

    permission = "shop.add_refund"
    codes = (
        "REQUIRED",
        "NOT_FOUND",
        "INVALID_PRICE",
        "INVALID_QUANTITY",
        "IDEMPOTENCY_CONFLICT",
        "ILLEGAL_MOVE",
        "EXCEEDS_ORDER",
        "EXCEEDS_PAYMENT",
    )
    # The provider is asked once the refund is committed.
    owns_transaction = True

    class Input:
        id = ORDER_ID
        lines = units("Units that are paid back.")
        shipping = graphene.Boolean(
            description="Whether what is left of the shipping is paid back as well."
        )
        shipping_amount = graphene.Field(
            Decimal,
            description="Instead of `shipping`: a part of what is left of the shipping, tax "
            'included, such as "2.50". More than is left is the error EXCEEDS_ORDER.',
        )
        amount = graphene.Field(
            Decimal,
            description="Instead of lines and shipping: an amount of the order's currency, such as "
            '"12.50".',
        )
        restock = graphene.Boolean(
            description="Whether the units are taken out of the order as well, before they were "
            "shipped: they are not shipped any more, and free for others. False when left out."
        )
        reason = REASON
        idempotency_key = KEY

    order = ObjectField(Order, description=f"The order as it is now; {SEEN}.")
    refund = ObjectField(
        Refund,
        description="The refund, PENDING until the provider has answered; null also where units "
        "were taken out of the order for which nothing goes back.",
    )

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        lines: Sequence[Any] | None = None,
        shipping: bool | None = None,
        shipping_amount: PythonDecimal | None = None,
        amount: PythonDecimal | None = None,
        restock: bool | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        order, errors = load_any(info, Order, id), InputErrors()
        minor: dict[str, int | None] = {}
        with errors.collect():
            minor["amount"] = _minor(amount, order.currency, "amount")
        with errors.collect():
            minor["shippingAmount"] = _minor(shipping_amount, order.currency, "shippingAmount")
        wanted = Wanted(
            lines=quantities(by_line(info, lines)) or {},
            shipping=bool(shipping),
            shipping_amount=minor.get("shippingAmount"),
            amount=minor.get("amount"),
            restock=bool(restock),
        )
        by, key = info.context.user, key_of(info, idempotency_key)
        refund = aftersales.refund(
            order, wanted, reason=reason or "", by=by, key=key, errors=errors
        )
        return cls(order=order, refund=refund)


def _minor(amount: PythonDecimal | None, currency: str, field: str) -> int | None:
    try:
        return None if amount is None else parse_minor(amount, currency)
    except ValueError:
        message = f"This is no amount of {currency}."
        raise InvalidPrice(message, field=[field]) from None


class OrderReturn(Mutation):
    """Takes back units that were shipped. Their price is paid back by `orderRefund`."""

    permission = "shop.add_return"
    codes = (
        "REQUIRED",
        "NOT_FOUND",
        "INVALID_QUANTITY",
        "IDEMPOTENCY_CONFLICT",
        "ILLEGAL_MOVE",
        "EXCEEDS_ORDER",
    )

    class Input:
        id = ORDER_ID
        lines = graphene.List(
            graphene.NonNull(OrderReturnLineInput),
            description="What came back; all that was shipped, to be sold again, when left out.",
        )
        reason = REASON
        idempotency_key = KEY

    order = ObjectField(Order, description=f"The order as it is now; {SEEN}.")
    # Not `return`, which is a word of Python's.
    returned = ObjectField(Return, description=f"What came back; {SEEN}.")

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        lines: Sequence[Any] | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        order, given = load_any(info, Order, id), by_line(info, lines)
        back = given and [
            (pk, Back(item.get("quantity"), item.get("restock") is not False)) for pk, item in given
        ]
        by, key = info.context.user, key_of(info, idempotency_key)
        returned = aftersales.return_(order, back, reason=reason or "", by=by, key=key)
        return cls(order=order, returned=returned)


class OrderNoteCreate(Mutation):
    """Writes a note on an order, which only staff see."""

    permission = "shop.add_orderevent"
    codes = ("REQUIRED", "NOT_FOUND")

    class Input:
        id = ORDER_ID
        text = graphene.String(required=True, description="The note, of up to 2000 characters.")

    event = ObjectField(OrderEvent, description=f"The note in the timeline; {SEEN}.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, text: str) -> Any:  # noqa: A002
        return cls(event=aftersales.note(load_any(info, Order, id), text, by=info.context.user))


class OrderCapture(Mutation):
    """Takes the money that is promised for an order; of bank transfers and cash, says that it came.

    When the provider does not answer, `paymentStatus` is still AUTHORIZED. The shop finds out
    whether the money was taken; where it still is AUTHORIZED a while later, it was not: send this
    once more.
    """

    permission = CHANGE
    codes = ("NOT_FOUND", "PAYMENT_FAILED", "IDEMPOTENCY_CONFLICT", "ILLEGAL_MOVE")
    # The provider is asked outside of transactions.
    owns_transaction = True

    class Input:
        id = ORDER_ID
        idempotency_key = KEY

    order = ObjectField(Order, description=f"The order as it is now; {SEEN}.")

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        idempotency_key: str | None = None,
    ) -> Any:
        key = key_of(info, idempotency_key)
        order = aftersales.capture(load_any(info, Order, id), by=info.context.user, key=key)
        return cls(order=order)


class OrdersMutation(graphene.ObjectType):
    """What comes after a sale."""

    order_fulfil = OrderFulfil.Field()
    order_cancel = OrderCancel.Field()
    order_cancel_by_token = OrderCancelByToken.Field()
    order_refund = OrderRefund.Field()
    order_return = OrderReturn.Field()
    order_note_create = OrderNoteCreate.Field()
    order_capture = OrderCapture.Field()
