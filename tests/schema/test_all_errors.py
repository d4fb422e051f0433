"""All errors of an input are reported together, each at its field, and nothing is written."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from graphql_relay import to_global_id

from shop.models import User
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
    "mediaCreate": (
        lambda shop: {"product": gone("Product"), "url": "ftp://example.org/1.jpg"},
        [("NOT_FOUND", "product"), ("URL_NOT_ALLOWED", "url")],
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
    others = {"cartCreate", "orderNoteCreate", "otpRecoveryCodesCreate"}
    created = {name for name in FIELDS if name.endswith("Create")}
    assert created - others - WRONG.keys() == set()


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
