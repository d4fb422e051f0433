"""Lines that leave carts, and carts with many lines."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.actions import carts, checkout, inventory
from shop.actions.catalog import products, variants
from shop.actions.catalog.cart_lines import remove_from_carts
from shop.errors import CartFull, InUse
from shop.models import (
    Cart,
    CartLine,
    CartStatus,
    Order,
    Product,
    ProductStatus,
    Stock,
    User,
    Variant,
)
from tests.shop.selling import BERLIN, fill, ready

pytestmark = pytest.mark.django_db


def statements(work: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def notices(cart: Cart) -> list[tuple[str, str | None, int | None]]:
    found = carts.priced(Cart.objects.get(pk=cart.pk)).notices
    return [(notice.code.value, notice.name, notice.quantity) for notice in found]


def guest(*lines: tuple[Variant, int]) -> tuple[Cart, str]:
    cart, token = carts.create(AnonymousUser())
    assert token is not None
    return fill(cart, *lines), token


def test_a_deleted_product_leaves_carts_with_notices(selling: SimpleNamespace) -> None:
    small, large, other = selling.variants[0], selling.variants[2], selling.variants[4]
    cart, _ = guest((small, 2), (large, 1), (other, 3))
    untouched, _ = guest((other, 1))
    before = Cart.objects.get(pk=cart.pk)
    products.delete(selling.products[0])
    after = Cart.objects.get(pk=cart.pk)
    assert notices(cart) == [
        ("LINE_REMOVED", "Mug 1 (S)", 2),
        ("LINE_REMOVED", "Mug 1 (L)", 1),
    ]
    assert (after.version, after.updated_at) == (before.version + 1, before.updated_at)
    assert [line.quantity for line in CartLine.objects.filter(cart=cart)] == [3]
    assert (notices(untouched), Cart.objects.get(pk=untouched.pk).version) == ([], 2)


def test_a_refused_deletion_leaves_carts_alone(selling: SimpleNamespace, dump: Any) -> None:
    ordered, _ = ready(AnonymousUser(), (selling.variants[0], 1))
    checkout.complete(
        checkout.Wish(
            cart=ordered,
            user=AnonymousUser(),
            provider="manual",
            method="",
            expected_total=carts.priced(ordered).price.total,
        ),
        key=None,
    )
    guest((selling.variants[0], 2))
    before = dump()
    with pytest.raises(InUse):
        variants.delete(selling.variants[0])
    assert dump() == before


def test_notices_of_deleted_lines_do_not_stand_in_the_way_of_an_order(
    selling: SimpleNamespace,
) -> None:
    cart, _ = ready(AnonymousUser(), (selling.variants[0], 1), (selling.variants[4], 1))
    variants.delete(selling.variants[0])
    cart.refresh_from_db()
    checkout.complete(
        checkout.Wish(
            cart=cart,
            user=AnonymousUser(),
            provider="demo",
            method="",
            expected_total=carts.priced(cart).price.total,
        ),
        key=None,
    )
    assert Order.objects.get().lines.count() == 1


def test_carts_that_are_closed_get_no_notices(selling: SimpleNamespace) -> None:
    cart, _ = guest((selling.variants[0], 1))
    Cart.objects.filter(pk=cart.pk).update(status=CartStatus.MERGED)
    variants.delete(selling.variants[0])
    assert Cart.objects.get(pk=cart.pk).stored_notices == []


def test_a_merge_tells_what_it_leaves_out(
    selling: SimpleNamespace, customer: User, settings: Any
) -> None:
    capped, sold_out, withdrawn, full = (selling.variants[n] for n in (0, 1, 4, 8))
    own, _ = carts.create(customer)
    fill(own, (capped, 8))
    _, token = guest((capped, 5), (sold_out, 1), (withdrawn, 2), (full, 3))
    Stock.objects.filter(variant=sold_out).update(on_hand=0)
    Product.objects.filter(pk=withdrawn.product_id).update(status=ProductStatus.ARCHIVED)
    settings.CART_MAX_LINES = 1
    for _ in range(2):
        carts.merge(customer, token)
        assert notices(own) == [
            ("MERGE_REDUCED", "Mug 1 (S)", 3),
            ("MERGE_DROPPED", "Mug 1 (M)", 1),
            ("MERGE_DROPPED", "Mug 2 (S)", 2),
            ("MERGE_DROPPED", "Mug 3 (S)", 3),
        ]
    carts.dismiss_notices(Cart.objects.get(pk=own.pk))
    assert notices(own) == []


def test_notices_of_the_guest_go_along_in_a_merge(selling: SimpleNamespace, customer: User) -> None:
    own, _ = carts.create(customer)
    _, token = guest((selling.variants[0], 2), (selling.variants[4], 1))
    variants.delete(selling.variants[0])
    carts.merge(customer, token)
    assert notices(own) == [("LINE_REMOVED", "Mug 1 (S)", 2)]


def test_a_cart_stores_only_so_many_notices() -> None:
    cart = Cart()
    cart.add_notices(*({"name": str(number)} for number in range(501)))
    assert [one["name"] for one in cart.stored_notices] == [str(n) for n in range(1, 501)]


def many_variants(selling: SimpleNamespace, count: int) -> list[Variant]:
    """`count` more variants, each of a product of its own, stocked."""
    first = Product.objects.order_by("-pk").values_list("pk", flat=True)[0]
    source = selling.products[0]
    made = Product.objects.bulk_create(
        Product(
            name=f"Many {number}",
            slug=f"many-{first}-{number}",
            status=ProductStatus.PUBLISHED,
            published_at=source.published_at,
        )
        for number in range(count)
    )
    rows = Variant.objects.bulk_create(
        Variant(product=product, price=100, sku=f"MANY-{product.pk}", options_key=str(product.pk))
        for product in made
    )
    inventory.open_stock(Stock(variant=row, on_hand=100) for row in rows)
    return rows


def costs(selling: SimpleNamespace, count: int, user: User) -> dict[str, int]:
    """Statements of what happens to a cart of `count` lines."""
    rows = many_variants(selling, count)
    found: dict[str, int] = {}
    cart, token = guest()
    found["add"] = statements(lambda: fill(cart, *((row, 1) for row in rows)))
    found["add again"] = statements(lambda: fill(cart, (rows[0], 1)))
    cart = Cart.objects.get(pk=cart.pk)
    found["price"] = statements(lambda: carts.priced(cart))
    own, _ = carts.create(user)
    fill(own, (rows[0], 1))
    found["merge"] = statements(lambda: carts.merge(user, token))
    cart = Cart.objects.get(pk=own.pk)
    assert cart.lines.count() == count
    carts.set_addresses(cart, shipping=BERLIN, billing=None)
    total = carts.priced(cart).price.total
    wish = checkout.Wish(cart=cart, user=user, provider="demo", method="", expected_total=total)
    found["checkout"] = statements(lambda: checkout.complete(wish, key=None))
    again, _ = guest(*((row, 1) for row in rows))
    removed = Variant.objects.filter(pk__in=[row.pk for row in rows])
    found["delete"] = statements(lambda: remove_from_carts(removed))
    assert len(Cart.objects.get(pk=again.pk).stored_notices) == count
    return found


def test_statements_do_not_grow_with_lines(selling: SimpleNamespace, customer: User) -> None:
    costs(selling, 2, User.objects.create_user("warm@example.org"))
    few = costs(selling, 10, User.objects.create_user("few@example.org"))
    assert costs(selling, 20, User.objects.create_user("more@example.org")) == few
    # SQLite takes so many values in a statement, and Django splits what has more.
    if connection.features.max_query_params is None:
        assert costs(selling, 500, customer) == few


def test_a_cart_has_500_lines_and_no_more(selling: SimpleNamespace) -> None:
    rows = many_variants(selling, 501)
    cart, _ = guest(*((row, 1) for row in rows[:500]))
    with pytest.raises(CartFull, match="at most 500 lines"):
        fill(cart, (rows[500], 1))
    assert CartLine.objects.count() == 500
