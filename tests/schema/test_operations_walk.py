"""Every trusted operation really runs: a shop is stocked, sold from and looked after over /api/."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from schema.trusted import operations
from shop.models import User
from tests.conftest import Authenticator
from tests.schema.accounts import ALIVE, GOOD, token_in
from tests.shop.selling import BERLIN_INPUT

pytestmark = pytest.mark.django_db(transaction=True)

SERVED = {one.slug: one for one in operations().values()}
CSV = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\nmug,Mug,Size,S,M-1,10\n"
NEW = "ladles of glass 9"


class Door:
    """Someone's way in: calls operations by their slugs, with the token that they have."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.token = ""

    def __call__(self, slug: str, /, *, expected: int = 200, **values: Any) -> Any:
        """The value of the operation's one field."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        methods = SERVED[slug].methods
        if methods[0] == "GET" and not values.keys() & set(SERVED[slug].secrets):
            plain = {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in values.items()
            }
            response = self._client.get(f"/api/{slug}", plain, headers=headers)
        else:
            response = self._client.post(
                f"/api/{slug}", json.dumps(values), content_type="application/json", headers=headers
            )
        assert response.status_code == expected, response.content
        (value,) = response.json()["data"].values()
        return value

    def sign_in(self, email: str, password: str, **values: Any) -> dict[str, Any]:
        self.token = ""
        pair = self("token-auth", email=email, password=password, **values)
        self.token = pair["token"]
        return pair

    def upload(self, name: str, file: SimpleUploadedFile, **values: Any) -> Any:
        """As a call, by a GraphQL multipart request that names the operation."""
        asked = {"operationName": name, "variables": {"input": {**values, "file": None}}}
        form = {
            "operations": json.dumps(asked),
            "map": json.dumps({"0": ["variables.input.file"]}),
            "0": file,
        }
        headers = {"Apollo-Require-Preflight": "1", "Authorization": f"Bearer {self.token}"}
        (value,) = self._client.post("/graphql/", form, headers=headers).json()["data"].values()
        return value


@pytest.fixture
def door(client: Client) -> Callable[[], Door]:
    return lambda: Door(client)


@pytest.fixture
def clerk(door: Any, staff: User) -> Door:
    """A member of staff who has signed in."""
    found = door()
    found.sign_in(staff.email, "a staff password")
    return found


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


def amount(money: dict[str, str]) -> str:
    assert money["currency"] == "USD"
    return money["amount"]


def test_no_operation_is_left_out() -> None:
    called = re.findall(
        r'(?:door|clerk|guest|ann|bea)(?:\.upload)?\(\s*"([\w-]+)"', Path(__file__).read_text()
    )
    assert set(called) | {"token-auth"} == SERVED.keys() - {"import-products"} | {"ImportProducts"}


@pytest.fixture
def ladle(clerk: Door, selling: SimpleNamespace) -> dict[str, Any]:
    """A product that staff have put on sale: two variants at 10.00 and 12.50 dollars, 8 of each."""
    kitchen = clerk("category-create", name="Cooking")["category"]
    assert (kitchen["slug"], kitchen["parent"]) == ("cooking", None)
    variants = [
        {"sku": f"LADLE-{size}", "price": "12.50", "options": [{"name": "Size", "value": size}]}
        for size in "SL"
    ]
    product = clerk("product-create", name="Ladle", variants=variants)["product"]
    assert (product["status"], product["slug"]) == ("DRAFT", "ladle")
    changed = clerk("product-update", id=product["id"], category=kitchen["id"])["product"]
    assert changed["category"] == {"id": kitchen["id"], "name": "Cooking"}
    small, large = nodes(changed["variants"])
    picture = {"product": product["id"], "url": "https://pictures.example.org/ladle.jpg"}
    assert clerk("media-create", **picture)["media"]["url"] == picture["url"]
    cheaper = {"id": small["id"], "price": "10", "compareAt": "12.50"}
    priced = clerk("variant-reprice", **cheaper)["variant"]
    assert (amount(priced["price"]), amount(priced["compareAt"])) == ("10.00", "12.50")
    # What is left out stays, and what is null goes.
    kept = clerk("variant-reprice", id=small["id"], price="10")["variant"]
    assert amount(kept["compareAt"]) == "12.50"
    gone = clerk("variant-reprice", id=large["id"], price="12.50", compareAt=None)["variant"]
    assert gone["compareAt"] is None
    for variant in (small, large):
        stock = clerk("stock-adjust", variant=variant["id"], onHand=8, reason="COUNTED")["stock"]
        assert (stock["onHand"], stock["available"]) == (8, 8)
    listed = nodes(clerk("stock-list", filter={"search": "LADLE-"}))
    assert {row["variant"]["sku"] for row in listed} == {"LADLE-S", "LADLE-L"}
    assert clerk("product-publish", id=product["id"])["product"]["status"] == "PUBLISHED"
    given = {"code": "FIVE", "kind": "FIXED", "amount": "5"}
    assert amount(clerk("voucher-create", **given)["voucher"]["amount"]) == "5.00"
    return {"id": product["id"], "small": small["id"], "large": large["id"]}


def test_a_guest_looks_around(
    door: Any, ladle: dict[str, Any], selling: SimpleNamespace, customer: User
) -> None:
    guest = door()
    shop = guest("shop-info")
    assert (shop["name"], shop["currency"], "DEMO" in shop["paymentProviders"]) == (
        "Sample Shop",
        "USD",
        True,
    )
    assert guest("shipping-countries")["shippingCountries"] == [{"code": "DE", "name": "GERMANY"}]
    rules = guest("address-rules", country="DE")
    assert {"NAME", "LINE1", "CITY", "POSTAL_CODE"} <= set(rules["requiredParts"])
    assert guest("address-rules", country="XX", expected=404) is None
    tops = {top["slug"]: top for top in nodes(guest("category-list"))}
    assert [child["slug"] for child in nodes(tops["kitchen"]["children"])] == ["drinkware"]
    mugs = guest("category-detail", slug="mugs")
    assert [above["slug"] for above in nodes(mugs["ancestors"])] == ["kitchen", "drinkware"]
    assert guest("collection-detail", slug="gifts")["name"] == "Gifts"
    assert [brand["slug"] for brand in nodes(guest("brand-list"))] == ["ladlemoor"]
    (material,) = nodes(guest("filter-list"))
    assert [value["slug"] for value in nodes(material["values"])] == ["clay", "glass"]

    cheap_first = {"field": "PRICE", "direction": "ASC"}
    of_clay = {"attributes": [{"attribute": "material", "in": ["clay"]}]}
    clay = guest("product-list", filter=of_clay, orderBy=cheap_first)
    assert [product["name"] for product in nodes(clay)] == ["Mug 1", "Mug 3"]
    assert "ladle" in [found["slug"] for found in nodes(guest("product-search", text="ladle"))]
    shown = guest("product-detail", slug="ladle")
    small, large = nodes(shown["variants"])
    assert (amount(small["price"]), amount(small["compareAt"])) == ("10.00", "12.50")
    assert small["availability"] == {"purchasable": True, "quantity": 8, "reasons": []}
    assert large["options"] == [{"name": "Size", "value": "L"}]

    ann = door()
    ann.sign_in(customer.email, ALIVE)
    written = ann("review-submit", product=ladle["id"], rating=5, title="Stirs")["review"]
    assert written["status"] == "PENDING"
    clerk = door()
    clerk.sign_in("staff@example.org", "a staff password")
    (waiting,) = nodes(clerk("review-list", filter={"status": {"in": ["PENDING"]}}))
    assert (waiting["id"], waiting["itemReviewed"]["slug"]) == (written["id"], "ladle")
    assert clerk("review-moderate", id=written["id"], status="APPROVED")["review"]["status"] == (
        "APPROVED"
    )
    said = guest("product-reviews", slug="ladle")
    assert said["rating"] == {"average": "5.00", "count": 1}
    assert [review["title"] for review in nodes(said["reviews"])] == ["Stirs"]
    assert ann("review-delete", id=written["id"])["deletedId"] == written["id"]
    assert guest("product-reviews", slug="ladle")["rating"]["count"] == 0


def test_a_guest_buys_and_gets_money_back(
    door: Any, clerk: Door, ladle: dict[str, Any], gid: Any, selling: SimpleNamespace
) -> None:
    guest = door()
    made = guest("cart-create", lines=[{"variant": ladle["small"], "quantity": 1}])
    cart = made["token"]
    wished = [
        {"variant": ladle["small"], "quantity": 2},
        {"variant": ladle["large"], "quantity": 1},
    ]
    added = guest("cart-lines-add", cart=cart, lines=wished)["cart"]
    small, large = nodes(added["lines"])
    assert (small["quantity"], large["quantity"], amount(added["subtotal"])) == (3, 1, "42.50")
    fewer = [{"line": small["id"], "quantity": 2}]
    assert amount(guest("cart-lines-update", cart=cart, lines=fewer)["cart"]["subtotal"]) == "32.50"
    left = guest("cart-lines-remove", cart=cart, lines=[large["id"]])["cart"]
    assert (amount(left["subtotal"]), amount(left["saved"])) == ("20.00", "5.00")
    said = guest("cart-email-set", cart=cart, email="guest@example.org")["cart"]
    assert said["email"] == "guest@example.org"
    sent = guest("cart-addresses-set", cart=cart, shippingAddress=BERLIN_INPUT)["cart"]
    assert sent["shippingAddress"]["city"] == "Berlin"
    offers = {offer["name"]: offer for offer in sent["shippingOffers"]}
    assert (offers["Standard"]["isChosen"], amount(offers["Express"]["price"])) == (True, "12.00")
    express = offers["Express"]["rateId"]
    assert amount(
        guest("cart-shipping-set", cart=cart, shippingRate=express)["cart"]["shipping"]
    ) == ("12.00")
    guest("cart-shipping-set", cart=cart, shippingRate=offers["Standard"]["rateId"])
    assert guest("cart-reminder-set", cart=cart, wanted=True)["cart"]["wantsReminder"] is True
    assert amount(guest("cart-voucher-apply", cart=cart, code="FIVE")["cart"]["discount"]) == "5.00"
    assert guest("cart-voucher-remove", cart=cart)["cart"]["voucherCode"] is None
    guest("cart-voucher-apply", cart=cart, code="FIVE")
    clerk("variant-reprice", id=ladle["small"], price="11")
    (notice,) = guest("cart-detail", token=cart)["notices"]
    assert notice["code"] == "PRICE_CHANGED"
    clerk("variant-reprice", id=ladle["small"], price="10")
    assert guest("cart-notices-dismiss", cart=cart)["cart"]["notices"] == []

    now = guest("cart-detail", token=cart)
    # 20.00 - 5.00 + 5.00, and 20 % of it.
    assert (amount(now["tax"]), amount(now["total"])) == ("4.00", "24.00")
    wish = {"cart": cart, "payment": {"provider": "DEMO"}, "expectedTotal": "24.00"}
    declined = wish | {"payment": {"provider": "DEMO", "method": "declined"}}
    refused = guest("checkout-complete", **declined, expected=422)
    assert refused["userErrors"][0]["code"] == "PAYMENT_DECLINED"
    bought = guest("checkout-complete", **wish)
    number, secret = bought["order"]["number"], bought["token"]
    assert (bought["order"]["paymentStatus"], bought["nextStep"]) == ("PAID", None)
    assert guest("order-by-token", number=number, token="none", expected=404) is None
    assert (
        guest("cart-email-set", cart=cart, email="x@example.org", expected=409)["userErrors"][0][
            "code"
        ]
        == "CART_CLOSED"
    )

    # What was declined left an order that nobody paid.
    paid = {"search": "guest@", "paymentStatus": {"in": ["PAID"]}}
    (listed,) = nodes(clerk("order-list", filter=paid))
    assert (listed["number"], amount(listed["total"])) == (number, "24.00")
    order = {"id": listed["id"]}
    (line,) = nodes(clerk("order-detail", **order)["lines"])
    one = [{"line": line["id"], "quantity": 1}]
    parcel = clerk("order-fulfil", **order, lines=one, carrier="DHL", trackingNumber="1")
    assert parcel["order"]["fulfillmentStatus"] == "PARTIAL"
    shipped = {"id": parcel["fulfillment"]["id"]}
    undone = clerk("fulfillment-cancel", **shipped)
    assert undone["order"]["fulfillmentStatus"] == "UNFULFILLED"
    parcel = clerk("order-fulfil", **order, lines=one, carrier="UPS")
    corrected = clerk("fulfillment-update", id=parcel["fulfillment"]["id"], carrier="DHL")
    assert corrected["fulfillment"]["carrier"] == "DHL"
    rest = clerk("order-fulfil", **order)
    assert rest["order"]["status"] == "COMPLETED"
    back = clerk("order-return", **order, lines=[{**one[0], "restock": True}])
    assert nodes(back["returned"]["lines"])[0]["quantity"] == 1
    # Half of 15.00 for the goods, with the tax.
    refund = clerk("order-refund", **order, lines=one)
    assert (amount(refund["refund"]["amount"]), refund["order"]["paymentStatus"]) == (
        "9.00",
        "PARTIALLY_REFUNDED",
    )
    assert clerk("order-note-create", **order, text="Called.")["event"]["text"] == "Called."
    kinds = [event["kind"] for event in nodes(clerk("order-timeline", **order)["events"])]
    assert (kinds[0], kinds[-1]) == ("PLACED", "NOTE")
    assert {"RETURNED", "REFUNDED"} <= set(kinds)

    seen = guest("order-by-token", number=number, token=secret)
    assert nodes(seen["lines"])[0] | {"variant": None} == {
        **line,
        "fulfilled": 2,
        "returned": 1,
        "refunded": 1,
        "variant": None,
    }
    assert [parcel["carrier"] for parcel in nodes(seen["fulfillments"])] == ["DHL", "DHL", ""]
    (payment,) = nodes(seen["payments"])
    assert (amount(payment["captured"]), amount(payment["refunded"])) == ("24.00", "9.00")
    (stock, _) = sorted(
        nodes(clerk("stock-list", filter={"search": "LADLE-"})),
        key=lambda row: row["variant"]["sku"],
        reverse=True,
    )
    assert (stock["onHand"], stock["available"]) == (7, 7)


def test_a_guest_calls_an_order_off(door: Any, ladle: dict[str, Any]) -> None:
    guest = door()
    line = {"variant": ladle["large"], "quantity": 1}
    cart = guest("cart-create", lines=[line], email="guest@example.org")["token"]
    total = guest("cart-addresses-set", cart=cart, shippingAddress=BERLIN_INPUT)["cart"]["total"]
    wish = {"cart": cart, "payment": {"provider": "DEMO"}, "expectedTotal": amount(total)}
    bought = guest("checkout-complete", **wish)
    known = {"number": bought["order"]["number"], "token": bought["token"]}
    wrong = guest("order-cancel-by-token", **known | {"token": "none"}, expected=422)
    assert wrong["userErrors"][0]["code"] == "NOT_FOUND"
    off = guest("order-cancel-by-token", **known)["order"]
    assert (off["status"], off["paymentStatus"]) == ("CANCELLED", "REFUNDED")
    order = {"id": bought["order"]["id"], "orderToken": bought["token"]}
    again = guest("order-reorder", **order)
    assert (again["cart"]["quantity"], bool(again["token"])) == (1, True)
    assert guest("order-cancel-by-token", **known, expected=409)["order"] is None


def test_staff_remove_a_unit_of_an_order_that_is_not_paid(
    door: Any, clerk: Door, ladle: dict[str, Any]
) -> None:
    guest = door()
    line = {"variant": ladle["large"], "quantity": 2}
    cart = guest("cart-create", lines=[line], email="guest@example.org")["token"]
    total = guest("cart-addresses-set", cart=cart, shippingAddress=BERLIN_INPUT)["cart"]["total"]
    wish = {"cart": cart, "payment": {"provider": "MANUAL"}, "expectedTotal": amount(total)}
    number = guest("checkout-complete", **wish)["order"]["number"]
    (listed,) = nodes(clerk("order-list", filter={"search": number}))
    (bought,) = nodes(clerk("order-detail", id=listed["id"])["lines"])
    corrected = clerk("order-update", id=listed["id"], email="right@example.org")["order"]
    assert (corrected["email"], corrected["number"]) == ("right@example.org", number)
    removed = [{"line": bought["id"], "quantity": 1}]
    less = clerk("order-lines-cancel", id=listed["id"], lines=removed)["order"]
    assert float(amount(less["total"])) < float(amount(total))


def test_a_customer_orders_by_transfer_and_calls_it_off(
    door: Any, clerk: Door, ladle: dict[str, Any], customer: User
) -> None:
    guest, ann = door(), door()
    line = {"variant": ladle["small"], "quantity": 1}
    first = guest("cart-create", lines=[line])["token"]
    # Signing in brings one cart along, and another comes by itself.
    ann.sign_in(customer.email, ALIVE, cart=first)
    second = guest("cart-create", lines=[line])["token"]
    merged = ann("cart-merge", cart=second)["cart"]
    assert merged["quantity"] == 2
    home = ann("address-create", **BERLIN_INPUT, setDefaultShipping=True)["address"]
    ann("cart-addresses-set", shippingAddressId=home["id"])
    total = amount(ann("cart-detail")["total"])
    assert total == "30.00"
    numbers = []
    for _ in range(2):
        wish = {"payment": {"provider": "MANUAL"}, "expectedTotal": total}
        order = ann("checkout-complete", **wish)["order"]
        numbers.append(order["number"])
        assert order["status"] == "CONFIRMED"
        ann("cart-create", lines=[{**line, "quantity": 2}])
        ann("cart-addresses-set", shippingAddressId=home["id"])
    mine = nodes(ann("my-orders")["orders"])
    assert [order["number"] for order in mine] == numbers[::-1]
    assert all(order["canCancel"] for order in mine)
    off = ann("order-cancel", id=mine[0]["id"], reason="Too much")["order"]
    assert (off["status"], off["canCancel"]) == ("CANCELLED", False)
    assert ann("order-cancel", id=mine[0]["id"], expected=409)["userErrors"][0]["code"] == (
        "ILLEGAL_MOVE"
    )
    paid = clerk("order-capture", id=mine[1]["id"])["order"]
    assert paid["paymentStatus"] == "PAID"
    bea = door()
    User.objects.create_user("bea@example.org", ALIVE)
    bea.sign_in("bea@example.org", ALIVE)
    for other in (bea, door()):
        assert other("order-detail", id=mine[1]["id"], expected=404) is None
    assert ann("order-detail", id=mine[1]["id"])["paymentStatus"] == "PAID"
    assert nodes(bea("my-orders")["orders"]) == []


def test_an_account_lives_and_goes(
    door: Any,
    clerk: Door,
    mailoutbox: list[Any],
    ladle: dict[str, Any],
    authenticator: Authenticator,
) -> None:
    bea = door()
    assert bea("viewer") is None
    bea("customer-register", email="bea@example.org", password=GOOD, name="Bea")
    confirmed = bea("customer-confirm", token=token_in(mailoutbox[-1]), password=GOOD)
    bea.token = confirmed["token"]
    assert bea("viewer")["email"] == "bea@example.org"
    assert bea("profile-update", name="Bea Ladle")["user"]["name"] == "Bea Ladle"
    home = bea("address-create", **BERLIN_INPUT)["address"]
    moved = bea("address-update", id=home["id"], line1="Allee 3")["address"]
    assert (moved["line1"], moved["isDefaultShipping"]) == ("Allee 3", True)
    assert [item["id"] for item in nodes(bea("my-addresses")["addresses"])] == [home["id"]]
    assert bea("address-delete", id=home["id"])["deletedId"] == home["id"]
    bea("wishlist-add", variant=ladle["large"])
    (wish,) = nodes(bea("my-wishlist")["wishlist"])
    assert wish["variant"]["product"]["slug"] == "ladle"
    bea("wishlist-remove", variant=ladle["large"])
    assert nodes(bea("my-wishlist")["wishlist"]) == []

    phone = door()
    pair = phone.sign_in("bea@example.org", GOOD)
    fresh = bea("refresh-token", refreshToken=pair["refreshToken"])
    sessions = nodes(bea("my-sessions")["sessions"])
    (other,) = [one for one in sessions if not one["isCurrent"]]
    assert len(sessions) == 2
    assert bea("session-revoke", id=other["id"])["revokedId"] == other["id"]
    assert bea("refresh-token", refreshToken=fresh["refreshToken"], expected=422)["token"] is None
    changed = bea("password-change", currentPassword=GOOD, newPassword=NEW)
    bea.token = changed["token"]
    bea("password-reset-request", email="bea@example.org")
    bea("password-reset", token=token_in(mailoutbox[-1]), password=GOOD)
    bea.sign_in("bea@example.org", GOOD)
    known = {"id": bea("viewer")["id"]}
    assert clerk("user-password-reset-send", **known)["user"]["email"] == "bea@example.org"
    bea("email-change", email="bea@new.example.org", password=GOOD)
    new = next(mail for mail in reversed(mailoutbox) if mail.to == ["bea@new.example.org"])
    bea("email-confirm", token=token_in(new), password=GOOD)
    pair = bea.sign_in("bea@new.example.org", GOOD)

    assert re.fullmatch("[A-Z2-7]{32}", bea("otp-begin", password=GOOD)["secret"])
    user = User.objects.get(email_key="bea@new.example.org")
    codes = bea("otp-enable", code=authenticator.code(user))["recoveryCodes"]
    assert bea("viewer")["hasOtp"] is True
    bea("otp-disable", code=codes[0])
    assert bea("viewer")["hasOtp"] is False

    job = bea("account-export")["job"]
    found = bea("job-detail", id=job["id"])
    assert (found["kind"], found["status"], found["error"]) == ("EXPORT_ACCOUNT", "SUCCEEDED", "")
    assert found["result"]["url"].startswith("http://testserver/downloads/")
    assert bea("session-revoke-all", keepCurrent=True)["revokedCount"] == 0
    assert bea("revoke-token", refreshToken=pair["refreshToken"])["revoked"] is True
    bea.sign_in("bea@new.example.org", GOOD)
    assert bea("account-erase", password=GOOD)["erased"] is True
    assert not User.objects.filter(email_key="bea@new.example.org").exists()


def test_staff_import_and_export(clerk: Door, door: Any, customer: User) -> None:
    begun = clerk.upload("ImportProducts", SimpleUploadedFile("catalog.csv", CSV.encode()))
    found = clerk("job-detail", id=begun["job"]["id"])
    assert (found["status"], found["result"]["created"]) == ("SUCCEEDED", 1)
    assert found["progress"]["percent"] == 100
    products = clerk("export-products")["job"]
    orders = clerk("export-orders")["job"]
    assert clerk("job-detail", id=products["id"])["result"]["rows"] == 1
    assert clerk("job-detail", id=orders["id"])["result"]["orders"] == 0
    listed = nodes(clerk("job-list"))
    assert [job["kind"] for job in listed] == [
        "EXPORT_ORDERS",
        "EXPORT_PRODUCTS",
        "IMPORT_PRODUCTS",
    ]
    late = clerk("job-cancel", id=products["id"], expected=409)
    assert late["userErrors"][0]["code"] == "ALREADY_FINISHED"
    ann = door()
    ann.sign_in(customer.email, ALIVE)
    assert ann("job-detail", id=products["id"], expected=404) is None
