"""Vouchers and automatic discounts, as carts and orders meet them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop import pricing
from shop.actions import promotions
from shop.actions.promotions import vouchers
from shop.errors import InUse, Invalid
from shop.models import AutomaticDiscount, Redemption, Voucher, VoucherKind
from tests.shop.sold import make_order

pytestmark = pytest.mark.django_db


def voucher(code: str = "WELCOME10", **fields: Any) -> Voucher:
    return Voucher.objects.create(
        code=code, **{"kind": VoucherKind.PERCENT, "value": 1000} | fields
    )


@pytest.mark.parametrize("typed", ["WELCOME10", " welcome10\n", "Welcome10", "ＷＥＬＣＯＭＥ１０"])
def test_a_voucher_is_found_however_its_code_is_typed(typed: str) -> None:
    voucher("ANOTHER")
    row = voucher()
    voucher("OTHER")
    assert promotions.find(typed) == row
    assert promotions.find("WELCOME") is None


def test_what_is_not_active_is_not_found() -> None:
    voucher(is_active=False)
    assert promotions.find("WELCOME10") is None
    assert promotions.find("") is None


def test_an_amount_is_priced_in_its_currency() -> None:
    row = voucher(
        kind=VoucherKind.FIXED,
        value=500,
        minimum_subtotal=2000,
        usage_limit=10,
        customer_limit=1,
        starts_at=timezone.now(),
        ends_at=timezone.now() + timedelta(days=1),
    )
    assert promotions.as_priced(row) == pricing.Voucher(
        code="WELCOME10",
        kind=pricing.VoucherKind.FIXED,
        value=500,
        currency="USD",
        minimum_subtotal=2000,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        usage_limit=10,
        customer_limit=1,
    )


@pytest.mark.parametrize(
    ("kind", "minimum", "currency"),
    [
        (VoucherKind.PERCENT, 0, None),
        (VoucherKind.PERCENT, 1, "USD"),
        (VoucherKind.FREE_SHIPPING, 0, None),
        (VoucherKind.FIXED, 0, "USD"),
    ],
)
def test_what_names_no_amount_holds_in_every_currency(
    kind: VoucherKind, minimum: int, currency: str | None
) -> None:
    priced = promotions.as_priced(voucher(kind=kind, value=0, minimum_subtotal=minimum))
    assert priced.currency == currency
    assert priced.kind.lower() == kind


def test_a_deactivated_voucher_counts_as_over() -> None:
    row = voucher(is_active=False)
    notice = pricing.refusal(
        promotions.as_priced(row),
        pricing.Usage(),
        subtotal=1000,
        currency="USD",
        now=timezone.now(),
    )
    assert notice is pricing.Notice.VOUCHER_EXPIRED


def test_a_voucher_is_redeemed_up_to_its_limit() -> None:
    row, other = voucher(usage_limit=2), voucher("OTHER")
    assert [promotions.redeem(row.pk) for _ in range(3)] == [True, True, False]
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.used, other.used) == (2, 0)


def test_without_a_limit_it_is_redeemed_without_end() -> None:
    row = voucher()
    assert all(promotions.redeem(row.pk) for _ in range(3))


def test_what_is_not_active_or_gone_is_not_redeemed() -> None:
    row = voucher(is_active=False)
    assert not promotions.redeem(row.pk)
    assert not promotions.redeem(987_654_321)
    row.refresh_from_db()
    assert row.used == 0


def test_what_was_given_back_is_redeemed_again() -> None:
    row, other = voucher(usage_limit=1), voucher("OTHER", used=1)
    assert promotions.redeem(row.pk)
    assert promotions.give_back(row.pk)
    other.refresh_from_db()
    assert other.used == 1
    assert promotions.redeem(row.pk)


def test_no_more_is_given_back_than_was_used() -> None:
    row = voucher(usage_limit=1)
    assert not promotions.give_back(row.pk)
    row.refresh_from_db()
    assert row.used == 0


def test_active_discounts_apply_by_themselves() -> None:
    row = AutomaticDiscount.objects.create(
        name="Summer", basis_points=500, minimum_subtotal=10_000, starts_at=timezone.now()
    )
    AutomaticDiscount.objects.create(name="Winter", basis_points=500, is_active=False)
    AutomaticDiscount.objects.create(name="Abroad", basis_points=500, currency="EUR")
    assert promotions.automatic() == (
        pricing.AutomaticDiscount(
            key=row.pk, basis_points=500, minimum_subtotal=10_000, starts_at=row.starts_at
        ),
    )


def test_each_is_one_statement() -> None:
    row = voucher()
    for act in (
        promotions.automatic,
        lambda: promotions.find("welcome10"),
        lambda: promotions.redeem(row.pk),
        lambda: promotions.give_back(row.pk),
    ):
        with CaptureQueriesContext(connection) as captured:
            act()
        assert len(captured) == 1


# --- Vouchers as staff set them up ---------------------------------------------------------------


def test_a_kind_that_no_voucher_has_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        vouchers.create(code="TEN", kind="half", basis_points=1000)
    assert caught.value.field == ("kind",)
    assert not Voucher.objects.exists()


@pytest.mark.parametrize("points", [1, 10_000])
def test_a_percentage_is_from_a_hundredth_of_a_percent_to_all(points: int) -> None:
    assert vouchers.create(code="TEN", kind="percent", basis_points=points).value == points
    for wrong in (0, 10_001):
        with pytest.raises(Invalid) as caught:
            vouchers.create(code="OTHER", kind="percent", basis_points=wrong)
        assert caught.value.field == ("basisPoints",)


def test_only_a_voucher_that_orders_used_stays_when_it_is_deleted() -> None:
    used, unused, other = voucher("USED"), voucher("UNUSED"), voucher("OTHER")
    Redemption.objects.create(voucher=used, order=make_order(), customer_key="ann")
    with pytest.raises(InUse):
        vouchers.delete(used)
    vouchers.delete(unused)
    remaining = Voucher.objects.filter(code__in=["USED", "UNUSED", "OTHER"])
    assert set(remaining) == {used, other}
    assert Voucher.objects.get(pk=other.pk).is_active
