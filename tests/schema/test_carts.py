"""Carts over the API: what is in them, what they cost, whose they are."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphql_relay import to_global_id

from shop.actions import carts
from shop.actions.catalog import products, variants
from shop.errors import CartClosed
from shop.models import Cart, CartLine, CartStatus, ShippingRate, ShippingZone, Stock, User
from tests.shop.selling import BERLIN_INPUT, ready, voucher

ERRORS = "userErrors { code message field }"
CART = """cart { id version status email quantity
  lines { edges { node { id name quantity variant { sku } unitPrice { amount } subtotal { amount }
    discount { amount } tax { amount } total { amount } } } }
  subtotal { amount currency } discount { amount } shipping { amount } tax { amount }
  total { amount } taxIncluded voucherCode discounts { code amount { amount } }
  shippingAddress { city formatted } billingAddress { city }
  shippingOffers { rateId name price { amount } isChosen } notices { code message lineId } }"""


@pytest.fixture
def call(api: Any) -> Any:
    """`call("cartLinesAdd", user, cart=token, lines=[...])`: the payload."""

    def send(mutation: str, user: User | None = None, more: str = "", /, **values: Any) -> Any:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        document = (
            f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {CART} {more} {ERRORS} }} }}"
        )
        answer = api(document, user, input=values)
        assert "errors" not in answer, answer["errors"]
        return answer["data"][mutation]

    return send


@pytest.fixture
def basket(selling: SimpleNamespace, call: Any, gid: Any) -> SimpleNamespace:
    """A guest's cart with two mugs at 1.00 and one at 2.01 dollars."""
    small, medium = selling.variants[0], selling.variants[5]
    lines = [{"variant": gid(small), "quantity": 2}, {"variant": gid(medium), "quantity": 1}]
    payload = call("cartCreate", None, "token", lines=lines)
    return SimpleNamespace(
        token=payload["token"], cart=payload["cart"], small=small, medium=medium, shop=selling
    )


def amounts(cart: dict[str, Any]) -> dict[str, str]:
    names = ("subtotal", "discount", "shipping", "tax", "total")
    return {name: cart[name]["amount"] for name in names}


def lines_of(cart: dict[str, Any]) -> dict[str, int]:
    nodes = [edge["node"] for edge in cart["lines"]["edges"]]
    return {node["variant"]["sku"]: node["quantity"] for node in nodes}


def line_ids(cart: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in cart["lines"]["edges"]]


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def test_a_new_cart_is_priced_at_once(basket: SimpleNamespace) -> None:
    assert lines_of(basket.cart) == {"MUG-1-S": 2, "MUG-2-M": 1}
    assert basket.cart["quantity"] == 3
    # There is no tax rate of the shop's own country, and no address yet.
    assert amounts(basket.cart) == {
        "subtotal": "4.01", "discount": "0.00", "shipping": "0.00", "tax": "0.00", "total": "4.01",
    }  # fmt: skip
    assert basket.cart["shippingOffers"] == []
    assert basket.cart["notices"] == []


def test_the_address_brings_shipping_and_tax(basket: SimpleNamespace, call: Any) -> None:
    payload = call("cartAddressesSet", cart=basket.token, shippingAddress=BERLIN_INPUT)
    assert payload["userErrors"] == []
    cart = payload["cart"]
    assert amounts(cart) == {
        "subtotal": "4.01", "discount": "0.00", "shipping": "5.00", "tax": "1.80", "total": "10.81",
    }  # fmt: skip
    assert cart["shippingAddress"]["city"] == "Berlin"
    assert cart["shippingAddress"]["formatted"][-1] == "GERMANY"
    assert cart["billingAddress"] is None
    offers = [(o["name"], o["price"]["amount"], o["isChosen"]) for o in cart["shippingOffers"]]
    assert offers == [("Standard", "5.00", True), ("Express", "12.00", False)]


def test_a_cart_tells_its_tax_by_rate(basket: SimpleNamespace, call: Any, api: Any) -> None:
    call("cartAddressesSet", cart=basket.token, shippingAddress=BERLIN_INPUT)
    document = """query($token: String) { cart(token: $token) {
      taxLines { taxRate net { amount } tax { amount } total { amount } } } }"""
    assert api(document, token=basket.token)["data"]["cart"]["taxLines"] == [
        {
            "taxRate": 2000,
            "net": {"amount": "9.01"},
            "tax": {"amount": "1.80"},
            "total": {"amount": "10.81"},
        }
    ]


