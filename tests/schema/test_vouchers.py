"""Vouchers and automatic discounts through the API."""

from typing import Any

import pytest

from shop.actions import promotions
from shop.actions.promotions import automatic_discounts, vouchers
from shop.models import AutomaticDiscount, Cart, Order, Redemption, Voucher

VOUCHER = """voucher {
  code kind basisPoints amount { amount currency } minimumSubtotal { amount } startsAt endsAt
  usageLimit customerLimit used isActive
}"""
DISCOUNT = """automaticDiscount {
  name basisPoints minimumSubtotal { amount } startsAt endsAt isActive
}"""


@pytest.fixture
def welcome(db: None) -> Voucher:
    return vouchers.create(code="WELCOME10", kind="percent", basis_points=1000)


def test_a_percentage(mutate: Any) -> None:
    payload = mutate(
        "voucherCreate",
        VOUCHER,
        code=" welcome10 ",
        kind="PERCENT",
        basisPoints=1000,
        minimumSubtotal="20",
        startsAt="2026-11-28T01:00:00+01:00",
        endsAt="2026-12-31T19:00:00-05:00",
        usageLimit=100,
        customerLimit=1,
    )
    assert payload == {
        "userErrors": [],
        "voucher": {
            "code": "WELCOME10",
            "kind": "PERCENT",
            "basisPoints": 1000,
            "amount": {"amount": "0.00", "currency": "USD"},
            "minimumSubtotal": {"amount": "20.00"},
            "startsAt": "2026-11-28T00:00:00+00:00",
            "endsAt": "2027-01-01T00:00:00+00:00",
            "usageLimit": 100,
            "customerLimit": 1,
            "used": 0,
            "isActive": True,
        },
    }
    assert promotions.find("Welcome10") == Voucher.objects.get()


def test_an_amount_and_free_shipping(mutate: Any) -> None:
    fixed = mutate("voucherCreate", VOUCHER, code="FIVE", kind="FIXED", amount="5")["voucher"]
    assert (fixed["amount"], fixed["basisPoints"]) == ({"amount": "5.00", "currency": "USD"}, 0)
    free = mutate("voucherCreate", VOUCHER, code="FREE", kind="FREE_SHIPPING")["voucher"]
    assert (free["amount"]["amount"], free["basisPoints"]) == ("0.00", 0)


REFUSED = [
    ({"code": "  "}, ("REQUIRED", ["code"])),
    ({"code": "TWO WORDS"}, ("INVALID", ["code"])),
    ({"code": "TAB\tBED"}, ("INVALID", ["code"])),
    ({"code": "x" * 65}, ("INVALID", ["code"])),
    ({"code": "ﬀ" * 33}, ("INVALID", ["code"])),
    ({"code": "taken"}, ("DUPLICATE_CODE", ["code"])),
    ({"basisPoints": 0}, ("INVALID", ["basisPoints"])),
    ({"basisPoints": 10_001}, ("INVALID", ["basisPoints"])),
    ({"amount": "5"}, ("INVALID", ["amount"])),
    ({"basisPoints": None}, ("REQUIRED", ["basisPoints"])),
    ({"kind": "FIXED", "basisPoints": None}, ("REQUIRED", ["amount"])),
    ({"kind": "FIXED", "basisPoints": None, "amount": "0"}, ("INVALID", ["amount"])),
    ({"kind": "FIXED", "basisPoints": None, "amount": "-1"}, ("INVALID_PRICE", ["amount"])),
    ({"kind": "FIXED", "basisPoints": None, "amount": "0.001"}, ("INVALID_PRICE", ["amount"])),
    ({"kind": "FREE_SHIPPING", "basisPoints": 10}, ("INVALID", ["basisPoints"])),
    ({"minimumSubtotal": "-1"}, ("INVALID_PRICE", ["minimumSubtotal"])),
    ({"usageLimit": 0}, ("INVALID", ["usageLimit"])),
    ({"customerLimit": -1}, ("INVALID", ["customerLimit"])),
    ({"startsAt": "2027-01-01T00:00:00Z", "endsAt": "2027-01-01T00:00:00Z"},
     ("INVALID", ["endsAt"])),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), REFUSED)
