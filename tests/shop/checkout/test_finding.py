"""Which cart a checkout is about."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from shop.actions import carts, checkout
from shop.errors import NotFound
from shop.models import Cart, CartStatus, IdempotencyKey, OrderStatus, User
from tests.shop.sold import make_cart, make_order

pytestmark = pytest.mark.django_db


def answered(user: User, cart: Cart, key: str) -> None:
    """A request of the account that was answered under `key`."""
    IdempotencyKey.objects.create(
        actor=f"user:{user.pk}",
        operation="checkoutComplete",
        key=key,
        request_hash="0" * 64,
        reply={"cart": cart.pk},
        expires_at=timezone.now() + timedelta(days=1),
    )


def ordered(user: User, status: str = OrderStatus.CONFIRMED) -> Cart:
    """A cart of the account that was ordered."""
    cart = make_cart(user=user, status=CartStatus.ORDERED)
    make_order(user=user, cart=cart, status=status)
    return cart


def test_a_token_comes_before_the_cart_of_the_account(customer: User) -> None:
    own, _ = carts.create(customer)
    guest, token = carts.create(AnonymousUser())
    assert checkout.find(customer, token, key=None) == guest
    assert checkout.find(AnonymousUser(), token, key="again") == guest
    assert checkout.find(customer, None, key=None) == own


@pytest.mark.parametrize("key", [None, "again"])
def test_without_token_and_account_there_is_none(key: str | None) -> None:
    with pytest.raises(NotFound):
        checkout.find(AnonymousUser(), None, key=key)


def test_a_repeated_request_finds_the_cart_that_it_ordered(customer: User) -> None:
    first, second = ordered(customer), ordered(customer)
    own, _ = carts.create(customer)
    for key, cart in (("one", first), ("two", second)):
        answered(customer, cart, key)
        assert checkout.find(customer, None, key=key) == cart
    assert checkout.find(customer, None, key="three") == own
    assert checkout.find(customer, None, key=None) == own


def test_a_reply_about_the_cart_of_somebody_else_is_ignored(
    customer: User, other_user: User
) -> None:
    own, _ = carts.create(customer)
    answered(customer, ordered(other_user), "again")
    assert checkout.find(customer, None, key="again") == own


def test_the_active_cart_comes_before_one_whose_order_is_pending(customer: User) -> None:
    with pytest.raises(NotFound):
        checkout.find(customer, None, key=None)
    pending = ordered(customer, OrderStatus.PENDING)
    assert checkout.find(customer, None, key=None) == pending
    own, _ = carts.create(customer)
    assert checkout.find(customer, None, key=None) == own


@pytest.fixture
def other_user(db: None) -> User:
    return User.objects.create_user("bea@example.org", "a password")
