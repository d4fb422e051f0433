"""Stock through the API: what everyone may know of it, and what staff count and read."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from graphql_jwt.shortcuts import get_token

from shop.actions import inventory
from shop.actions.catalog import products, variants
from shop.models import (
    AuditEntry,
    IdempotencyKey,
    OutboxEvent,
    Product,
    Stock,
    StockMovement,
    User,
    Variant,
)

STOCK = "stock { onHand reserved available backorder lowAt isLow }"
LEDGER = """query($filter: StockMovementFilter) { stockMovements(filter: $filter) { edges { node {
  delta onHand reason reference note actor { email } stock { variant { sku } } } } } }"""
AVAILABILITY = """query($slug: String!) { product(slug: $slug) { variants { edges { node {
  sku availability { purchasable quantity reasons } stock { onHand } } } } } }"""


@pytest.fixture
def small(world: SimpleNamespace) -> Variant:
    """The first variant of the first product; of none there is stock yet."""
    return world.products[0].variants.get(sku="MUG-1-S")


@transaction.atomic
def promise(variant: Variant, units: int) -> None:
    inventory.reserve("order:1", {variant.pk: units}, expires_at=None)


def clerk_with(*codenames: str) -> User:
    user = User.objects.create_user("clerk@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


# --- What everyone may know -----------------------------------------------------------------------


def availability_of(answer: dict[str, Any]) -> dict[str, Any]:
    edges = answer["data"]["product"]["variants"]["edges"]
    return {edge["node"]["sku"]: edge["node"]["availability"] for edge in edges}


def of(quantity: int, *reasons: str) -> dict[str, Any]:
    return {"purchasable": not reasons, "quantity": quantity, "reasons": list(reasons)}


def test_shoppers_learn_what_they_can_buy_and_no_more(
    world: SimpleNamespace, small: Variant, api: Any, customer: User
) -> None:
    counted = {"MUG-1-S": 3, "MUG-1-M": 250, "MUG-1-L": 5}
    for sku, units in counted.items():
        inventory.correct(Variant.objects.get(sku=sku), on_hand=units, by=None)
    promise(Variant.objects.get(sku="MUG-1-L"), 5)
    variants.reprice(small, price=None)
    for user in (None, customer):
        answer = api(AVAILABILITY, user, slug="mug-1")
        assert availability_of(answer) == {
            "MUG-1-S": of(0, "NO_PRICE"),
            "MUG-1-M": of(100),
            "MUG-1-L": of(0, "OUT_OF_STOCK"),
            # Nobody has counted it.
            "MUG-1-X": of(0, "OUT_OF_STOCK"),
        }
        edges = answer["data"]["product"]["variants"]["edges"]
        assert [edge["node"]["stock"] for edge in edges] == [None] * 4


def test_what_is_sold_on_back_order_can_be_bought_without_end(
    world: SimpleNamespace, small: Variant, api: Any
) -> None:
    inventory.configure(small, backorder=True)
    inventory.correct(small, delta=-3, by=None)
    assert availability_of(api(AVAILABILITY, slug="mug-1"))["MUG-1-S"] == of(100)


@pytest.mark.parametrize("hidden", ["draft", "scheduled"])
def test_staff_learn_that_it_is_not_on_sale(
    hidden: str, world: SimpleNamespace, small: Variant, api: Any, staff: User
) -> None:
    inventory.correct(small, on_hand=3, by=None)
    if hidden == "draft":
        products.set_status(world.products[0], "draft")
    else:
        tomorrow = timezone.now() + timedelta(days=1)
        Product.objects.filter(slug="mug-1").update(published_at=tomorrow)
    answer = api(AVAILABILITY, staff, slug="mug-1")
    assert availability_of(answer)["MUG-1-S"] == of(0, "UNPUBLISHED")
    assert availability_of(answer)["MUG-1-M"] == of(0, "UNPUBLISHED", "OUT_OF_STOCK")
    assert answer["data"]["product"]["variants"]["edges"][0]["node"]["stock"] == {"onHand": 3}


def test_availability_takes_one_statement_for_all_variants(
    world: SimpleNamespace, api: Any
) -> None:
    document = """{ products { edges { node { variants { edges { node {
      a: availability { purchasable } b: availability { quantity } } } } } } } }"""
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            answer = api(document)
        assert "errors" not in answer
        assert len(captured) == 4
        world.add(4)


def listed(answer: dict[str, Any]) -> list[str]:
    assert "errors" not in answer, answer
    return [edge["node"]["slug"] for edge in answer["data"]["products"]["edges"]]


def test_products_are_filtered_by_what_is_in_stock(world: SimpleNamespace, api: Any) -> None:
    document = """query($there: Boolean) { products(
      filter: {inStock: $there}, orderBy: {field: NAME, direction: ASC}
    ) { totalCount edges { node { slug } } } }"""
    one, two, three, _ = (row.variants.order_by("pk").first() for row in world.products)
    inventory.correct(one, on_hand=1, by=None)
    inventory.configure(two, backorder=True)
    inventory.correct(three, on_hand=2, by=None)
    promise(three, 2)
    assert listed(api(document, there=True)) == ["mug-1", "mug-2"]
    assert listed(api(document, there=False)) == ["mug-3", "mug-4"]
    assert listed(api(document, there=None)) == ["mug-1", "mug-2", "mug-3", "mug-4"]
    # What has no price cannot be bought.
    one.product.variants.exclude(pk=one.pk).delete()
    products.set_status(one.product, "draft")
    variants.reprice(one, price=None)
    Product.objects.filter(pk=one.product_id).update(status="published")
    assert listed(api(document, there=True)) == ["mug-2"]


# --- What staff read ------------------------------------------------------------------------------


def skus(answer: dict[str, Any]) -> list[str]:
    assert "errors" not in answer, answer
    return [edge["node"]["variant"]["sku"] for edge in answer["data"]["stocks"]["edges"]]


LIST = """query($filter: StockFilter, $order: StockOrder) { stocks(filter: $filter, orderBy: $order)
  { totalCount edges { node { variant { sku } isLow } } } }"""


@pytest.fixture
def counted(world: SimpleNamespace) -> None:
    """MUG-1-S 2, MUG-1-M 5 and on back-order, MUG-1-L 6, MUG-1-X 50 of which 20 are reserved."""
    rows = {row.sku: row for row in Variant.objects.filter(product=world.products[0])}
    for sku, units in {"MUG-1-S": 2, "MUG-1-M": 5, "MUG-1-L": 6, "MUG-1-X": 50}.items():
        inventory.correct(rows[sku], on_hand=units, by=None)
    inventory.configure(rows["MUG-1-M"], backorder=True)
    inventory.configure(rows["MUG-1-X"], low_at=40)
    promise(rows["MUG-1-X"], 20)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({}, ["X", "S", "M", "L"]),
        ({"low": True}, ["X", "S"]),
        ({"low": False}, ["M", "L"]),
        ({"backorder": True}, ["M"]),
        ({"available": {"min": 5}}, ["X", "M", "L"]),
        ({"available": {"min": 5, "max": 6}}, ["M", "L"]),
        ({"available": {"max": 4}}, ["S"]),
        ({"sku": {"in": ["MUG-1-L", "MUG-1-S", "MUG-2-S"]}}, ["S", "L"]),
        ({"sku": {"in": ["\ufeffMUG-1-L", "MUG-1-S\u202c ", "\u200bMUG-2-S"]}}, ["S", "L"]),
        ({"sku": {"in": []}}, []),
        ({"search": "mug LADLEMOOR"}, ["X", "S", "M", "L"]),
        ({"search": "mug-1-x"}, ["X", "S", "M", "L"]),
        ({"search": "\u200bmug-1-x\u202c \ufeff"}, ["X", "S", "M", "L"]),
        ({"search": "jug"}, []),
    ],
)
def test_staff_find_stock(
    condition: dict[str, Any], found: list[str], counted: None, api: Any, staff: User
) -> None:
    answer = api(LIST, staff, filter=condition)
    assert skus(answer) == [f"MUG-1-{size}" for size in found]
    assert answer["data"]["stocks"]["totalCount"] == len(found)


def test_staff_sort_stock_by_what_is_available(counted: None, api: Any, staff: User) -> None:
    answer = api(LIST, staff, order={"field": "AVAILABLE", "direction": "DESC"})
    assert skus(answer) == ["MUG-1-X", "MUG-1-L", "MUG-1-M", "MUG-1-S"]
    low = [edge["node"]["isLow"] for edge in answer["data"]["stocks"]["edges"]]
    assert low == [True, False, False, True]


def test_the_ledger_tells_the_newest_first(counted: None, api: Any, staff: User) -> None:
    large = Variant.objects.get(sku="MUG-1-L")
    inventory.correct(large, delta=-2, reason=inventory.REASONS[3], note="Cracked", by=staff)
    newest = {
        "delta": -2,
        "onHand": 4,
        "reason": "DAMAGED",
        "reference": "",
        "note": "Cracked",
        "actor": {"email": "staff@example.org"},
        "stock": {"variant": {"sku": "MUG-1-L"}},
    }
    edges = api(LEDGER, staff)["data"]["stockMovements"]["edges"]
    assert [edge["node"]["delta"] for edge in edges] == [-2, 50, 6, 5, 2]
    assert edges[0]["node"] == newest
    damaged = api(LEDGER, staff, filter={"reason": {"in": ["DAMAGED"]}})
    assert damaged["data"]["stockMovements"]["edges"] == [{"node": newest}]
    named = api(LEDGER, staff, filter={"reference": "order:1"})
    assert named["data"]["stockMovements"]["edges"] == []


@pytest.mark.parametrize("field", ["stocks", "stockMovements"])
def test_stock_is_listed_for_those_who_may_see_it(
    field: str, counted: None, api: Any, customer: User
) -> None:
    document = f"{{ {field} {{ totalCount }} }}"
    assert api(document)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    for user in (customer, clerk_with("view_product")):
        assert api(document, user)["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_movements_are_not_shown_with_the_stock_to_those_who_may_not_see_them(
    counted: None, api: Any
) -> None:
    document = "{ stocks { edges { node { onHand movements { totalCount } } } } }"
    edges = api(document, clerk_with("view_stock"))["data"]["stocks"]["edges"]
    assert [edge["node"]["movements"]["totalCount"] for edge in edges] == [0] * 4


# --- What staff count -----------------------------------------------------------------------------


def test_staff_add_units_and_the_ledger_tells_why(
    small: Variant, mutate: Any, gid: Any, staff: User
) -> None:
    payload = mutate(
        "stockAdjust", STOCK, variant=gid(small), delta=12, reason="RECEIVED", note="Two crates"
    )
    assert payload == {
        "stock": {
            "onHand": 12,
            "reserved": 0,
            "available": 12,
            "backorder": False,
            "lowAt": 5,
            "isLow": False,
        },
        "userErrors": [],
    }
    payload = mutate("stockAdjust", STOCK, variant=gid(small), delta=-8, reason="DAMAGED")
    assert (payload["stock"]["onHand"], payload["stock"]["isLow"]) == (4, True)
    payload = mutate("stockAdjust", STOCK, variant=gid(small), onHand=20, reason="COUNTED")
    assert payload["stock"]["onHand"] == 20
    rows = StockMovement.objects.filter(stock__variant=small).order_by("pk")
    assert list(rows.values_list("delta", "on_hand", "reason", "note", "actor")) == [
        (12, 12, "received", "Two crates", staff.pk),
        (-8, 4, "damaged", "", staff.pk),
        (16, 20, "counted", "", staff.pk),
    ]
    assert inventory.discrepancies() == []


def test_an_adjustment_that_makes_it_low_is_told(small: Variant, mutate: Any, gid: Any) -> None:
    mutate("stockAdjust", variant=gid(small), onHand=6, reason="COUNTED")
    mutate("stockAdjust", variant=gid(small), delta=-1, reason="ADJUSTED")
    mutate("stockAdjust", variant=gid(small), delta=-1, reason="ADJUSTED")
    told = OutboxEvent.objects.filter(topic="stock.low").values_list("aggregate", "payload")
    assert list(told) == [(f"variant:{small.pk}", {"id": small.pk, "available": 5})]


def test_an_adjustment_is_audited(small: Variant, mutate: Any, gid: Any, staff: User) -> None:
    mutate("stockAdjust", variant=gid(small), onHand=6, reason="COUNTED")
    mutate("stockUpdate", variant=gid(small), backorder=True)
    rows = AuditEntry.objects.order_by("pk")
    told = [(row.action, row.object_type, row.object_id, row.actor) for row in rows]
    about = ("Stock", small.stock.pk, staff)
    assert told == [
        ("stock.create", *about),
        ("stock.adjust", *about),
        ("stock.update", *about),
    ]
    assert rows[1].difference == {"on_hand": [0, 6]}
    assert rows[2].difference == {"backorder": [False, True]}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"delta": -7}, ("INSUFFICIENT_STOCK", ["delta"])),
        ({"onHand": 3}, ("INSUFFICIENT_STOCK", ["onHand"])),
        ({"onHand": -1}, ("INVALID", ["onHand"])),
        ({"delta": 0}, ("INVALID", ["delta"])),
        ({}, ("INVALID", [])),
        ({"delta": 1, "onHand": 11}, ("INVALID", [])),
        ({"delta": None, "onHand": None}, ("INVALID", [])),
        ({"delta": 2**31 - 1}, ("INVALID", ["delta"])),
        ({"onHand": 1_000_000_001}, ("INVALID", ["onHand"])),
        ({"delta": 1, "note": "x" * 501}, ("INVALID", ["note"])),
        ({"delta": 1, "idempotencyKey": ""}, ("INVALID", ["idempotencyKey"])),
    ],
)
def test_an_adjustment_that_cannot_be_changes_nothing(
    values: dict[str, Any],
    expected: tuple[str, list[str]],
    small: Variant,
    refuse: Any,
    gid: Any,
) -> None:
    inventory.correct(small, on_hand=10, by=None)
    promise(small, 4)
    assert refuse("stockAdjust", variant=gid(small), reason="COUNTED", **values) == expected


def test_a_variant_that_is_not_there_is_not_adjusted(
    world: SimpleNamespace, refuse: Any, unknown: Any, mutation_error: Any
) -> None:
    for mutation, values in (
        ("stockAdjust", {"delta": 1, "reason": "COUNTED"}),
        ("stockUpdate", {}),
    ):
        found = refuse(mutation, variant=unknown("Variant"), **values)
        assert found == ("NOT_FOUND", ["variant"])
        assert mutation_error(mutation, variant=unknown("Product"), **values) == "BAD_REQUEST"


def test_only_what_is_said_of_how_it_is_sold_changes(small: Variant, mutate: Any, gid: Any) -> None:
    assert mutate("stockUpdate", STOCK, variant=gid(small), lowAt=0)["stock"]["lowAt"] == 0
    sold = mutate("stockUpdate", STOCK, variant=gid(small), backorder=True)["stock"]
    assert (sold["backorder"], sold["lowAt"], sold["onHand"]) == (True, 0, 0)
    sold = mutate("stockUpdate", STOCK, variant=gid(small), backorder=False, lowAt=7)["stock"]
    assert (sold["backorder"], sold["lowAt"]) == (False, 7)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"backorder": False}, ("INSUFFICIENT_STOCK", ["backorder"])),
        ({"lowAt": -1}, ("INVALID", ["lowAt"])),
        ({"lowAt": 1_000_001}, ("INVALID", ["lowAt"])),
    ],
)
def test_how_it_is_sold_has_limits(
    values: dict[str, Any],
    expected: tuple[str, list[str]],
    small: Variant,
    refuse: Any,
    gid: Any,
) -> None:
    inventory.configure(small, backorder=True)
    promise(small, 3)
    assert refuse("stockUpdate", variant=gid(small), **values) == expected


@pytest.mark.parametrize("mutation", ["stockAdjust", "stockUpdate"])
def test_others_count_nothing(
    mutation: str, small: Variant, api: Any, gid: Any, customer: User, dump: Any
) -> None:
    values = {
        "variant": gid(small),
        **({"delta": 1, "reason": "COUNTED"} if "Adj" in mutation else {}),
    }
    document = f"""mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) {{
      {mutation}(input: $input) {{ stock {{ onHand }} userErrors {{ code }} }} }}"""
    clerk = clerk_with("view_stock")
    for user, code in ((None, "UNAUTHENTICATED"), (customer, "FORBIDDEN"), (clerk, "FORBIDDEN")):
        before = dump()
        answer = api(document, user, input=values)
        assert answer["errors"][0]["extensions"]["code"] == code
        after = dump()
        # That staff tried is recorded.
        assert len(after.pop("shop.AuditEntry")) == len(before.pop("shop.AuditEntry")) + (
            user == clerk
        )
        assert after == before


# --- Requests that come twice ---------------------------------------------------------------------


def test_a_request_that_comes_twice_counts_once(small: Variant, mutate: Any, gid: Any) -> None:
    call = {"variant": gid(small), "delta": 5, "reason": "RECEIVED", "idempotencyKey": "crate-1"}
    first = mutate("stockAdjust", STOCK, **call)
    assert mutate("stockAdjust", STOCK, **call) == first
    assert first["stock"]["onHand"] == 5
    assert StockMovement.objects.count() == 1
    assert (
        mutate("stockAdjust", STOCK, **call | {"idempotencyKey": "crate-2"})["stock"]["onHand"]
        == 10
    )


def test_the_key_may_come_in_the_header(small: Variant, client: Any, gid: Any, staff: User) -> None:
    document = """mutation($v: ID!) { stockAdjust(
      input: {variant: $v, delta: 5, reason: RECEIVED}
    ) { stock { onHand } } }"""
    headers = {"Authorization": f"Bearer {get_token(staff)}", "Idempotency-Key": '"crate-1"'}
    body = {"query": document, "variables": {"v": gid(small)}}
    for _ in range(2):
        answer = client.post("/graphql/", body, content_type="application/json", headers=headers)
        assert answer.json() == {"data": {"stockAdjust": {"stock": {"onHand": 5}}}}


@pytest.mark.parametrize(
    "other", [{"delta": 6}, {"reason": "COUNTED"}, {"note": "Other"}, {"delta": None, "onHand": 5}]
)
def test_a_key_stands_for_one_request(
    other: dict[str, Any], small: Variant, mutate: Any, refuse: Any, gid: Any
) -> None:
    call = {"variant": gid(small), "delta": 5, "reason": "RECEIVED", "idempotencyKey": "crate-1"}
    mutate("stockAdjust", **call)
    expected = ("IDEMPOTENCY_CONFLICT", ["idempotencyKey"])
    assert refuse("stockAdjust", **call | other) == expected
    assert refuse("stockAdjust", **call | {"variant": gid(_other(small))}) == expected


def _other(variant: Variant) -> Variant:
    return Variant.objects.exclude(pk=variant.pk).order_by("pk")[0]


def test_what_was_refused_may_be_tried_again_with_its_key(
    small: Variant, mutate: Any, refuse: Any, gid: Any
) -> None:
    call = {"variant": gid(small), "delta": -5, "reason": "DAMAGED", "idempotencyKey": "broken"}
    assert refuse("stockAdjust", **call) == ("INSUFFICIENT_STOCK", ["delta"])
    assert not IdempotencyKey.objects.exists()
    inventory.correct(small, on_hand=10, by=None)
    assert mutate("stockAdjust", STOCK, **call)["stock"]["onHand"] == 5


# --- What is promised is not deleted --------------------------------------------------------------


def test_what_is_promised_is_not_deleted(
    world: SimpleNamespace, small: Variant, refuse: Any, mutate: Any, gid: Any
) -> None:
    inventory.correct(small, on_hand=10, by=None)
    promise(small, 4)
    with transaction.atomic():
        inventory.commit("order:1")
    assert refuse("variantDelete", id=gid(small)) == ("IN_USE", [])
    assert refuse("productDelete", id=gid(small.product)) == ("IN_USE", [])
    with transaction.atomic():
        inventory.ship("order:1", {small.pk: 4})
    product = gid(small.product)
    assert mutate("variantDelete", "deletedId", id=gid(small))["deletedId"] == gid(small)
    assert mutate("productDelete", "deletedId", id=product)["deletedId"] == product
    assert not Stock.objects.exists()