def test_shipping_is_chosen_among_what_is_offered(
    basket: SimpleNamespace, call: Any, unknown: Any, gid: Any
) -> None:
    call("cartAddressesSet", cart=basket.token, shippingAddress=BERLIN_INPUT)
    chosen = call("cartShippingSet", cart=basket.token, shippingRate=gid(basket.shop.express))
    assert chosen["cart"]["shipping"]["amount"] == "12.00"
    refused = call("cartShippingSet", cart=basket.token, shippingRate=unknown("ShippingRate"))
    assert codes(refused) == [("NOT_FOUND", ["shippingRate"])]
    zone = ShippingZone.objects.create(name="Nowhere")
    elsewhere = ShippingRate.objects.create(zone=zone, name="By mule", price=1)
    refused = call("cartShippingSet", cart=basket.token, shippingRate=gid(elsewhere))
    assert codes(refused) == [("SHIPPING_NOT_OFFERED", ["shippingRate"])]
    cheapest = call("cartShippingSet", cart=basket.token, shippingRate=None)
    assert cheapest["cart"]["shipping"]["amount"] == "5.00"


def test_an_address_nobody_ships_to_is_told(basket: SimpleNamespace, call: Any) -> None:
    france = {**BERLIN_INPUT, "city": "Paris", "postalCode": "75001", "country": "FR"}
    cart = call("cartAddressesSet", cart=basket.token, shippingAddress=france)["cart"]
    assert [notice["code"] for notice in cart["notices"]] == ["SHIPPING_NOT_OFFERED"]
    assert cart["shippingOffers"] == []


def test_a_wallet_address_is_normalized_and_shown_as_stored(
    basket: SimpleNamespace, call: Any
) -> None:
    wallet = {
        **BERLIN_INPUT,
        "line1": "１-2-3",
        "district": "丸の内",
        "city": "千代田区",
        "region": "JP-13",
        "postalCode": "１００－０００５",
        "country": "jp",
        "phone": "+81 3 1234 5678 x5",
    }
    payload = call("cartAddressesSet", cart=basket.token, shippingAddress=wallet)
    assert payload["userErrors"] == []
    stored = Cart.objects.get().shipping_address
    assert {name: stored[name] for name in ("line1", "district", "city", "region")} == {
        "line1": "千代田区丸の内1-2-3",
        "district": "",
        "city": "",
        "region": "東京都",
    }
    assert (stored["postal_code"], stored["phone"]) == ("100-0005", "+81312345678;ext=5")
    assert payload["cart"]["shippingAddress"]["city"] == ""
    assert payload["cart"]["shippingAddress"]["formatted"][:3] == [
        "〒100-0005",
        "東京都",
        "千代田区丸の内1-2-3",
    ]


def test_addresses_are_checked_at_their_fields(
    basket: SimpleNamespace, call: Any, dump: Any
) -> None:
    before = dump()
    wrong = {**BERLIN_INPUT, "postalCode": "1", "city": ""}
    payload = call("cartAddressesSet", cart=basket.token, shippingAddress=wrong)
    assert (
        codes(payload)
        == [
            ("REQUIRED", ["shippingAddress", "city"]),
        ]
        or codes(payload)[0][1][0] == "shippingAddress"
    )
    assert payload["cart"] is None
    none = call("cartAddressesSet", cart=basket.token)
    assert codes(none) == [("REQUIRED", ["shippingAddress"])]
    assert dump() == before


def test_adding_adds_to_what_is_there(basket: SimpleNamespace, call: Any, gid: Any) -> None:
    line = {"variant": gid(basket.small), "quantity": 3}
    cart = call("cartLinesAdd", cart=basket.token, lines=[line, line])["cart"]
    assert lines_of(cart) == {"MUG-1-S": 8, "MUG-2-M": 1}
    assert cart["version"] == basket.cart["version"] + 1


