"""Reserve and write the order; then ask the provider; then write what it said."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from shop.actions import idempotency, inventory, orders, payments
from shop.actions.carts import is_for_another
from shop.actions.carts.holding import hold
from shop.actions.carts.pricing import PricedCart
from shop.actions.checkout.checking import checked, out_of_stock
from shop.actions.checkout.finding import OPERATION, actor_of
from shop.actions.checkout.replacing import replace_pending
from shop.actions.idempotency import Reply
from shop.actions.rows import atomically
from shop.compiled import Compiled
from shop.errors import AmountTooSmall, Busy, CartClosed, PaymentDeclined, PaymentPending
from shop.gateways import Failure
from shop.models import (
    AutomaticDiscount,
    Cart,
    CartStatus,
    Order,
    OrderStatus,
    Payment,
    PaymentState,
    PaymentStatus,
    ShippingRate,
)
from shop.pricing import AutomaticDiscount as PricedDiscount
from shop.pricing import Voucher

_ENDED = (PaymentState.FAILED, PaymentState.VOIDED)
# Of an order that keeps its cart, which is not open again.
_OVER = "The order was not paid in time, or called off. Begin another cart."
_CANCELLED = "The order was cancelled. Check out under another key."
_RATE_NAME: Compiled[str] = Compiled(
    lambda key: ShippingRate.objects.filter(pk=key).values_list("name", flat=True)
)
# Whoever pays may have died when nothing was heard of it for so long after the provider's time.
_PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What came of it.

    Attributes:
        payment: None when there was nothing to pay.
        token: by which somebody without an account opens the order.
    """

    order: Order
    payment: Payment | None
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for.

    Attributes:
        user: who asks, signed in or not.
        provider, method: how to pay; see `payments.begin`.
        expected_total: minor units; what the customer saw and agrees to.
        note: what the customer writes.
        version: of the cart, that the client has seen; None does not ask.
    """

    cart: Cart
    user: Any
    provider: str
    method: str
    expected_total: int
    note: str = ""
    version: int | None = None


def complete(wish: Wish, *, key: str | None) -> Completed:
    """Makes an order of a cart and pays it. Call it outside transactions.

    A payment that waits for the customer, or for the provider, leaves the order PENDING; it is not
    an error. A declined one leaves the cart as it was. An order of the cart that waits for its
    customer is cancelled first: they pay another way. It stays cancelled where no new order can be
    placed, and the cart is open.

    Args:
        key: by which a request that comes twice is known; it gets the reply of the first.

    Raises:
        Several, TotalChanged: the cart cannot be ordered as it is; nothing is written.
        CartClosed, CartChanged, PaymentNotOffered, PaymentUnavailable, IdempotencyConflict: nothing
            is written.
        AmountTooSmall: the total is below the provider's minimum; nothing is written.
        PaymentPending: the cart's order waits for a payment that is under way.
        PaymentDeclined: the order is cancelled, the cart open again. Of a request that came again
            also: the order was cancelled, or was not paid in time and its cart stays closed.
        Busy: the same request is being done at this moment.
    """
    placed: list[Reply] = []

    def place() -> Reply:
        placed.append(_place(wish))
        return placed[-1]

    def work() -> Reply:
        placed.clear()
        return idempotency.once(actor_of(wish.cart), OPERATION, key, _request(wish), place)

    try:
        reply = atomically(work)
    except PaymentPending:
        # Only a request under a new key gets here: the customer pays another way.
        replace_pending(
            wish.cart,
            by=wish.user,
            provider=wish.provider,
            method=wish.method,
            version=wish.version,
        )
        reply = atomically(work)
    if reply["payment"] is None:
        order = Order.objects.get(pk=reply["order"])
        return Completed(order=order, payment=None, token=orders.token_of(order))
    payment = _pay(reply["payment"], is_first=bool(placed))
    order = payment.order
    _check_alive(order, payment)
    return Completed(order=order, payment=payment, token=orders.token_of(order))


def _check_alive(order: Order, payment: Payment) -> None:
    """Raises PaymentDeclined for an order that was given up before it was confirmed.

    Or AmountTooSmall, where the provider has another minimum than it documents for the currency.

    Of a request that came again the payment may have been given up meanwhile. Given up after it was
    promised, the reply is that of the first.
    """
    is_over = payment.state in _ENDED or order.status == OrderStatus.CANCELLED
    if order.confirmed_at is not None or not is_over:
        return
    if payment.failure == Failure.AMOUNT_TOO_SMALL:
        raise AmountTooSmall(field=["payment"])
    told = None
    if payment.state != PaymentState.FAILED:
        told = _CANCELLED if order.cart_id is None else _OVER
    raise PaymentDeclined(told, field=["payment"])


def _request(wish: Wish) -> dict[str, Any]:
    return {
        "cart": wish.cart.pk,
        "provider": wish.provider,
        "method": wish.method,
        "expectedTotal": wish.expected_total,
        "note": wish.note,
    }


def _place(wish: Wish) -> Reply:
    """Writes order, reservations and payment. Locks in the order that `orders.moving` tells."""
    cart = wish.cart
    hold(cart, wish.version)
    found = checked(cart, expected_total=wish.expected_total)
    expires_at = timezone.now() + timedelta(minutes=settings.CHECKOUT_MINUTES)
    order = orders.place(
        orders.Placing(
            cart=cart,
            lines=found.lines,
            priced=found.price,
            shipping_name=_shipping_name(found),
            discount_names=_discount_names(found),
            user=_customer(wish),
            placed_by=wish.user,
            note=wish.note,
            expires_at=expires_at,
        )
    )
    quantities = {line.variant_id: line.quantity for line in found.lines}
    try:
        inventory.reserve(order.reference, quantities, expires_at=expires_at)
    except inventory.Short as error:
        raise out_of_stock(found, error.available) from error
    is_used = any(isinstance(discount.source, Voucher) for discount in found.price.discounts)
    if cart.voucher and is_used:
        orders.redeem(order, cart.voucher)
    _close(cart)
    if not order.total:
        orders.confirm(order, payment_status=PaymentStatus.PAID)
        return {"cart": cart.pk, "order": order.pk, "payment": None}
    payment = payments.begin(order, provider=wish.provider, method=wish.method)
    return {"cart": cart.pk, "order": order.pk, "payment": payment.pk}


def _customer(wish: Wish) -> Any:
    """The account that the order belongs to; None for guests, also if staff order for them."""
    is_guests = not wish.user.is_authenticated or is_for_another(wish.cart, wish.user)
    return None if is_guests else wish.user


def _close(cart: Cart) -> None:
    """The cart is ordered; the account may have another one from now on."""
    rows = Cart.objects.filter(pk=cart.pk, status=CartStatus.ACTIVE, version=cart.version)
    done = rows.update(
        status=CartStatus.ORDERED,
        active_key=None,
        version=F("version") + 1,
        updated_at=timezone.now(),
    )
    if not done:
        raise CartClosed(field=["cart"])


def _pay(payment_id: int, *, is_first: bool) -> Payment:
    """Asks the provider; a request that came again waits for the first, unless that seems dead."""
    if not is_first:
        payment = Payment.objects.select_related("order").get(pk=payment_id)
        if payment.state != PaymentState.CREATED:
            return payment
        patience = timedelta(seconds=settings.PAYMENT_TIMEOUT) + _PATIENCE
        if timezone.now() < payment.created_at + patience:
            raise Busy
    return payments.pay(payment_id)


def _shipping_name(found: PricedCart) -> str:
    shipping = found.price.shipping
    if shipping is None:
        return ""
    return _RATE_NAME.all(key=shipping.key)[0]


def _discount_names(found: PricedCart) -> dict[int, str]:
    keys = [
        discount.source.key
        for discount in found.price.discounts
        if isinstance(discount.source, PricedDiscount)
    ]
    if not keys:
        return {}
    return dict(AutomaticDiscount.objects.filter(pk__in=keys).values_list("pk", "name"))
