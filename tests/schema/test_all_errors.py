"""All errors of an input are reported together, each at its field, and nothing is written."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from graphql_relay import to_global_id

from shop.models import Order, OrderStatus, User
from tests.schema.samples import FIELDS

LONG = "x" * 500
LONG_DESCRIPTION = "x" * 100_001
OPTIONS = [{"name": "Size", "value": "L"}]
UNKNOWN = 987_654


def gone(type_name: str) -> str:
    return to_global_id(type_name, UNKNOWN)


# For each mutation an input with at least three errors, and all of them.
WRONG: dict[str, tuple[Callable[[SimpleNamespace], dict[str, Any]], list[tuple[str, str]]]] = {
    "addressCreate": (
        lambda shop: {"name": " ", "line1": LONG, "country": "DE", "phone": "1"},
        [
            ("REQUIRED", "name"),
            ("INVALID", "line1"),
            ("REQUIRED", "city"),
            ("REQUIRED", "postalCode"),
            ("INVALID", "phone"),
        ],
    ),
    "attributeCreate": (
        lambda shop: {"name": " ", "slug": "no slug", "values": ["Red", " ", LONG]},
        [
            ("REQUIRED", "values.1"),
            ("INVALID", "values.2"),
            ("REQUIRED", "name"),
            ("INVALID", "slug"),
        ],
    ),
    "attributeUpdate": (
        lambda shop: {
            "id": shop.attribute,
            "name": LONG,
            "slug": "no slug",
            "filterable": None,
            "addValues": [" "],
        },
        [
            ("REQUIRED", "filterable"),
            ("REQUIRED", "addValues.0"),
            ("INVALID", "name"),
            ("INVALID", "slug"),
        ],
    ),
    "automaticDiscountCreate": (
        lambda shop: {
            "name": " ",
            "basisPoints": 0,
            "minimumSubtotal": "0.001",
            "startsAt": "2027-01-01T00:00:00Z",
            "endsAt": "2026-01-01T00:00:00Z",
        },
        [
            ("INVALID_PRICE", "minimumSubtotal"),
            ("REQUIRED", "name"),
            ("INVALID", "basisPoints"),
            ("INVALID", "endsAt"),
        ],
    ),
    "brandCreate": (
        lambda shop: {"name": " ", "slug": "no slug", "description": LONG_DESCRIPTION},
        [("REQUIRED", "name"), ("INVALID", "slug"), ("INVALID", "description")],
    ),
    "cartAddressesSet": (
        lambda shop: {
            "cart": shop.cart_token,
            "shippingAddress": {"name": "Ann", "line1": " ", "country": "DE", "city": "Berlin"},
            "billingAddress": {"name": "Ann", "line1": "Allee 2", "country": "XX"},
        },
        [
            ("REQUIRED", "shippingAddress.line1"),
            ("REQUIRED", "shippingAddress.postalCode"),
            ("INVALID", "billingAddress.country"),
        ],
    ),
    "cartCreate": (
        lambda shop: {
            "lines": [{"variant": gone("Variant"), "quantity": 0}],
            "email": "ann",
        },
        [
            ("INVALID_QUANTITY", "lines.0.quantity"),
            ("NOT_FOUND", "lines.0.variant"),
            ("INVALID", "email"),
        ],
    ),
    "cartLinesAdd": (
        lambda shop: {
            "cart": shop.cart_token,
            "lines": [
                {"variant": shop.sold, "quantity": 0},
                {"variant": gone("Variant"), "quantity": 10_000},
                {"variant": shop.sold, "quantity": 20},
                {"variant": shop.variant, "quantity": 1},
            ],
        },
        [
            ("INVALID_QUANTITY", "lines.0.quantity"),
            ("INVALID_QUANTITY", "lines.1.quantity"),
            ("NOT_FOUND", "lines.1.variant"),
            ("OUT_OF_STOCK", "lines.2.quantity"),
            ("NOT_FOUND", "lines.3.variant"),
        ],
    ),
    "cartLinesRemove": (
        lambda shop: {
            "cart": shop.cart_token,
            "lines": [gone("CartLine"), shop.cart_line, gone("CartLine")],
        },
        [("NOT_FOUND", "lines.0"), ("NOT_FOUND", "lines.2")],
    ),
    "cartLinesUpdate": (
        lambda shop: {
            "cart": shop.cart_token,
            "lines": [
                {"line": shop.cart_line, "quantity": 21},
                {"line": gone("CartLine"), "quantity": -1},
                {"line": shop.cart_line, "quantity": 1},
            ],
        },
        [
            ("INVALID_QUANTITY", "lines.1.quantity"),
            ("INVALID", "lines.2.line"),
            ("OUT_OF_STOCK", "lines.0.quantity"),
            ("NOT_FOUND", "lines.1.line"),
        ],
    ),
    "categoryCreate": (
        lambda shop: {
            "name": LONG,
            "slug": "no slug",
            "description": LONG_DESCRIPTION,
            "parent": gone("Category"),
        },
        [
            ("NOT_FOUND", "parent"),
            ("INVALID", "name"),
            ("INVALID", "slug"),
            ("INVALID", "description"),
        ],
    ),
    "collectionCreate": (
        lambda shop: {
            "name": " ",
            "slug": "no slug",
            "products": [gone("Product"), shop.product, gone("Product")],
        },
        [
            ("NOT_FOUND", "products.0"),
            ("NOT_FOUND", "products.2"),
            ("REQUIRED", "name"),
            ("INVALID", "slug"),
        ],
    ),
    "customerRegister": (
        lambda shop: {"email": "ann", "password": "123", "name": LONG},
        [("INVALID", "email"), ("INVALID", "name"), ("WEAK_PASSWORD", "password")],
    ),
    "fulfillmentUpdate": (
        lambda shop: {
            "id": shop.fulfillment,
            "carrier": LONG,
            "trackingNumber": LONG,
            "trackingUrl": "nowhere",
        },
        [("INVALID", "carrier"), ("INVALID", "trackingNumber"), ("INVALID", "trackingUrl")],
    ),
    "mediaCreate": (
        lambda shop: {"product": gone("Product"), "url": "ftp://example.org/1.jpg"},
        [("NOT_FOUND", "product"), ("URL_NOT_ALLOWED", "url")],
    ),
    "orderCancel": (
        lambda shop: {"id": shop.order, "reason": LONG + "x", "idempotencyKey": " \n"},
        [("INVALID", "reason"), ("INVALID", "idempotencyKey")],
    ),
    "orderFulfil": (
        lambda shop: {
            "id": shop.order,
            "lines": [
                {"line": shop.order_line, "quantity": 2},
                {"line": gone("OrderLine"), "quantity": 1},
                {"line": shop.promised_line, "quantity": 0},
            ],
            "trackingUrl": "nowhere",
            "carrier": LONG,
        },
        [
            ("INVALID", "carrier"),
            ("INVALID", "trackingUrl"),
            ("EXCEEDS_ORDER", "lines.0.quantity"),
            ("NOT_FOUND", "lines.1.line"),
            ("NOT_FOUND", "lines.2.line"),
        ],
    ),
    "orderLinesCancel": (
        lambda shop: {
            "id": shop.promised,
            "lines": [
                {"line": shop.promised_line, "quantity": 1},
                {"line": shop.promised_line, "quantity": 1},
                {"line": shop.order_line, "quantity": 1},
            ],
            "reason": LONG + "x",
        },
        [("INVALID", "reason"), ("INVALID", "lines.1.line"), ("NOT_FOUND", "lines.2.line")],
    ),
    "orderRefund": (
        lambda shop: {
            "id": shop.order,
            "lines": [
                {"line": shop.order_line, "quantity": 3},
                {"line": gone("OrderLine")},
            ],
            "shipping": True,
            "amount": "0.001",
            "reason": LONG + "x",
        },
        [
            ("INVALID_PRICE", "amount"),
            ("INVALID", "reason"),
            ("EXCEEDS_ORDER", "lines.0.quantity"),
            ("NOT_FOUND", "lines.1.line"),
        ],
    ),
    "orderReturn": (
        lambda shop: {
            "id": shop.order,
            "lines": [
                {"line": shop.order_line, "quantity": 2},
                {"line": shop.order_line},
                {"line": gone("OrderLine"), "quantity": 10_000},
            ],
            "reason": LONG + "x",
        },
        [
            ("INVALID", "reason"),
            ("EXCEEDS_ORDER", "lines.0.quantity"),
            ("INVALID", "lines.1.line"),
            ("NOT_FOUND", "lines.2.line"),
        ],
    ),
    "productCreate": (
        lambda shop: {
            "name": " ",
            "slug": "no slug",
            "category": gone("Category"),
            "brand": gone("Brand"),
            "attributeValues": [shop.value, gone("AttributeValue")],
            "description": LONG_DESCRIPTION,
            "taxCategory": LONG,
            "seoTitle": LONG,
            "status": "PUBLISHED",
            "variants": [
                {"sku": "A", "options": OPTIONS, "weightGrams": -1, "compareAt": "1"},
                {"sku": "A", "options": [{"name": "Size", "value": ""}], "barcode": LONG},
                {"sku": "LADLE-1", "options": [{"name": "Size", "value": "l"}]},
            ],
        },
        [
            ("NOT_FOUND", "category"),
            ("NOT_FOUND", "brand"),
            ("NOT_FOUND", "attributeValues.1"),
            ("REQUIRED", "name"),
            ("INVALID", "slug"),
            ("INVALID", "description"),
            ("INVALID", "taxCategory"),
            ("INVALID", "seoTitle"),
            ("INVALID", "variants.0.weightGrams"),
            ("COMPARE_AT_NOT_ABOVE_PRICE", "variants.0.compareAt"),
            ("INVALID", "variants.1.options.0"),
            ("INVALID", "variants.1.barcode"),
            ("DUPLICATE_SKU", "variants.1.sku"),
            ("DUPLICATE_SKU", "variants.2.sku"),
            ("DUPLICATE_OPTIONS", "variants.2.options"),
            ("NOT_PUBLISHABLE", "status"),
        ],
    ),
    "productUpdate": (
        lambda shop: {
            "id": shop.product,
            "name": None,
            "slug": "no slug",
            "brand": gone("Brand"),
            "status": None,
        },
        [
            ("REQUIRED", "status"),
            ("REQUIRED", "name"),
            ("NOT_FOUND", "brand"),
            ("INVALID", "slug"),
        ],
    ),
    "reviewSubmit": (
        lambda shop: {"product": gone("Product"), "rating": 6, "title": "<b>x</b>"},
        [("NOT_FOUND", "product"), ("INVALID", "rating"), ("INVALID", "title")],
    ),
    "shippingRateCreate": (
        lambda shop: {
            "zone": gone("ShippingZone"),
            "name": " ",
            "amount": "-1",
            "minWeight": 5,
            "maxWeight": 1,
        },
        [
            ("NOT_FOUND", "zone"),
            ("INVALID_PRICE", "amount"),
            ("REQUIRED", "name"),
            ("INVALID", "maxWeight"),
        ],
    ),
    "shippingZoneCreate": (
        lambda shop: {"name": " ", "countries": ["JP", "XX", "YY"]},
        [("REQUIRED", "name"), ("INVALID", "countries.1"), ("INVALID", "countries.2")],
    ),
    "stockAdjust": (
        lambda shop: {
            "variant": shop.variant,
            "delta": -1_000_000,
            "reason": "COUNTED",
            "note": LONG + "x",
        },
        [("INVALID", "note"), ("INSUFFICIENT_STOCK", "delta")],
    ),
    "stockUpdate": (
        lambda shop: {"variant": shop.variant, "backorder": None, "lowAt": -1},
        [("REQUIRED", "backorder"), ("INVALID", "lowAt")],
    ),
    "taxRateCreate": (
        lambda shop: {"country": "XX", "taxCategory": LONG, "basisPoints": -1, "name": LONG},
        [
            ("INVALID", "country"),
            ("INVALID", "taxCategory"),
            ("INVALID", "basisPoints"),
            ("INVALID", "name"),
        ],
    ),
    "userCreate": (
        lambda shop: {"email": "nobody", "name": LONG},
        [("INVALID", "email"), ("INVALID", "name")],
    ),
    "variantCreate": (
        lambda shop: {
            "product": gone("Product"),
            "image": gone("Media"),
            "sku": LONG,
            "price": "0.001",
            "compareAt": "-1",
            "weightGrams": -1,
            "options": [{"name": " ", "value": "L"}, {"name": "Color", "value": LONG}],
        },
        [
            ("NOT_FOUND", "product"),
            ("NOT_FOUND", "image"),
            ("INVALID_PRICE", "compareAt"),
            ("INVALID_PRICE", "price"),
            ("INVALID", "sku"),
            ("INVALID", "options.0"),
            ("INVALID", "options.1"),
            ("INVALID", "weightGrams"),
        ],
    ),
    "voucherCreate": (
        lambda shop: {
            "code": "TWO WORDS",
            "kind": "FIXED",
            "basisPoints": 10,
            "usageLimit": 0,
            "customerLimit": 0,
            "minimumSubtotal": "-1",
        },
        [
            ("INVALID_PRICE", "minimumSubtotal"),
            ("INVALID", "code"),
            ("INVALID", "basisPoints"),
            ("REQUIRED", "amount"),
            ("INVALID", "usageLimit"),
            ("INVALID", "customerLimit"),
        ],
    ),
    "webhookEndpointCreate": (
        lambda shop: {
            "url": "http://localhost/",
            "topics": [],
            "description": LONG,
            "query": "{ nothing }",
        },
        [
            ("URL_NOT_ALLOWED", "url"),
            ("REQUIRED", "topics"),
            ("INVALID", "description"),
            ("INVALID_QUERY", "query"),
        ],
    ),
}


@pytest.fixture
def owner(shop: SimpleNamespace) -> User:
    User.objects.filter(email="owner@example.org").update(is_superuser=True, is_staff=True)
    return User.objects.get(email="owner@example.org")


def errors_of(mutation: str, values: dict[str, Any], user: Any, api: Any) -> list[tuple[str, str]]:
    document = (
        f"mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) "
        f"{{ {mutation}(input: $input) {{ userErrors {{ code message field }} }} }}"
    )
    answer = api(document, user, input=values)
    assert "errors" not in answer, answer
    errors = answer["data"][mutation]["userErrors"]
    assert all(error["message"] for error in errors)
    return [(error["code"], ".".join(error["field"])) for error in errors]


@pytest.mark.parametrize("mutation", WRONG)
def test_all_errors_of_an_input_are_reported_together(
    mutation: str, shop: SimpleNamespace, owner: User, api: Any, dump: Any
) -> None:
    values, expected = WRONG[mutation]
    before = dump()
    assert errors_of(mutation, values(shop), owner, api) == expected
    assert dump() == before


def invisible(value: Any) -> Any:
    """`value` with invisible characters in place of each blank text."""
    if isinstance(value, dict):
        return {name: invisible(one) for name, one in value.items()}
    if isinstance(value, list):
        return [invisible(one) for one in value]
    return "\u200b\ufeff \u200d\ufe0f\u2800" if value == " " else value


@pytest.mark.parametrize("mutation", WRONG)
def test_texts_of_invisible_characters_are_empty(
    mutation: str, shop: SimpleNamespace, owner: User, api: Any, dump: Any
) -> None:
    values, expected = WRONG[mutation]
    before = dump()
    assert errors_of(mutation, invisible(values(shop)), owner, api) == expected
    assert dump() == before


def test_every_mutation_that_creates_something_is_tried() -> None:
    # They take a file, or an input with one field that can be wrong.
    others = {"orderNoteCreate", "otpRecoveryCodesCreate"}
    created = {name for name in FIELDS if name.endswith("Create")}
    assert created - others - WRONG.keys() == set()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [("REQUIRED", "")]),
        ({"amount": "0.001"}, [("INVALID_PRICE", "amount")]),
        (
            {"amount": "0.001", "shippingAmount": "0.001"},
            [("INVALID_PRICE", "amount"), ("INVALID_PRICE", "shippingAmount")],
        ),
        (
            {"shipping": True, "shippingAmount": "0", "restock": True},
            [("INVALID", "shippingAmount"), ("INVALID", "restock")],
        ),
        (
            {"amount": "1000000", "restock": True},
            [("INVALID", "restock"), ("EXCEEDS_PAYMENT", "amount")],
        ),
        ({"amount": "1000000", "shipping": True}, [("INVALID", "amount")]),
    ],
)
def test_a_refund_reports_no_error_that_follows_from_another(
    values: dict[str, Any],
    expected: list[tuple[str, str]],
    shop: SimpleNamespace,
    owner: User,
    api: Any,
    dump: Any,
) -> None:
    before = dump()
    assert errors_of("orderRefund", {"id": shop.order, **values}, owner, api) == expected
    assert dump() == before


def test_an_order_that_cannot_be_shipped_is_reported_with_the_errors_of_texts(
    shop: SimpleNamespace, owner: User, api: Any, dump: Any
) -> None:
    Order.objects.update(status=OrderStatus.CANCELLED)
    before = dump()
    values = {"id": shop.order, "carrier": LONG}
    assert errors_of("orderFulfil", values, owner, api) == [
        ("INVALID", "carrier"),
        ("ILLEGAL_MOVE", ""),
    ]
    assert dump() == before


def test_a_cart_that_was_changed_is_reported_with_the_errors_of_lines(
    shop: SimpleNamespace, owner: User, api: Any
) -> None:
    lines = [{"variant": shop.sold, "quantity": 0}]
    values = {"cart": shop.cart_token, "version": 99, "lines": lines}
    assert errors_of("cartLinesAdd", values, owner, api) == [
        ("INVALID_QUANTITY", "lines.0.quantity"),
        ("CART_CHANGED", "version"),
    ]


def test_roles_beyond_ones_own_are_reported_with_the_other_errors(
    shop: SimpleNamespace, api: Any, dump: Any
) -> None:
    clerk = User.objects.create_user("clerk@example.org", "a clerk password", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="add_user"))
    before = dump()
    values = {"email": "nobody", "name": LONG, "roles": ["OWNER"]}
    assert errors_of("userCreate", values, clerk, api) == [
        ("INVALID", "email"),
        ("INVALID", "name"),
        ("BEYOND_YOUR_PERMISSIONS", "roles"),
    ]
    # The refusal itself is recorded.
    assert dump() | {"shop.AuditEntry": []} == before | {"shop.AuditEntry": []}


def test_a_file_is_checked_though_its_product_is_not_found(
    shop: SimpleNamespace, owner: User, upload: Any, dump: Any
) -> None:
    before = dump()
    document = (
        "mutation($input: MediaCreateInput!) "
        "{ mediaCreate(input: $input) { userErrors { code field } } }"
    )
    file = SimpleUploadedFile("1.png", b"no picture")
    answer = upload(document, owner, file, product=gone("Product"))
    assert answer["data"]["mediaCreate"]["userErrors"] == [
        {"code": "NOT_FOUND", "field": ["product"]},
        {"code": "FILE_TYPE_NOT_ALLOWED", "field": ["file"]},
    ]
    assert dump() == before