def test_quantities_are_set_and_lines_taken_out(basket: SimpleNamespace, call: Any) -> None:
    first, second = line_ids(basket.cart)
    cart = call(
        "cartLinesUpdate",
        cart=basket.token,
        lines=[{"line": first, "quantity": 5}, {"line": second, "quantity": 0}],
    )["cart"]
    assert lines_of(cart) == {"MUG-1-S": 5}
    cart = call("cartLinesRemove", cart=basket.token, lines=[first])["cart"]
    assert lines_of(cart) == {}
    assert cart["total"]["amount"] == "0.00"


@pytest.mark.parametrize(
    ("quantity", "code"),
    [(0, "INVALID_QUANTITY"), (-1, "INVALID_QUANTITY"), (10_000, "INVALID_QUANTITY"),
     (2**31 - 1, "INVALID_QUANTITY"), (11, "OUT_OF_STOCK"), (9, "OUT_OF_STOCK")],
)  # fmt: skip
def test_quantities_that_cannot_be_had(
    quantity: int, code: str, basket: SimpleNamespace, call: Any, gid: Any, dump: Any
) -> None:
    before = dump()
    line = {"variant": gid(basket.small), "quantity": quantity}
    payload = call("cartLinesAdd", cart=basket.token, lines=[line])
    assert codes(payload) == [(code, ["lines", "0", "quantity"])]
    assert dump() == before


def test_negative_quantities_of_lines_change_nothing(
    basket: SimpleNamespace, call: Any, dump: Any
) -> None:
    before = dump()
    lines = [{"line": line_ids(basket.cart)[0], "quantity": -1}]
    payload = call("cartLinesUpdate", cart=basket.token, lines=lines)
    assert codes(payload) == [("INVALID_QUANTITY", ["lines", "0", "quantity"])]
    assert dump() == before


def test_what_is_not_sold_cannot_be_put_in(
    basket: SimpleNamespace, call: Any, gid: Any, unknown: Any
) -> None:
    hidden = basket.shop.products[2]
    products.update(hidden, status="draft")
    free = variants.create(basket.shop.products[0], sku="FREE", options=[])
    for variant, code, field in (
        (gid(hidden.variants.first()), "NOT_FOUND", ["lines", "0", "variant"]),
        (unknown("Variant"), "NOT_FOUND", ["lines", "0", "variant"]),
        (gid(free), "NOT_PURCHASABLE", ["lines", "0", "variant"]),
    ):
        lines = [{"variant": variant, "quantity": 1}]
        assert codes(call("cartLinesAdd", cart=basket.token, lines=lines)) == [(code, field)]


def test_variants_in_another_currency_are_refused(
    basket: SimpleNamespace, call: Any, gid: Any
) -> None:
    Cart.objects.update(currency="EUR")
    payload = call(
        "cartLinesAdd", cart=basket.token, lines=[{"variant": gid(basket.small), "quantity": 1}]
    )
    assert codes(payload) == [("CURRENCY_MISMATCH", ["lines", "0", "variant"])]


def test_backorders_are_not_bounded_by_stock(basket: SimpleNamespace, call: Any, gid: Any) -> None:
    Stock.objects.filter(variant=basket.small).update(backorder=True)
    line = {"variant": gid(basket.small), "quantity": 500}
    cart = call("cartLinesAdd", cart=basket.token, lines=[line])["cart"]
    assert lines_of(cart)["MUG-1-S"] == 502


def test_a_cart_beyond_what_can_be_paid_says_so_and_can_be_emptied(
    basket: SimpleNamespace, call: Any, api: Any, gid: Any
) -> None:
    mug = basket.shop.variants[0]
    variants.update(mug, price=10**15)
    line = CartLine.objects.get(variant=mug)
    assert line.quantity > 1
    shown = "query($token: String!) { cart(token: $token) { id total { amount } } }"
    answer = api(shown, token=basket.token)
    assert answer["data"] == {"cart": None}
    (error,) = answer["errors"]
    assert error["message"] == "It comes to more than can be paid at once."
    assert error["extensions"]["code"] == "AMOUNT_TOO_LARGE"
    lines = (
        "query($token: String!) { cart(token: $token) { lines { edges { node { id name } } } } }"
    )
    edges = api(lines, token=basket.token)["data"]["cart"]["lines"]["edges"]
    assert {"node": {"id": gid(line), "name": "Mug 1 (S)"}} in edges
    assert call("cartLinesRemove", cart=basket.token, lines=[gid(line)])["userErrors"] == []
    assert "errors" not in api(shown, token=basket.token)


