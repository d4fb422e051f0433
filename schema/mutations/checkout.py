"""From a cart to an order that is paid."""

from typing import Any

import graphene

from schema.base import Decimal, Money, Mutation
from schema.engine.connections import ObjectField
from schema.idempotency import KEY, key_of
from schema.opened import cart_token, open_row
from schema.permissions import ANYONE
from schema.types.carts import CART_TOKEN, remember
from schema.types.orders.orders import Order
from schema.types.payments import PaymentProvider
from shop import models, money
from shop.actions import checkout
from shop.errors import Invalid, TotalChanged
from shop.money import parse_minor

MAX_NOTE = 2000


class PaymentInput(graphene.InputObjectType):
    """How to pay."""

    provider = graphene.Field(
        PaymentProvider, required=True, description="One of `shop.paymentProviders`."
    )
    method = graphene.String(
        description="What the provider's own library gave your client: for STRIPE the id of a "
        "payment method, or nothing to choose one with the client secret; for DEMO what is to "
        "happen, such as `declined`. Never the number of a card."
    )


class NextStep(graphene.ObjectType):
    """What the customer has to do before the order is paid."""

    client_secret = graphene.String(
        description="For the provider's library in your client, such as Stripe.js."
    )
    url = graphene.String(description="A page to send the customer to.")


def _next_step(payment: models.Payment | None) -> NextStep | None:
    if payment is None or payment.state != models.PaymentState.REQUIRES_ACTION:
        return None
    data = payment.client_data
    return NextStep(client_secret=data.get("clientSecret"), url=data.get("url"))


class CheckoutComplete(Mutation):
    """Orders what is in a cart, and pays it.

    The cart needs lines, an e-mail address and a shipping address. Its stock is reserved, the order
    written, and then the payment asked for. An order that is PENDING waits for its payment: for the
    customer (`nextStep`), or for a provider that has not answered; the shop finds out by itself. A
    declined payment cancels the order and leaves the cart as it was, for another try under another
    key. Sent under another key while the order waits for the customer, it cancels that order and
    places a new one: that is how a customer pays another way. `orderByToken` and `viewer.orders`
    show what becomes of it.
    """

    permission = ANYONE
    codes = (
        "REQUIRED",
        "NOT_FOUND",
        "OUT_OF_STOCK",
        "NOT_PURCHASABLE",
        "CART_EMPTY",
        "CART_CHANGED",
        "CART_CLOSED",
        "PAYMENT_PENDING",
        "TOTAL_CHANGED",
        "SHIPPING_NOT_OFFERED",
        "INVALID_VOUCHER",
        "CURRENCY_MISMATCH",
        "AMOUNT_TOO_LARGE",
        "AMOUNT_TOO_SMALL",
        "PAYMENT_DECLINED",
        "PAYMENT_NOT_OFFERED",
        "PAYMENT_UNAVAILABLE",
        "IDEMPOTENCY_CONFLICT",
    )
    # A saga: the order is committed before the provider is asked.
    owns_transaction = True

    class Input:
        cart = CART_TOKEN
        payment = graphene.InputField(PaymentInput, required=True, description="How to pay.")
        expected_total = graphene.InputField(
            Decimal,
            required=True,
            description="The cart's `total` that the customer saw and agrees to. When it is "
            "another by now nothing is done, and the code is TOTAL_CHANGED.",
        )
        note = graphene.String(description=f"For the shop; at most {MAX_NOTE} characters.")
        version = graphene.Int(description="The cart's version that you have seen, if you care.")
        idempotency_key = KEY

    order = ObjectField(Order, description="The order.")
    token = graphene.String(
        description="Opens the order without an account, with its number: see `orderByToken`."
    )
    next_step = graphene.Field(
        NextStep, description="What the customer has to do; null when there is nothing."
    )
    total = graphene.Field(
        Money, description="The total as it is now, when it is another than the one expected."
    )

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        payment: Any,
        expected_total: Any,
        cart: str | None = None,
        note: str | None = None,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        key = key_of(info, idempotency_key)
        row = checkout.find(info.context.user, cart_token(info.context, cart), key=key)
        remember(info.context, row)
        if note and len(note) > MAX_NOTE:
            raise Invalid(f"A note has at most {MAX_NOTE} characters.", field=["note"])
        wish = checkout.Wish(
            cart=row,
            user=info.context.user,
            provider=payment.provider.value,
            method=payment.get("method") or "",
            expected_total=_minor(expected_total, row.currency),
            note=note or "",
            version=version,
        )
        try:
            done = checkout.complete(wish, key=key)
        except TotalChanged as error:
            return _changed(cls, error, row.currency)
        open_row(info.context, done.order)
        return cls(order=done.order, token=done.token, next_step=_next_step(done.payment))


def _minor(amount: Any, currency: str) -> int:
    try:
        return parse_minor(amount, currency)
    except ValueError as error:
        raise Invalid(
            "This is no amount of the cart's currency.", field=["expectedTotal"]
        ) from error


def _changed(cls: type[CheckoutComplete], error: TotalChanged, currency: str) -> Any:
    return cls.refused(error, total=money.Money(parse_minor(error.total, currency), currency))


class CheckoutMutation(graphene.ObjectType):
    """Checkout."""

    checkout_complete = CheckoutComplete.Field()
