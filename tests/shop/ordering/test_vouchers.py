"""Which orders have used a voucher, and how often it may be used."""

from typing import Any

import pytest
from django.db import transaction

from shop.actions import orders, promotions
from shop.actions.orders import vouchers
from shop.errors import InvalidVoucher
from shop.models import Order, Redemption, Voucher, VoucherKind
from tests.shop.sold import make_order

pytestmark = pytest.mark.django_db


def voucher(code: str = "TEA5", **fields: Any) -> Voucher:
    return Voucher.objects.create(code=code, **{"kind": VoucherKind.PERCENT, "value": 500} | fields)


def used(row: Voucher) -> int:
    return Voucher.objects.values_list("used", flat=True).get(pk=row.pk)


def redeemed(row: Voucher) -> list[str]:
    """The e-mail addresses of the orders that have used it."""
    rows = Redemption.objects.filter(voucher=row.pk).order_by("pk")
    return list(rows.values_list("order__email", flat=True))


def refused(order: Order, row: Voucher) -> str:
    """The message of the error, when the order may not use the voucher."""
    with pytest.raises(InvalidVoucher) as caught, transaction.atomic():
        orders.redeem(order, row)
    assert caught.value.field == ("cart",)
    return caught.value.message


def test_a_voucher_that_is_used_up_is_refused() -> None:
    row = voucher(usage_limit=2)
    orders.redeem(make_order("ann@example.org"), row)
    orders.redeem(make_order("bea@example.org"), row)
    assert refused(make_order("cleo@example.org"), row) == "The voucher is used up."
    assert (used(row), redeemed(row)) == (2, ["ann@example.org", "bea@example.org"])


def test_a_customer_uses_a_voucher_as_often_as_it_allows() -> None:
    row = voucher(customer_limit=2)
    for _ in range(2):
        orders.redeem(make_order("ann@example.org"), row)
    message = refused(make_order("Ann@Example.org"), row)
    assert message == "You have used this voucher already."
    orders.redeem(make_order("bea@example.org"), row)
    assert (used(row), redeemed(row)) == (3, ["ann@example.org"] * 2 + ["bea@example.org"])


def test_a_use_is_given_back_once_and_for_one_order() -> None:
    first, second = voucher("FIRST"), voucher("SECOND")
    order, other = make_order(), make_order("bea@example.org")
    for row in (first, second):
        orders.redeem(order, row)
        orders.redeem(other, row)
    for _ in range(2):
        orders.give_back_voucher(order)
        assert [used(first), used(second)] == [1, 1]
        assert redeemed(first) == redeemed(second) == ["bea@example.org"]


def test_a_use_that_another_process_gave_back_is_not_given_back_again(monkeypatch: Any) -> None:
    first, second, order = voucher("FIRST"), voucher("SECOND"), make_order()
    orders.redeem(order, first)
    orders.redeem(order, second)
    given: list[int] = []

    def give_back(key: int) -> None:
        given.append(key)
        # Another process deletes the next row after both were read.
        Redemption.objects.filter(order=order.pk).delete()

    monkeypatch.setattr(promotions, "give_back", give_back)
    orders.give_back_voucher(order)
    assert len(given) == 1


@pytest.mark.parametrize(
    ("fields", "uses"),
    [
        ({}, 1),
        ({"usage_limit": 1}, 1),
        ({"usage_limit": 1, "used": 1}, 1),
        ({"is_active": False}, 0),
    ],
)
def test_a_revived_order_uses_its_voucher_again_as_far_as_it_goes(
    fields: dict[str, Any], uses: int
) -> None:
    row, other = voucher(**fields), voucher("OTHER")
    codes = ["", "TEA5", "UNKNOWN"]
    order = make_order(discounts=[{"name": "x", "code": code, "amount": 1} for code in codes])
    vouchers.redeem_again(order)
    assert (used(row), used(other)) == (uses, 0)
    expected = [] if "used" in fields or not uses else ["ann@example.org"]
    assert redeemed(row) == expected
    assert set(Redemption.objects.values_list("customer_key", flat=True)) == set(expected)