def test_a_new_price_counts_at_once_and_is_told_until_it_is_seen(
    basket: SimpleNamespace, call: Any, api: Any
) -> None:
    variants.reprice(basket.small, price=150)
    document = f"query($token: String) {{ {CART.replace('cart', 'cart(token: $token)', 1)} }}"
    cart = api(document, token=basket.token)["data"]["cart"]
    assert cart["subtotal"]["amount"] == "5.01"
    (notice,) = cart["notices"]
    assert notice == {
        "code": "PRICE_CHANGED",
        "message": "The price of Mug 1 (S) has changed.",
        "lineId": line_ids(cart)[0],
    }
    assert call("cartNoticesDismiss", cart=basket.token)["cart"]["notices"] == []


def test_what_is_sold_no_more_costs_nothing_and_is_told(basket: SimpleNamespace, api: Any) -> None:
    products.update(basket.shop.products[1], status="draft")
    Stock.objects.filter(variant=basket.small).update(on_hand=1)
    document = """query($token: String) { cart(token: $token) { total { amount }
      lines { edges { node { name variant { sku } total { amount } } } } notices { code } } }"""
    cart = api(document, token=basket.token)["data"]["cart"]
    assert cart["total"]["amount"] == "2.00"
    gone = cart["lines"]["edges"][1]["node"]
    assert gone == {"name": "Mug 2 (M)", "variant": None, "total": {"amount": "0.00"}}
    assert [notice["code"] for notice in cart["notices"]] == ["OUT_OF_STOCK", "NOT_PURCHASABLE"]


def test_a_voucher_takes_off(basket: SimpleNamespace, call: Any) -> None:
    voucher("TENOFF")
    cart = call("cartVoucherApply", cart=basket.token, code=" tenoff ")["cart"]
    assert cart["voucherCode"] == "TENOFF"
    assert (cart["discount"]["amount"], cart["total"]["amount"]) == ("0.40", "3.61")
    assert cart["discounts"] == [{"code": "TENOFF", "amount": {"amount": "0.40"}}]
    cart = call("cartVoucherRemove", cart=basket.token)["cart"]
    assert (cart["voucherCode"], cart["total"]["amount"]) == (None, "4.01")


@pytest.mark.parametrize(
    "code", ["\u200bgro\u00df-10", "GRO\u1e9e\u201110\u202c", "\ufeffGross-10"]
)
def test_a_pasted_voucher_code_is_found(
    code: str, basket: SimpleNamespace, call: Any, api: Any, staff: User
) -> None:
    voucher("GROSS-10")
    assert call("cartVoucherApply", cart=basket.token, code=code)["cart"]["voucherCode"] == (
        "GROSS-10"
    )
    document = "query($code: String) { vouchers(filter: {code: $code}) { totalCount } }"
    assert api(document, staff, code=code)["data"]["vouchers"]["totalCount"] == 1


def test_a_voucher_that_does_not_hold_is_refused(
    basket: SimpleNamespace, call: Any, dump: Any
) -> None:
    voucher("OVER", ends_at="2020-01-01T00:00:00Z")
    voucher("OFF", is_active=False)
    before = dump()
    for code in ("OVER", "OFF", "NEVER", ""):
        assert codes(call("cartVoucherApply", cart=basket.token, code=code)) == [
            ("INVALID_VOUCHER", ["code"])
        ]
    assert dump() == before


def test_a_voucher_that_asks_for_more_stays_and_is_told(basket: SimpleNamespace, call: Any) -> None:
    voucher("BIG", minimum_subtotal=10_000)
    cart = call("cartVoucherApply", cart=basket.token, code="BIG")["cart"]
    assert cart["voucherCode"] == "BIG"
    assert cart["discount"]["amount"] == "0.00"
    assert [notice["code"] for notice in cart["notices"]] == ["VOUCHER_BELOW_MINIMUM"]