def test_vouchers_are_refused(
    given: Any, expected: Any, welcome: Voucher, refuse: Any, gid: Any
) -> None:
    vouchers.create(code="TAKEN", kind="free_shipping")
    full = {"code": "NEW", "kind": "PERCENT", "basisPoints": 1000} | given
    assert refuse("voucherCreate", **full) == expected
    assert refuse("voucherUpdate", id=gid(welcome), **given) == expected


@pytest.mark.parametrize("field", ["startsAt", "endsAt"])
@pytest.mark.parametrize("mutation", ["voucherCreate", "automaticDiscountCreate"])
def test_a_day_is_no_time(mutation: str, field: str, api: Any, staff: Any) -> None:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
    document = (
        f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
    )
    given = {"code": "NEW", "kind": "FREE_SHIPPING"}
    if mutation == "automaticDiscountCreate":
        given = {"name": "New", "basisPoints": 1}
    (error,) = api(document, staff, input={**given, field: "2026-12-01"})["errors"]
    assert "Send a date and a time with an offset" in error["message"]
    assert (Voucher.objects.count(), AutomaticDiscount.objects.count()) == (0, 0)


def test_a_voucher_changes(welcome: Voucher, mutate: Any, gid: Any) -> None:
    def update(**values: Any) -> Any:
        return mutate("voucherUpdate", VOUCHER, id=gid(welcome), **values)["voucher"]

    before = update()
    assert update(code="welcome10", isActive=False) == before | {"isActive": False}
    assert update(usageLimit=5, customerLimit=2, endsAt="2027-01-01T00:00:00Z") == before | {
        "isActive": False,
        "usageLimit": 5,
        "customerLimit": 2,
        "endsAt": "2027-01-01T00:00:00+00:00",
    }
    assert update(usageLimit=None, customerLimit=None, endsAt=None, isActive=True) == before
    assert update(minimumSubtotal="20")["minimumSubtotal"]["amount"] == "20.00"
    assert update(minimumSubtotal=None) == before
    changed = update(kind="FIXED", amount="2.50")
    assert (changed["basisPoints"], changed["amount"]["amount"]) == (0, "2.50")
    assert update(kind="FREE_SHIPPING")["amount"]["amount"] == "0.00"
    welcome.refresh_from_db()
    assert welcome.value == 0


def test_a_limit_is_not_below_what_was_used(welcome: Voucher, refuse: Any, gid: Any) -> None:
    promotions.redeem(welcome.pk)
    promotions.redeem(welcome.pk)
    given = {"id": gid(welcome), "usageLimit": 1}
    assert refuse("voucherUpdate", **given) == ("INVALID", ["usageLimit"])
    vouchers.update(welcome, usage_limit=2)
    assert not promotions.redeem(welcome.pk)


def test_what_orders_use_meanwhile_is_not_overwritten(welcome: Voucher) -> None:
    stale = Voucher.objects.get()
    promotions.redeem(welcome.pk)
    assert vouchers.update(stale, usage_limit=9).used == 1
    welcome.refresh_from_db()
    assert (welcome.used, welcome.usage_limit) == (1, 9)


def test_amounts_of_a_former_currency_are_not_mixed(
    welcome: Voucher, refuse: Any, gid: Any
) -> None:
    Voucher.objects.update(currency="EUR")
    given = {"id": gid(welcome), "minimumSubtotal": "7"}
    assert refuse("voucherUpdate", **given) == ("CURRENCY_MISMATCH", [])


def test_an_unused_voucher_is_deleted(welcome: Voucher, mutate: Any, gid: Any) -> None:
    cart = Cart.objects.create(digest="x", voucher=welcome)
    given = gid(welcome)
    assert mutate("voucherDelete", "deletedId", id=given)["deletedId"] == given
    cart.refresh_from_db()
    assert cart.voucher is None
    assert not Voucher.objects.exists()


def order_with(voucher: Voucher) -> Order:
    amounts = dict.fromkeys("subtotal discount shipping tax total".split(), 0)
    order = Order.objects.create(
        number="A-1",
        digest="x",
        email="ann@example.org",
        email_key="ann@example.org",
        currency="USD",
        tax_included=True,
        shipping_address={},
        **amounts,
    )
    Redemption.objects.create(voucher=voucher, order=order, customer_key="ann@example.org")
    return order


def test_a_voucher_that_orders_used_stays(welcome: Voucher, refuse: Any, gid: Any) -> None:
    promotions.redeem(welcome.pk)
    assert refuse("voucherDelete", id=gid(welcome)) == ("IN_USE", [])
    # Not even when it was given back.
    order_with(welcome)
    promotions.give_back(welcome.pk)
    assert refuse("voucherDelete", id=gid(welcome)) == ("IN_USE", [])


