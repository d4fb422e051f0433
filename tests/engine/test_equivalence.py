"""The compiled and the generic path give the same answers."""

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from schema.engine import execution
from schema.root import schema
from shop.actions import carts, reviews
from shop.models import (
    Fulfillment,
    FulfillmentLine,
    Order,
    Refund,
    Return,
    ReturnLine,
    Review,
    User,
    Variant,
    WishlistItem,
)
from tests.engine.documents import DocumentMaker
from tests.engine.paths import COMPILED, GENERIC, run
from tests.shop.orders import place, stocked

DOCUMENTS = sorted((Path(__file__).parents[1] / "documents").glob("*.graphql"))


@pytest.fixture(autouse=True)
def _opinions(world: SimpleNamespace, staff: User) -> None:
    """Reviews of every kind, by the staff too, who would also like to have things."""
    writers = [staff, *(User.objects.create_user(f"{n}@example.org") for n in range(3))]
    Review.objects.bulk_create(
        Review(
            user=user,
            product=product,
            rating=(place + number) % 5 + 1,
            title=f"Mug {number}",
            status="pending" if user == staff else "rejected" if number == 2 else "approved",
            is_verified=bool(number % 2),
        )
        for number, user in enumerate(writers)
        for place, product in enumerate(world.products)
    )
    reviews.repair()
    WishlistItem.objects.bulk_create(
        WishlistItem(user=staff, variant=variant) for variant in Variant.objects.all()[:6]
    )


@pytest.mark.parametrize("who", ["anonymous", "staff"])
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_documents_answer_alike_on_both_paths(
    path: Path, who: str, world: SimpleNamespace, gid: Any, staff: Any
) -> None:
    world.count()
    document = path.read_text()
    declared = set(re.findall(r"\$(\w+):", document))
    values = {
        "after": "2100-01-01T00:00:00Z",
        "product": gid(world.products[0]),
        "category": gid(world.mugs),
        "someone": gid(staff),
        "order": gid(_ordered(staff, world)),
    }
    variables = {key: value for key, value in values.items() if key in declared}
    cart, _ = carts.create(staff)
    cart.lines.create(variant=world.products[0].variants.first(), quantity=2, seen_price=1)
    user = staff if who == "staff" else AnonymousUser()
    execution.counts.clear()
    compiled = run(COMPILED, document, variables, user)
    assert not [count for count in execution.counts if count[0] == "fallback"]
    assert compiled == run(GENERIC, document, variables, user)
    # A second time, with the plan and its statements ready.
    assert compiled == run(COMPILED, document, variables, user)


def _ordered(user: Any, world: SimpleNamespace) -> Order:
    """An order with something that was shipped, came back, and was paid back."""
    order = place(user, {stocked(world.products[0].variants.first()): 3}, discount=500)
    line = order.lines.get()
    parcel = Fulfillment.objects.create(order=order, carrier="Post")
    FulfillmentLine.objects.create(fulfillment=parcel, line=line, quantity=2)
    back = Return.objects.create(order=order, reason="Too small")
    ReturnLine.objects.create(parcel=back, line=line, quantity=1, restocked=True)
    refund = Refund.objects.create(
        payment=order.payments.get(), key="chipped", currency="USD", amount=950
    )
    refund.lines.create(line=line, quantity=1, amount=950, currency="USD")
    Order.objects.filter(pk=order.pk).update(fulfillment_status="partial")
    return order


@pytest.mark.prove
def test_random_documents_answer_alike_on_both_paths(
    world: SimpleNamespace, gid: Any, staff: Any
) -> None:
    ids = [gid(row) for row in (*world.products[:2], world.mugs, world.brand, world.clay)]
    ids += ["UHJvZHVjdDo5OTk5OTk5", "garbage"]
    edges = "{ products(first: 2) { edges { cursor } } categories { edges { cursor } } }"
    lists = json.loads(run(COMPILED, edges, {}, AnonymousUser()))["data"].values()
    cursors = [edge["cursor"] for found in lists for edge in found["edges"]] + ["garbage"]
    execution.counts.clear()
    differences, failures = [], 0
    for seed in range(2000 if os.environ.get("PROVE") else 200):
        document = DocumentMaker(schema.graphql_schema, seed, ids, cursors).make()
        variables = {"yes": True, "no": seed % 2 == 0, "size": seed % 4}
        user = staff if seed % 3 == 0 else AnonymousUser()
        compiled = run(COMPILED, document, variables, user)
        failures += '"errors": []' not in compiled
        if compiled != run(GENERIC, document, variables, user):
            differences.append((seed, document))
    assert differences == []
    assert not [count for count in execution.counts if count[0] == "fallback"]
    # Most documents must be answered, and some must fail, or nothing is compared.
    assert 0 < failures < (1000 if os.environ.get("PROVE") else 100)