def test_guesses_at_vouchers_are_throttled_and_a_batch_counts_each(
    basket: SimpleNamespace, api: Any
) -> None:
    parts = [
        f'v{n}: cartVoucherApply(input: {{cart: "{basket.token}", code: "X{n}"}}) '
        "{ userErrors { code } }"
        for n in range(8)
    ]
    seen = []
    for _ in range(5):
        answer = api(f"mutation {{ {' '.join(parts)} }}")
        seen += [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert seen == ["RATE_LIMITED"] * 10
    # A right one does not tell itself from a wrong one.
    voucher("TENOFF")
    right = f'mutation {{ cartVoucherApply(input: {{cart: "{basket.token}", code: "TENOFF"}}) '
    (error,) = api(f"{right} {{ userErrors {{ code }} }} }}")["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"


def test_only_codes_of_no_voucher_count_as_guesses(
    basket: SimpleNamespace, api: Any, settings: Any
) -> None:
    settings.VOUCHER_WRONG_CODES_PER_MINUTE = 2
    voucher("TENOFF")
    voucher("OVER", ends_at="2020-01-01T00:00:00Z")

    def apply(code: str, version: int | None = None) -> str:
        document = """mutation($cart: String, $code: String!, $version: Int) {
          cartVoucherApply(input: {cart: $cart, code: $code, version: $version}) {
            userErrors { code } } }"""
        answer = api(document, cart=basket.token, code=code, version=version)
        if "errors" in answer:
            return answer["errors"][0]["extensions"]["code"]
        errors = answer["data"]["cartVoucherApply"]["userErrors"]
        return errors[0]["code"] if errors else "OK"

    assert [apply("TENOFF") for _ in range(4)] == ["OK"] * 4
    assert [apply("OVER") for _ in range(4)] == ["INVALID_VOUCHER"] * 4
    assert [apply("GUESS", version=1) for _ in range(4)] == ["CART_CHANGED"] * 4
    assert [apply(f"GUESS{n}") for n in range(3)] == ["INVALID_VOUCHER"] * 2 + ["RATE_LIMITED"]
    assert apply("TENOFF") == "RATE_LIMITED"


def test_a_cart_that_was_changed_meanwhile_is_left_alone(
    basket: SimpleNamespace, call: Any, gid: Any, dump: Any
) -> None:
    line = {"variant": gid(basket.small), "quantity": 1}
    call("cartLinesAdd", cart=basket.token, lines=[line], version=basket.cart["version"])
    before = dump()
    payload = call("cartLinesAdd", cart=basket.token, lines=[line], version=basket.cart["version"])
    assert codes(payload) == [("CART_CHANGED", ["version"])]
    assert dump() == before


def test_a_cart_holds_only_so_many_lines(
    basket: SimpleNamespace, call: Any, gid: Any, settings: Any
) -> None:
    settings.CART_MAX_LINES = 2
    line = {"variant": gid(basket.shop.variants[9]), "quantity": 1}
    payload = call("cartLinesAdd", cart=basket.token, lines=[line])
    assert codes(payload) == [("CART_FULL", ["lines"])]
    again = {"variant": gid(basket.small), "quantity": 1}
    assert codes(call("cartLinesAdd", cart=basket.token, lines=[again])) == []


def test_a_line_of_a_deleted_variant_becomes_a_notice(
    basket: SimpleNamespace, call: Any, api: Any, gid: Any, mutate: Any
) -> None:
    mutate("variantDelete", "deletedId", id=gid(basket.small))
    document = """query($token: String) { cart(token: $token) { version total { amount }
      lines { totalCount } notices { code message lineId name quantity } } }"""
    cart = api(document, token=basket.token)["data"]["cart"]
    assert cart == {
        "version": basket.cart["version"] + 1,
        "total": {"amount": "2.01"},
        "lines": {"totalCount": 1},
        "notices": [
            {
                "code": "LINE_REMOVED",
                "message": "Mug 1 (S) is no longer available. We removed it from your cart "
                "(quantity 2).",
                "lineId": None,
                "name": "Mug 1 (S)",
                "quantity": 2,
            }
        ],
    }
    stale = {"cart": basket.token, "version": basket.cart["version"]}
    payload = call("cartNoticesDismiss", **stale)
    assert codes(payload) == [("CART_CHANGED", ["version"])]
    cart = call("cartNoticesDismiss", cart=basket.token)["cart"]
    assert (cart["notices"], cart["version"]) == ([], basket.cart["version"] + 2)


# --- Whose it is ----------------------------------------------------------------------------------

MUTATIONS: list[tuple[str, dict[str, Any]]] = [
    ("cartLinesAdd", {"lines": []}),
    ("cartLinesUpdate", {"lines": []}),
    ("cartLinesRemove", {"lines": []}),
    ("cartEmailSet", {"email": "eve@example.org"}),
    ("cartAddressesSet", {"shippingAddress": BERLIN_INPUT}),
    ("cartShippingSet", {}),
    ("cartVoucherApply", {"code": "TENOFF"}),
    ("cartVoucherRemove", {}),
    ("cartReminderSet", {"wanted": True}),
    ("cartNoticesDismiss", {}),
]


@pytest.mark.parametrize(("mutation", "values"), MUTATIONS, ids=[name for name, _ in MUTATIONS])
def test_the_cart_of_an_account_opens_for_the_account_alone(
    mutation: str,
    values: dict[str, Any],
    selling: SimpleNamespace,
    customer: User,
    staff: User,
    call: Any,
    dump: Any,
) -> None:
    voucher("TENOFF")
    cart, _ = ready(customer, (selling.variants[0], 1))
    Cart.objects.filter(pk=cart.pk).update(digest=carts.digest_of("known to Eve"))
    eve = User.objects.create_user("eve@example.org", "a password")
    before = dump()
    for user in (None, eve, staff):
        theirs = call(mutation, user, cart="known to Eve", **values)
        missing = call(mutation, user, cart="no such token", **values)
        assert theirs == missing
        assert codes(theirs) == [("NOT_FOUND", ["cart"])]
        # Without a token it is the caller's own, which they do not have.
        if user is None or mutation != "cartLinesAdd":
            assert codes(call(mutation, user, **values)) == [("NOT_FOUND", ["cart"])]
    assert dump() == before
    assert call(mutation, customer, **values)["userErrors"] == []


def test_whoever_has_the_token_of_a_guest_has_the_cart(
    basket: SimpleNamespace, api: Any, customer: User, staff: User
) -> None:
    document = "query($token: String) { cart(token: $token) { quantity } }"
    for user in (None, customer, staff):
        assert api(document, user, token=basket.token)["data"]["cart"] == {"quantity": 3}
        assert api(document, user, token="wrong")["data"]["cart"] is None
    by_id = "query($id: ID!) { node(id: $id) { id } }"
    assert api(by_id, id=basket.cart["id"])["data"]["node"] is None
    assert api(by_id, customer, id=basket.cart["id"])["data"]["node"] is None
    assert api(by_id, staff, id=basket.cart["id"])["data"]["node"] is not None


def test_the_token_is_not_stored(basket: SimpleNamespace, dump: Any) -> None:
    assert basket.token not in str(dump())


def test_an_account_has_one_cart_and_needs_no_token(
    selling: SimpleNamespace, call: Any, customer: User, gid: Any
) -> None:
    line = {"variant": gid(selling.variants[0]), "quantity": 1}
    first = call("cartCreate", customer, "token", lines=[line])
    second = call("cartCreate", customer, "token", lines=[line])
    assert first["token"] is second["token"] is None
    assert first["cart"]["id"] == second["cart"]["id"]
    assert lines_of(second["cart"]) == {"MUG-1-S": 2}
    assert second["cart"]["email"] == customer.email


def test_own_addresses_can_be_named_and_those_of_others_not(
    basket: SimpleNamespace, call: Any, customer: User, staff: User, gid: Any, unknown: Any
) -> None:
    from shop.actions.customers import addresses
    from tests.shop.selling import BERLIN

    address = addresses.create(customer, **BERLIN)
    named = {"cart": basket.token, "shippingAddressId": gid(address)}
    for user in (None, staff):
        payload = call("cartAddressesSet", user, **named)
        assert codes(payload) == [("NOT_FOUND", ["shippingAddressId"])]
        missing = {"cart": basket.token, "shippingAddressId": unknown("Address")}
        assert payload == call("cartAddressesSet", user, **missing)
    payload = call("cartAddressesSet", customer, **named)
    assert payload["cart"]["shippingAddress"]["city"] == "Berlin"


# --- Signing in -----------------------------------------------------------------------------------


def test_a_guests_cart_becomes_the_accounts(
    basket: SimpleNamespace, call: Any, customer: User
) -> None:
    payload = call("cartMerge", customer, cart=basket.token)
    assert payload["cart"]["id"] == basket.cart["id"]
    assert payload["cart"]["email"] == customer.email
    assert Cart.objects.get().active_key == customer.pk


def test_carts_are_merged_once_and_no_further_than_there_is_stock(
    basket: SimpleNamespace, call: Any, customer: User, gid: Any
) -> None:
    lines = [
        {"variant": gid(basket.small), "quantity": 9},
        {"variant": gid(basket.shop.variants[8]), "quantity": 1},
    ]
    call("cartCreate", customer, lines=lines)
    for _ in range(3):
        payload = call("cartMerge", customer, cart=basket.token)
        assert lines_of(payload["cart"]) == {"MUG-1-S": 10, "MUG-3-S": 1, "MUG-2-M": 1}
        assert payload["cart"]["notices"] == [
            {
                "code": "MERGE_REDUCED",
                "message": "We could not add all units of Mug 1 (S) to your cart: 1 are missing.",
                "lineId": None,
            }
        ]
    assert call("cartNoticesDismiss", customer)["cart"]["notices"] == []
    guest = Cart.objects.get(digest=carts.digest_of(basket.token))
    assert guest.status == CartStatus.MERGED
    assert codes(call("cartEmailSet", cart=basket.token, email="a@example.org")) == [
        ("CART_CLOSED", ["cart"])
    ]


def test_a_cart_that_was_merged_into_one_that_is_ordered_is_closed(
    basket: SimpleNamespace, call: Any, customer: User
) -> None:
    call("cartCreate", customer)
    call("cartMerge", customer, cart=basket.token)
    Cart.objects.filter(user=customer).update(status=CartStatus.ORDERED, active_key=None)
    assert codes(call("cartMerge", customer, cart=basket.token)) == [("CART_CLOSED", ["cart"])]


def test_a_guest_who_found_the_cart_before_it_was_an_accounts_changes_nothing(
    basket: SimpleNamespace, customer: User, dump: Any
) -> None:
    found = carts.find(AnonymousUser(), basket.token)
    carts.merge(customer, basket.token)
    before = dump()
    with pytest.raises(CartClosed):
        carts.set_email(found, "somebody@example.org")
    assert dump() == before


def test_nobody_merges_the_cart_of_another_account(
    basket: SimpleNamespace, call: Any, customer: User, staff: User
) -> None:
    call("cartMerge", customer, cart=basket.token)
    assert codes(call("cartMerge", staff, cart=basket.token)) == [("NOT_FOUND", ["cart"])]
    assert Cart.objects.get().user == customer


def test_signing_in_brings_the_cart_along(
    basket: SimpleNamespace, api: Any, customer: User, settings: Any
) -> None:
    document = """mutation($input: TokenAuthInput!) {
      tokenAuth(input: $input) { token userErrors { code } } }"""
    values = {"email": customer.email, "password": "a customer password"}
    payload = api(document, input={**values, "cart": basket.token})["data"]["tokenAuth"]
    assert payload["token"]
    assert Cart.objects.get().user == customer
    # A token that opens nothing keeps nobody from signing in.
    payload = api(document, input={**values, "cart": "no such cart"})["data"]["tokenAuth"]
    assert payload["token"]


# --- SQL ------------------------------------------------------------------------------------------


def test_a_cart_costs_the_same_statements_whatever_is_in_it(
    basket: SimpleNamespace, api: Any, gid: Any, call: Any
) -> None:
    document = f"query($token: String) {{ {CART.replace('cart', 'cart(token: $token)', 1)} }}"
    call("cartAddressesSet", cart=basket.token, shippingAddress=BERLIN_INPUT)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            api(document, token=basket.token)
        counts.append(len(captured))
        lines = [{"variant": gid(v), "quantity": 1} for v in basket.shop.variants[6:]]
        call("cartLinesAdd", cart=basket.token, lines=lines)
    assert counts == [10, 10]
    assert CartLine.objects.count() > 10


def test_garbage_ids_are_errors_of_the_client(basket: SimpleNamespace, api: Any) -> None:
    document = """mutation($input: CartLinesRemoveInput!) {
      cartLinesRemove(input: $input) { userErrors { code } } }"""
    for line in ("garbage", to_global_id("Variant", 1)):
        answer = api(document, input={"cart": basket.token, "lines": [line]})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]