def test_staff_find_vouchers(welcome: Voucher, api: Any, staff: Any) -> None:
    vouchers.create(code="WELCOME5", kind="fixed", amount=500, is_active=False)
    vouchers.create(code="FREE", kind="free_shipping")
    document = """query($filter: VoucherFilter) {
      vouchers(filter: $filter, orderBy: {field: CODE}) { totalCount edges { node { code } } }
    }"""

    def found(**conditions: Any) -> list[str]:
        answer = api(document, staff, filter=conditions)["data"]["vouchers"]["edges"]
        return [edge["node"]["code"] for edge in answer]

    assert found() == ["FREE", "WELCOME10", "WELCOME5"]
    assert found(code="wel", isActive=True) == ["WELCOME10"]
    assert found(kind={"in": ["FIXED", "FREE_SHIPPING"]}) == ["FREE", "WELCOME5"]


# --- Automatic discounts ------------------------------------------------------------------------


def test_an_automatic_discount(mutate: Any) -> None:
    payload = mutate(
        "automaticDiscountCreate",
        DISCOUNT,
        name=" Summer  sale ",
        basisPoints=500,
        minimumSubtotal="100",
        endsAt="2027-01-01T00:00:00Z",
    )
    assert payload["automaticDiscount"] == {
        "name": "Summer sale",
        "basisPoints": 500,
        "minimumSubtotal": {"amount": "100.00"},
        "startsAt": None,
        "endsAt": "2027-01-01T00:00:00+00:00",
        "isActive": True,
    }
    (applied,) = promotions.automatic()
    assert (applied.basis_points, applied.minimum_subtotal) == (500, 10_000)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": ""}, ("REQUIRED", ["name"])),
        ({"name": "x" * 201}, ("INVALID", ["name"])),
        ({"basisPoints": 0}, ("INVALID", ["basisPoints"])),
        ({"basisPoints": 10_001}, ("INVALID", ["basisPoints"])),
        ({"minimumSubtotal": "-1"}, ("INVALID_PRICE", ["minimumSubtotal"])),
        ({"startsAt": "2027-01-02T00:00:00Z", "endsAt": "2027-01-01T00:00:00Z"},
         ("INVALID", ["endsAt"])),
    ],
)  # fmt: skip
def test_automatic_discounts_are_refused(
    given: Any, expected: Any, refuse: Any, gid: Any, db: None
) -> None:
    full = {"name": "Summer", "basisPoints": 500} | given
    assert refuse("automaticDiscountCreate", **full) == expected
    stored = automatic_discounts.create(name="Winter", basis_points=500)
    assert refuse("automaticDiscountUpdate", id=gid(stored), **given) == expected


def test_an_automatic_discount_changes_and_goes(mutate: Any, gid: Any, db: None) -> None:
    row = automatic_discounts.create(name="Winter", basis_points=500)

    def update(**values: Any) -> Any:
        return mutate("automaticDiscountUpdate", DISCOUNT, id=gid(row), **values)

    update(minimumSubtotal="20")
    before = update(minimumSubtotal=None)
    refused = update(name=None, basisPoints=None, isActive=None)["userErrors"]
    assert [(one["code"], one["field"]) for one in refused] == [
        ("REQUIRED", ["isActive"]),
        ("REQUIRED", ["name"]),
        ("REQUIRED", ["basisPoints"]),
    ]
    assert before["automaticDiscount"]["name"] == "Winter"
    assert update(isActive=False)["automaticDiscount"]["isActive"] is False
    assert promotions.automatic() == ()
    assert update(isActive=True) == before
    given = gid(row)
    assert mutate("automaticDiscountDelete", "deletedId", id=given)["deletedId"] == given
    assert not AutomaticDiscount.objects.exists()


def test_staff_find_automatic_discounts(api: Any, staff: Any) -> None:
    automatic_discounts.create(name="Winter", basis_points=500, is_active=False)
    automatic_discounts.create(name="Summer", basis_points=500)
    document = """{ automaticDiscounts(filter: {isActive: true}) { edges { node { name } } } }"""
    edges = api(document, staff)["data"]["automaticDiscounts"]["edges"]
    assert [edge["node"]["name"] for edge in edges] == ["Summer"]
