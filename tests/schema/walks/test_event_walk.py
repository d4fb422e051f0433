"""Every mutation tells each topic of a subject once, with the final state."""

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import AnonymousUser

import shop.tasks  # noqa: F401 - Declares the periodic tasks.
from shop.actions import carts
from shop.models import Cart, Order, User
from shop.outbox.subscriptions import periods
from tests.schema.samples import FIELDS, SAMPLES
from tests.shop.orders import place
from tests.shop.selling import ready
from tests.shop.telling import told_once

# Mutations of which the sample tells something, as a check that the walk sees events.
TELLING = {
    "brandUpdate": "brand.updated",
    "mediaDelete": "product.updated",
    "orderCancel": "order.cancelled",
    "orderFulfil": "order.fulfilled",
    "orderUpdate": "order.updated",
    "productUpdate": "product.updated",
    "reviewModerate": "review.rejected",
    "variantUpdate": "product.updated",
}

TASKS = {"shop.expire_orders": "order.expired", "shop.remind_carts": "cart.abandoned"}


@pytest.mark.parametrize("mutation", sorted(SAMPLES))
def test_a_mutation_tells_each_topic_of_a_subject_once(mutation: str, call: Any, shop: Any) -> None:
    User.objects.filter(email="owner@example.org").update(is_superuser=True, is_staff=True)
    owner = User.objects.get(email="owner@example.org")
    with told_once() as found:
        call(mutation, owner)
    if mutation in TELLING:
        assert TELLING[mutation] in [event.topic for event in found]


# They take what a mail, a cart or a session has in it, and tell of one user or order once.
UNSAMPLED = {
    "checkoutComplete",
    "customerConfirm",
    "customerRegister",
    "emailConfirm",
    "passwordReset",
    "passwordResetRequest",
    "refreshToken",
    "revokeToken",
    "tokenAuth",
    "verifyToken",
}


def test_every_other_mutation_has_a_sample() -> None:
    assert FIELDS.keys() - SAMPLES.keys() == UNSAMPLED


@pytest.mark.parametrize("method", ["ok", "authorize", "declined"])
def test_a_checkout_tells_each_topic_of_an_order_once(method: str, selling: Any, api: Any) -> None:
    cart, token = ready(AnonymousUser(), (selling.variants[0], 2), (selling.variants[1], 1))
    document = """mutation($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
      order { number } userErrors { code } } }"""
    given = {"cart": token, "payment": {"provider": "DEMO", "method": method}}
    given["expectedTotal"] = str(carts.priced(cart).price.total / 100)
    with told_once() as found:
        api(document, input=given)
    expected = "order.cancelled" if method == "declined" else "order.confirmed"
    assert expected in [event.topic for event in found]


@pytest.mark.parametrize(
    ("mutation", "given", "topic"),
    [
        ("customerRegister", {"password": "ladles of clay 7"}, "user.registered"),
        ("passwordResetRequest", {}, "user.reset_requested"),
    ],
)
def test_a_request_for_a_mail_is_told_once(
    mutation: str, given: dict[str, str], topic: str, api: Any, customer: User
) -> None:
    name = f"{mutation[0].upper()}{mutation[1:]}Input!"
    document = (
        f"mutation($input: {name}) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
    )
    with told_once() as found:
        api(document, input={"email": customer.email, **given})
    assert [event.topic for event in found] == [topic]


@pytest.mark.parametrize("name", sorted(periods))
def test_a_periodic_task_tells_each_topic_of_a_subject_once(
    name: str, shop: Any, settings: Any
) -> None:
    order = place(state=None)
    Order.objects.filter(pk=order.pk).update(expires_at=order.created_at)
    long_ago = order.created_at - timedelta(days=2)
    Cart.objects.update(reminder=True, email="ann@example.org", updated_at=long_ago)
    with told_once() as found:
        current_app.tasks[name].run()
    if name in TASKS:
        assert TASKS[name] in [event.topic for event in found]
