"""From the checkout to the mail and back; and to an erasure, after which nothing is left of it."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.utils import timezone

from shop.actions import accounts, aftersales, carts
from shop.actions.webhooks import endpoints
from shop.models import IdempotencyKey, Order, OutboxEvent, User
from tests.shop.selling import ready
from tests.shop.test_no_token_in_clear import whole_database
from tests.shop.traces import places_of

CHECKOUT = """mutation($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
  order { number } token userErrors { code message } } }"""
BY_TOKEN = """query($number: String!, $token: String!) {
  orderByToken(number: $number, token: $token) { number total { amount } } }"""
PLACE = {
    "name": "Annabel Quux-Zebedee",
    "line1": "1 Aardvark St",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
    "phone": "+49 30 7654321",
}
TRACES = ["annabel", "quux", "zebedee", "aardvark", "10115", "49307654321"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def buy(selling: SimpleNamespace, api: Any) -> Any:
    """`buy(user)`: an order by the API, of two mugs that are sent to her."""

    def send(user: User | None = None) -> dict[str, Any]:
        cart, token = ready(user or AnonymousUser(), (selling.variants[0], 2))
        carts.set_email(cart, "Annabel.Quux@example.org")
        carts.set_addresses(cart, shipping=PLACE, billing=PLACE)
        total = str(carts.priced(cart).price.total / 100)
        wish = {"cart": token} if token else {}
        wish |= {"payment": {"provider": "DEMO"}, "expectedTotal": total, "note": "Ring at Quux"}
        payload = api(CHECKOUT, user, input={**wish, "idempotencyKey": "k"})
        assert "errors" not in payload, payload["errors"]
        assert payload["data"]["checkoutComplete"]["userErrors"] == []
        return payload["data"]["checkoutComplete"]

    return send


def test_the_mail_of_a_guests_order_opens_it(buy: Any, api: Any, settings: Any) -> None:
    settings.STOREFRONT_URL = "https://shop.example.org"
    bought = buy()
    number, token = bought["order"]["number"], bought["token"]
    (sent,) = mail.outbox
    assert sent.to == ["Annabel.Quux@example.org"]
    assert f"https://shop.example.org/orders/{number}?token={token}" in sent.body
    found = api(BY_TOKEN, number=number, token=token)["data"]["orderByToken"]
    assert found["number"] == number
    assert f"Total: {found['total']['amount']} USD" in sent.body
    assert token not in whole_database()


@pytest.mark.parametrize("guest", [False, True])
def test_what_was_bought_by_the_api_is_forgotten_with_the_account(
    guest: bool, buy: Any, api: Any, staff: User
) -> None:
    user = User.objects.create_user("annabel.quux@example.org", "a password of hers")
    document = "query($id: ID!) { node(id: $id) { ... on Order { shippingAddress { name } } } }"
    endpoints.create(
        url="https://hooks.example.net/", topics=["order.confirmed"], query=document, by=staff
    )
    bought = buy(None if guest else user)
    before = places_of(TRACES)
    assert before.keys() == {*TRACES}
    assert {"shop.Order", "shop.Cart", "shop.WebhookDelivery"} <= {*before["zebedee"]}
    assert IdempotencyKey.objects.exists()
    figures = Order.objects.values("total", "tax", "subtotal", "payment_status")
    kept = figures.get()
    secret = {"number": bought["order"]["number"], "token": bought["token"]}
    accounts.erase(User.objects.get(pk=user.pk))
    # Whoever sends it needs the address yet, and she her link to it.
    assert "shop.Order" in places_of(["aardvark"])["aardvark"]
    assert api(BY_TOKEN, **secret)["data"]["orderByToken"]["number"] == secret["number"]
    aftersales.fulfil(Order.objects.get(), by=staff)
    accounts.forget_delivered(timezone.now() + timedelta(days=2))
    assert places_of(TRACES) == {}
    assert figures.get() == kept
    assert api(BY_TOKEN, **secret)["data"] == {"orderByToken": None}
    assert OutboxEvent.objects.filter(topic="order.confirmed").count() == 1
