"""Texts and forms that a mutation cannot take: an answer with a code, never an internal error."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from graphql import GraphQLNonNull
from graphql_jwt.shortcuts import get_token

from shop.models import User
from tests.schema.samples import FIELDS, SAMPLES

NUL = "a\x00b"
PRODUCT_TEXTS = ["name", "slug", "description", "seoTitle", "seoDescription"]
NAMED_TEXTS = ["name", "slug", "description"]
OPTIONS = [{"name": "Size", "value": "XS"}]


def product(**fields: Any) -> dict[str, Any]:
    return {"name": "Vase", **fields}


CREATES = [
    *[("productCreate", product(**{field: NUL})) for field in PRODUCT_TEXTS],
    ("productCreate", product(variants=[{"sku": NUL}])),
    ("productCreate", product(variants=[{"barcode": NUL}])),
    ("productCreate", product(variants=[{"options": [{"name": NUL, "value": "M"}]}])),
    ("productCreate", product(variants=[{"options": [{"name": "Size", "value": NUL}]}])),
    *[("categoryCreate", {"name": "Vases", field: NUL}) for field in NAMED_TEXTS],
    *[("brandCreate", {"name": "Acme", field: NUL}) for field in NAMED_TEXTS],
    *[("collectionCreate", {"name": "Best", field: NUL}) for field in NAMED_TEXTS],
    ("attributeCreate", {"name": NUL}),
    ("attributeCreate", {"name": "Colour", "slug": NUL}),
    ("attributeCreate", {"name": "Colour", "values": [NUL]}),
    ("productCreate", product(taxCategory=NUL)),
    ("shippingZoneCreate", {"name": NUL}),
    ("shippingZoneCreate", {"name": "Near", "countries": [NUL]}),
    *[
        ("taxRateCreate", {"country": "US", "basisPoints": 1, field: NUL})
        for field in ("country", "region", "taxCategory", "name")
    ],
    ("voucherCreate", {"code": NUL, "kind": "FREE_SHIPPING"}),
    ("automaticDiscountCreate", {"name": NUL, "basisPoints": 1}),
]


@pytest.mark.parametrize(("mutation", "given"), CREATES)
def test_nul_in_a_text_is_dropped_or_refused(
    mutation: str, given: dict[str, Any], mutate: Any, dump: Any
) -> None:
    payload = mutate(mutation, "clientMutationId", clientMutationId=NUL, **given)
    assert payload["clientMutationId"] == NUL
    assert [error["code"] for error in payload["userErrors"]] in ([], ["INVALID"])
    assert NUL not in repr(dump())
    assert "\\x00" not in repr(dump())


@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        ("mediaCreate", {"url": "/1.jpg", "alt": NUL}),
        ("mediaCreate", {"url": NUL}),
        ("variantCreate", {"sku": NUL, "options": OPTIONS}),
        ("variantCreate", {"barcode": NUL, "options": OPTIONS}),
    ],
)
def test_nul_in_what_is_added_to_a_product_is_dropped_or_refused(
    mutation: str, given: dict[str, Any], mug: SimpleNamespace, mutate: Any, dump: Any
) -> None:
    payload = mutate(mutation, product=mug.id, **given)
    assert [error["code"] for error in payload["userErrors"]] in ([], ["INVALID"])
    assert "\\x00" not in repr(dump())


@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        ("categoryCreate", {"name": "Vases", "position": -(2**31)}),
        ("productCreate", product(variants=[{"position": 2**31 - 1}])),
        ("productCreate", product(variants=[{"weightGrams": 2**31 - 1}])),
        ("productCreate", product(variants=[{"price": "10000000000000"}])),
        ("productCreate", product(variants=[{"price": "0.0000000"}])),
        ("productCreate", product(name="x" * 400)),
        ("productCreate", product(name="ß" * 400)),
        ("productCreate", product(slug="x" * 255)),
        ("productCreate", product(seoDescription="x" * 5000)),
        (
            "productCreate",
            product(variants=[{"options": [{"name": "n" * 255, "value": "v" * 255}]}]),
        ),
        ("brandCreate", {"name": "😀" * 10}),
        ("attributeCreate", {"name": "Colour", "values": ["x" * 400, "😀", "…"]}),
    ],
)
def test_the_largest_values_are_taken(mutation: str, given: dict[str, Any], mutate: Any) -> None:
    assert mutate(mutation, **given)["userErrors"] == []


def test_the_last_position_has_a_next_one(mug: SimpleNamespace, mutate: Any) -> None:
    mutate("variantUpdate", id=mug.variants[0], position=2**31 - 1)
    payload = mutate("variantCreate", product=mug.id, options=OPTIONS)
    assert [error["code"] for error in payload["userErrors"]] in ([], ["INVALID"])


@pytest.mark.parametrize("price", [1.5, True, "1,5", "1e3", "NaN", "Infinity", "٣", "", " 1", [1]])
def test_a_price_that_is_no_decimal_is_a_client_error(
    price: Any, mug: SimpleNamespace, mutation_error: Any
) -> None:
    assert mutation_error("variantUpdate", id=mug.variants[0], price=price) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "price", ["1.0000000000000000000000000001", "0.00000000000000000000000000001", "-0.001"]
)
def test_a_price_is_never_rounded(price: str, mug: SimpleNamespace, refuse: Any) -> None:
    assert refuse("variantUpdate", id=mug.variants[0], price=price) == ("INVALID_PRICE", ["price"])


ECHO = "mutation($i: BrandCreateInput!) { brandCreate(input: $i) { brand { name } } }"
UPLOAD = "mutation($i: MediaCreateInput!) { mediaCreate(input: $i) { media { id } } }"


@pytest.fixture
def form(client: Any, staff: Any) -> Any:
    """`form(operations, map)`: the answer to a multipart request with one file."""

    def send(operations: Any, places: Any = None, **fields: Any) -> Any:
        headers = {"Authorization": f"Bearer {get_token(staff)}", "Apollo-Require-Preflight": "1"}
        headers |= fields.pop("headers", {})
        given = {"operations": operations, "map": {} if places is None else places}
        data = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}
        file = {"0": SimpleUploadedFile("1.png", b"no picture")}
        response = client.post("/graphql/", data | file | fields, headers=headers)
        return response.status_code, response.json()

    return send


def test_a_form_without_a_header_that_forces_a_preflight_is_refused(
    client: Any, staff: Any, dump: Any
) -> None:
    operations = json.dumps({"query": ECHO, "variables": {"i": {"name": "Acme"}}})
    before = dump()
    response = client.post(
        "/graphql/",
        {"operations": operations, "map": "{}"},
        headers={"Authorization": f"Bearer {get_token(staff)}"},
    )
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert dump() == before


def test_a_form_without_files_is_an_ordinary_request(form: Any) -> None:
    status, answer = form({"query": ECHO, "variables": {"i": {"name": "Acme"}}})
    assert (status, answer) == (200, {"data": {"brandCreate": {"brand": {"name": "Acme"}}}})


FILE = {"query": UPLOAD, "variables": {"i": {"product": "UHJvZHVjdDox", "file": None}}}


@pytest.mark.parametrize(
    ("operations", "places"),
    [
        ("", {}),
        ("{", {}),
        ("[" * 100_000, {}),
        ("null", {}),
        (FILE, "["),
        (FILE, []),
        (FILE, {"1": ["variables.i.file"]}),
        (FILE, {"0": "variables.i.file"}),
        (FILE, {"0": ["query"]}),
        (FILE, {"0": ["variables"]}),
        (FILE, {"0": ["variables.i"]}),
        (FILE, {"0": ["variables.i.other"]}),
        (FILE, {"0": ["variables.i.file.deeper"]}),
        (FILE, {"0": ["variables.i.product"]}),
        (FILE, {"0": [None]}),
        (FILE, {"0": [["variables"]]}),
        (FILE, {"0": ["variables." + "i." * 2000]}),
        ({"query": UPLOAD, "variables": [None]}, {"0": ["variables.9"]}),
        (FILE, {str(number): ["variables.i.file"] for number in range(11)}),
    ],
)
def test_a_form_that_is_no_request_is_400(operations: Any, places: Any, form: Any) -> None:
    status, answer = form(operations, places)
    assert status == 400
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_form_with_too_many_fields_is_400(form: Any) -> None:
    status, answer = form(FILE, {}, **{f"field{number}": "1" for number in range(1200)})
    assert (status, answer["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


def test_a_form_beyond_the_limit_is_413(form: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 500
    status, _ = form(FILE, {}, field="x" * 600)
    assert status == 413


def test_a_form_with_a_file_far_beyond_the_limit_is_413(form: Any, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    settings.UPLOAD_STAFF_MAX_BYTES = 1000
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 5000
    big = SimpleUploadedFile("big.png", b"x" * 100_000)
    status, _ = form(FILE, {"big": ["variables.i.file"]}, big=big)
    assert status == 413


@pytest.mark.parametrize("text", ['"\\ud800"', '"Acme", "slug": "\\ud800"', "1" * 5000, "NaN"])
def test_json_in_a_form_is_read_as_strictly_as_in_a_body(text: str, form: Any, dump: Any) -> None:
    before = dump()
    operations = f'{{"query": {json.dumps(ECHO)}, "variables": {{"i": {{"name": {text}}}}}}}'
    status, answer = form(operations)
    assert status in (200, 400)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert dump() == before


OPEN_SAMPLES: dict[str, Callable[[SimpleNamespace], dict[str, Any]]] = {
    "checkoutComplete": lambda shop: {
        "cart": shop.cart_token,
        "payment": {"provider": "DEMO", "method": None},
        "expectedTotal": "1.00",
    },
    "customerConfirm": lambda shop: {"token": "x", "password": "ladles of clay 7"},
    "customerRegister": lambda shop: {"email": "new@example.org", "password": "ladles of clay 7"},
    "refreshToken": lambda shop: {},
    "revokeToken": lambda shop: {},
    "tokenAuth": lambda shop: {"email": "owner@example.org", "password": "an owner password"},
}


def test_null_is_an_answer_where_an_input_may_leave_something_out(
    api: Any, shop: SimpleNamespace
) -> None:
    owner = User.objects.get(email="owner@example.org")
    failed = {}
    for mutation, sample in (SAMPLES | OPEN_SAMPLES).items():
        fields = FIELDS[mutation].args["input"].type.of_type.fields
        optional = {k for k, field in fields.items() if not isinstance(field.type, GraphQLNonNull)}
        name = f"{mutation[0].upper()}{mutation[1:]}"
        document = (
            f"mutation($input: {name}Input!) "
            f"{{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
        )
        # A file cannot be sent as JSON; what it would be instead is refused.
        given = {k: v for k, v in sample(shop).items() if k != "file"}
        # Each finds the shop as it was. Like the transaction around the test, this one does not
        # count where there must be none.
        block = transaction.atomic()
        block._from_testcase = True
        with block:
            answer = api(document, owner, input=dict.fromkeys(optional) | given)
            transaction.set_rollback(True)
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        if "INTERNAL" in codes:
            failed[mutation] = codes
    assert failed == {}
