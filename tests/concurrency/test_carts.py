"""Many sign in with one guest's cart at the same moment."""

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from shop.actions import carts
from shop.actions.rows import atomically
from shop.errors import NotFound
from shop.models import Cart, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]


def test_a_guests_cart_becomes_that_of_one_account(at_once: Any) -> None:
    for _ in range(5):
        guest, token = carts.create(AnonymousUser())
        assert token is not None
        accounts = [
            User.objects.create_user(email=f"ann{guest.pk}-{n}@example.org", password=None)
            for n in range(8)
        ]
        merges = [partial(carts.merge, account, token) for account in accounts]
        ends = at_once(*[partial(atomically, merge) for merge in merges])
        taken = [end for end in ends if isinstance(end, Cart)]
        assert [cart.pk for cart in taken] == [guest.pk]
        assert sum(isinstance(end, NotFound) for end in ends) == len(accounts) - 1
        cart = Cart.objects.get(pk=guest.pk)
        assert (cart.user_id, cart.email) == (taken[0].user_id, taken[0].email)
        assert cart.active_key == cart.user_id
