"""Many write, decide and delete at once: the rating is what the rows say, with no deadlock."""

import random
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.models import Count, Sum

from shop import throttling
from shop.actions import accounts, reviews
from shop.actions.catalog import products
from shop.actions.reviews import ratings, wishlist
from shop.errors import NotFound
from shop.models import Product, Review, User, Variant, WishlistItem
from tests.conftest import make_product

IP = "192.0.2.1"
SUBMIT = """mutation($product: ID!, $rating: Int!) { reviewSubmit(
  input: {product: $product, rating: $rating}) { review { id } userErrors { code } } }"""
ADD = """mutation($variant: ID!) { wishlistAdd(input: {variant: $variant}) {
  wishlistItem { id } userErrors { code } } }"""


@pytest.fixture
def crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Two products and six people; the throttle, which tests of its own prove, lets them all in."""
    monkeypatch.setattr(throttling, "check", lambda *args: None)
    return SimpleNamespace(
        products=[make_product(number) for number in (1, 2)],
        people=[User.objects.create_user(f"{number}@example.org") for number in range(6)],
    )


def stored() -> dict[int, tuple[int, int, int]]:
    rows = Product.objects.values_list("pk", "rating", "rating_sum", "rating_count")
    return {pk: tuple(columns) for pk, *columns in rows}  # type: ignore[misc]


def expected() -> dict[int, tuple[int, int, int]]:
    shown = Review.objects.shown().values("product").order_by()
    found = shown.annotate(stars=Sum("rating"), count=Count("pk"))
    sums = {row["product"]: (row["stars"], row["count"]) for row in found}
    return {
        pk: (ratings.hundredths(*sums.get(pk, (0, 0))), *sums.get(pk, (0, 0)))
        for pk in Product.objects.values_list("pk", flat=True)
    }


def quietly(call: Callable[[], Any]) -> Any:
    """What others have deleted meanwhile is no failure."""
    try:
        return call()
    except NotFound:
        return None


@pytest.mark.usefixtures("shared_database")
def test_parallel_decisions_never_drift(at_once: Any, crowd: SimpleNamespace) -> None:
    rows = [
        reviews.submit(user, product, rating=number % 5 + 1, address=IP)
        for number, user in enumerate(crowd.people)
        for product in crowd.products
    ]

    def decide(seed: int) -> None:
        chosen = random.Random(seed)
        for _ in range(20):
            status = chosen.choice(["approved", "rejected"])
            reviews.moderate(
                Review(pk=(row := chosen.choice(rows)).pk, product_id=row.product_id), status
            )

    assert at_once(*[partial(decide, seed) for seed in range(6)]) == [None] * 6
    assert stored() == expected()
    # Some came to be shown, or nothing was proved.
    assert any(count for _, _, count in stored().values())


@pytest.mark.usefixtures("shared_database")
def test_whatever_happens_at_once_the_rating_is_right(
    at_once: Any, crowd: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drifted: list[Any] = []
    monkeypatch.setattr(ratings.logger, "error", lambda *args: drifted.append(args))

    def live(seed: int) -> None:
        chosen = random.Random(seed)
        for _ in range(15):
            user, product = chosen.choice(crowd.people), chosen.choice(crowd.products)
            what = chosen.choice(["submit", "approved", "approved", "rejected", "delete", "edit"])
            row = Review.objects.filter(product=product).order_by("?").first()
            if what == "submit":
                rating = chosen.randint(1, 5)
                call = partial(reviews.submit, user, product, rating=rating, address=IP)
            elif what == "edit":
                call = partial(products.update, Product.objects.get(pk=product.pk), seo_title="x")
            elif row is None:
                continue
            elif what == "delete":
                call = partial(reviews.delete, row)
            else:
                call = partial(reviews.moderate, row, what)
            quietly(call)

    def erase() -> None:
        for user in crowd.people[:2]:
            accounts.erase(user)

    answers = at_once(*[partial(live, seed) for seed in range(5)], erase)
    assert answers == [None] * 6
    assert stored() == expected()
    # By relative changes alone.
    assert drifted == []
    erased = [user.pk for user in crowd.people[:2]]
    assert not Review.objects.filter(user__in=erased).exists()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_repairing_at_the_same_time_loses_no_decision(
    attempt: int, at_once: Any, crowd: SimpleNamespace
) -> None:
    rows = [reviews.submit(user, crowd.products[0], rating=5, address=IP) for user in crowd.people]

    def spoil_and_repair() -> None:
        for _ in range(15):
            Product.objects.filter(pk=crowd.products[1].pk).update(rating_sum=3, rating_count=1)
            # One that was never right, and one that is being changed.
            ratings.repair()

    def decide(part: list[Review]) -> None:
        for status in ["approved", "rejected"] * 4 + ["approved"]:
            for row in part:
                reviews.moderate(row, status)

    calls = [spoil_and_repair, partial(decide, rows[:3]), partial(decide, rows[3:])]
    assert at_once(*calls) == [None] * 3
    assert stored() == expected()
    assert stored()[crowd.products[0].pk] == (500, 30, 6)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_one_customer_there_is_one_review_and_one_wish(
    at_once: Any, send: Any, crowd: SimpleNamespace, gid: Any
) -> None:
    user, product = crowd.people[0], crowd.products[0]
    calls = [
        partial(send, SUBMIT, user, product=gid(product), rating=number % 5 + 1)
        for number in range(8)
    ]
    answers = at_once(*calls)
    assert [answer["data"]["reviewSubmit"]["userErrors"] for answer in answers] == [[]] * 8
    assert len({answer["data"]["reviewSubmit"]["review"]["id"] for answer in answers}) == 1
    assert Review.objects.count() == 1
    variant = gid(product.variants.first())
    answers = at_once(*[partial(send, ADD, user, variant=variant)] * 8)
    assert len({answer["data"]["wishlistAdd"]["wishlistItem"]["id"] for answer in answers}) == 1
    assert WishlistItem.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_many_at_once_do_not_pass_the_limit_of_wishes(
    at_once: Any, send: Any, crowd: SimpleNamespace, gid: Any
) -> None:
    user, (first, second) = crowd.people[0], crowd.products
    rows = [
        Variant(product=first, options_key=str(number), position=number)
        for number in range(wishlist.MAX_ITEMS - 2)
    ]
    Variant.objects.bulk_create(rows)
    WishlistItem.objects.bulk_create(WishlistItem(user=user, variant=row) for row in rows)
    wanted = [*first.variants.exclude(sku=None), *second.variants.all()]
    answers = at_once(*[partial(send, ADD, user, variant=gid(row)) for row in wanted])
    errors = [answer["data"]["wishlistAdd"]["userErrors"] for answer in answers]
    assert sorted(map(len, errors)) == [0, 0, *[1] * (len(wanted) - 2)]
    assert WishlistItem.objects.filter(user=user).count() == wishlist.MAX_ITEMS


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_a_product_is_deleted_under_its_reviews(
    attempt: int, at_once: Any, crowd: SimpleNamespace
) -> None:
    product = crowd.products[0]
    rows = [reviews.submit(user, product, rating=4, address=IP) for user in crowd.people[:4]]

    def decide(row: Review) -> None:
        for status in ("approved", "rejected") * 3:
            quietly(partial(reviews.moderate, row, status))

    late = partial(reviews.submit, crowd.people[5], product, rating=1, address=IP)
    calls = [partial(decide, row) for row in rows]
    answers = at_once(*calls, partial(products.delete, product), partial(quietly, late))
    assert answers[:5] == [None] * 5
    assert not isinstance(answers[5], Exception)
    assert not Review.objects.filter(product=product.pk).exists()
