"""Many redeem, change and delete the same voucher at once; two take the same country or code."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from shop.actions import orders, promotions
from shop.actions.promotions import vouchers
from shop.actions.shipping import shipping_zones, tax_rates
from shop.errors import DuplicateTaxRate, InUse, Invalid, InvalidVoucher, NotFound
from shop.models import Order, Redemption, ShippingZone, TaxRate, User, Voucher, ZoneCountry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shared_database")]


def redeeming(voucher: Voucher, *, times: int = 1) -> Callable[[], int]:
    """A till: how many of its orders got the voucher, each in a transaction of its own."""

    def redeem() -> int:
        got = 0
        for _ in range(times):
            with transaction.atomic():
                got += promotions.redeem(voucher.pk)
        return got

    return redeem


def test_ten_uses_are_ten_for_two_hundred_orders(at_once: Any) -> None:
    voucher = vouchers.create(code="TEN", kind="percent", basis_points=1000, usage_limit=10)
    assert sum(at_once(*[redeeming(voucher, times=5)] * 40)) == 10
    voucher.refresh_from_db()
    assert voucher.used == 10


def test_what_is_given_back_is_counted_once(at_once: Any) -> None:
    voucher = vouchers.create(code="TEN", kind="percent", basis_points=1000, usage_limit=10)
    Voucher.objects.update(used=10)
    given = at_once(*[lambda: promotions.give_back(voucher.pk)] * 16)
    assert sum(given) == 10
    voucher.refresh_from_db()
    assert voucher.used == 0


def test_orders_of_one_customer_are_counted_one_after_another(at_once: Any) -> None:
    """After `redeem` the row is locked: who counts then sees those that came before."""
    voucher = vouchers.create(code="ONCE", kind="free_shipping", customer_limit=1)
    amounts = dict.fromkeys("subtotal discount shipping tax total".split(), 0)
    orders = [
        Order.objects.create(
            number=f"A-{n}",
            digest=str(n),
            email="a@x.org",
            email_key="a@x.org",
            **{"currency": "USD", "tax_included": True, "shipping_address": {}, **amounts},
        )
        for n in range(16)
    ]

    def use(order: Order) -> Callable[[], bool]:
        @transaction.atomic
        def run() -> bool:
            promotions.redeem(voucher.pk)
            mine = Redemption.objects.filter(voucher=voucher, customer_key=order.email_key)
            if mine.exists():
                transaction.set_rollback(True)
                return False
            Redemption.objects.create(voucher=voucher, order=order, customer_key=order.email_key)
            return True

        return run

    assert sorted(at_once(*map(use, orders))) == [False] * 15 + [True]
    voucher.refresh_from_db()
    assert (voucher.used, Redemption.objects.count()) == (1, 1)


def test_an_account_that_orders_at_once_under_many_addresses_has_its_limit(at_once: Any) -> None:
    voucher = vouchers.create(code="ONCE", kind="free_shipping", customer_limit=1)
    ann = User.objects.create_user("ann@example.org")
    amounts = dict.fromkeys("subtotal discount shipping tax total".split(), 0)
    placed = [
        Order.objects.create(
            number=f"A-{n}",
            digest=str(n),
            # Every fourth one is a guest's, with the address of the account.
            user=ann if n % 4 else None,
            email=f"a{n}@x.org" if n % 4 else ann.email,
            email_key=f"a{n}@x.org" if n % 4 else ann.email_key,
            **{"currency": "USD", "tax_included": True, "shipping_address": {}, **amounts},
        )
        for n in range(16)
    ]

    def use(order: Order) -> Callable[[], None]:
        @transaction.atomic
        def run() -> None:
            orders.redeem(order, voucher)

        return run

    results = at_once(*map(use, placed))
    assert [result for result in results if not isinstance(result, InvalidVoucher)] == [None]
    voucher.refresh_from_db()
    assert (voucher.used, Redemption.objects.count()) == (1, 1)


@pytest.mark.parametrize("attempt", range(3))
def test_a_limit_never_falls_below_what_is_used(attempt: int, at_once: Any) -> None:
    voucher = vouchers.create(code="TEN", kind="percent", basis_points=1000, usage_limit=10)
    results = at_once(
        *[redeeming(voucher)] * 8,
        lambda: vouchers.update(voucher, usage_limit=3),
        *[redeeming(voucher)] * 8,
    )
    voucher.refresh_from_db()
    sold = sum(result for result in results if isinstance(result, int))
    assert voucher.used == sold
    refused = isinstance(results[8], Invalid)
    assert (voucher.usage_limit, sold) == ((10, 10) if refused else (3, 3))


@pytest.mark.parametrize("attempt", range(3))
def test_a_voucher_is_deleted_or_used(attempt: int, at_once: Any) -> None:
    voucher = vouchers.create(code="TEN", kind="percent", basis_points=1000)
    sold, gone, again = at_once(
        redeeming(voucher),
        lambda: vouchers.delete(voucher),
        lambda: vouchers.delete(Voucher(pk=voucher.pk)),
    )
    rows = list(Voucher.objects.values_list("used", "is_active"))
    if sold:
        assert rows == [(1, True)]
        assert (type(gone), type(again)) == (InUse, InUse)
    else:
        assert rows == []
        assert {type(gone), type(again)} == {type(None), NotFound}


@pytest.mark.parametrize("attempt", range(3))
def test_a_country_is_taken_by_one_zone(attempt: int, at_once: Any) -> None:
    def taking(name: str) -> Callable[[], ShippingZone]:
        return lambda: shipping_zones.create(name=name, countries=["CA", "US"])

    results = at_once(*[taking(name) for name in "abcd"])
    made = [result for result in results if isinstance(result, ShippingZone)]
    assert len(made) == 1
    others = [result for result in results if result not in made]
    # By the check, or by the key that is behind it; mutations then check again.
    assert all(isinstance(one, (Invalid, IntegrityError)) for one in others)
    assert ShippingZone.objects.get() == made[0]
    assert ZoneCountry.objects.count() == 2


def test_a_mutation_says_what_is_taken(at_once: Any, send: Any, staff: Any) -> None:
    document = """mutation($code: String!) {
      voucherCreate(input: {code: $code, kind: FREE_SHIPPING}) {
        userErrors { code }
      }
    }"""
    answers = at_once(*[lambda: send(document, staff, code="free")] * 6)
    codes = [
        tuple(error["code"] for error in answer["data"]["voucherCreate"]["userErrors"])
        for answer in answers
    ]
    assert sorted(codes) == [()] + [("DUPLICATE_CODE",)] * 5
    assert Voucher.objects.count() == 1


def test_a_tax_rate_is_made_once(at_once: Any) -> None:
    results = at_once(*[lambda: tax_rates.create(country="DE", basis_points=1900)] * 6)
    assert TaxRate.objects.count() == 1
    refused = [result for result in results if not isinstance(result, TaxRate)]
    assert all(isinstance(one, (DuplicateTaxRate, IntegrityError)) for one in refused)
    assert len(refused) == 5
