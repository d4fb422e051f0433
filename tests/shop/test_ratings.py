"""The rating that is kept on a product: what its reviews come to, whatever happens to them."""

import random
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Max, Sum
from django.test.utils import CaptureQueriesContext

from shop import tasks
from shop.actions import accounts, reviews
from shop.actions.catalog import products
from shop.actions.reviews import ratings
from shop.errors import IllegalMove, Invalid, NotFound
from shop.models import OutboxEvent, Product, Review, ReviewStatus, User

pytestmark = pytest.mark.django_db
IP = "192.0.2.1"


def stored(product: Product) -> tuple[int, int, int]:
    columns = Product.objects.values_list("rating", "rating_sum", "rating_count")
    return columns.get(pk=product.pk)


def expected(product: Product) -> tuple[int, int, int]:
    """What the rows say, counted here once more."""
    rows = Review.objects.filter(product=product.pk, status="approved")
    found = rows.aggregate(stars=Sum("rating"), count=Count("pk"))
    stars, count = found["stars"] or 0, found["count"]
    average = Fraction(100 * stars, count) if count else Fraction(0)
    return int(average + Fraction(1, 2)), stars, count


def right(world: SimpleNamespace) -> bool:
    return all(stored(product) == expected(product) for product in world.products)


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create_user(f"{number}@example.org") for number in range(6)]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What was logged as an error, and what was measured last."""
    seen = SimpleNamespace(errors=[], gauges={})
    monkeypatch.setattr(
        ratings.logger, "error", lambda text, *args: seen.errors.append(text % args)
    )
    monkeypatch.setattr(
        ratings.metrics, "gauge", lambda name, value: seen.gauges.update({name: value})
    )
    return seen


def review(user: User, product: Product, rating: int, status: str = "approved") -> Review:
    row = reviews.submit(user, product, rating=rating, address=IP)
    return row if status == "pending" else reviews.moderate(row, status)


# --- Kept ---------------------------------------------------------------------------------------


def test_after_anything_that_may_happen_the_rating_is_what_the_rows_say(
    world: SimpleNamespace, people: list[User], told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.throttling.check", lambda *args: None)
    chosen = random.Random(7)
    kinds = ["submit", "submit", "approved", "approved", "approved", "rejected", "delete"]
    most = 0
    for _ in range(300):
        rows = list(Review.objects.all())
        what = chosen.choice(kinds)
        if what == "submit":
            user, product = chosen.choice(people), chosen.choice(world.products)
            reviews.submit(user, product, rating=chosen.randint(1, 5), address=IP)
        elif rows:
            row = chosen.choice(rows)
            reviews.delete(row) if what == "delete" else reviews.moderate(row, what)
        assert right(world)
        most = max(most, Product.objects.aggregate(most=Max("rating_count"))["most"])
    # Some came to be shown, or nothing was proved.
    assert most > 2
    for user in people[:3]:
        accounts.erase(user)
        assert right(world)
    assert set(Review.objects.values_list("user", flat=True)) <= {row.pk for row in people[3:]}
    # All of it by relative changes: none of them had to be set right.
    assert told.errors == []


def test_a_row_in_hand_may_be_older_than_the_database(
    world: SimpleNamespace, people: list[User]
) -> None:
    product = world.products[0]
    row = review(people[0], product, 5)
    stale = Review.objects.get(pk=row.pk)
    reviews.moderate(row, "rejected")
    reviews.moderate(stale, "rejected")
    assert stored(product) == (0, 0, 0)
    reviews.moderate(stale, "approved")
    reviews.moderate(row, "approved")
    assert stored(product) == (500, 5, 1)
    reviews.submit(people[0], product, rating=1, address=IP)
    reviews.delete(stale)
    assert stored(product) == (0, 0, 0)
    for late in (lambda: reviews.delete(row), lambda: reviews.moderate(row, "approved")):
        with pytest.raises(NotFound):
            late()
    assert stored(product) == (0, 0, 0)


def test_a_change_of_what_is_not_as_it_was_read_is_refused(
    world: SimpleNamespace, people: list[User]
) -> None:
    """What the lock is for, the condition of the UPDATE sees to once more."""
    row = review(people[0], world.products[0], 5)
    Review.objects.filter(pk=row.pk).update(rating=4)
    with pytest.raises(IllegalMove):
        reviews.submitting.changed(row, status=ReviewStatus.REJECTED)
    assert Review.objects.values_list("status", "rating").get() == ("approved", 4)
    assert stored(world.products[0]) == (500, 5, 1)


@pytest.mark.parametrize("status", ["pending", "shown", ""])
def test_there_are_two_decisions(status: str, world: SimpleNamespace, people: list[User]) -> None:
    row = review(people[0], world.products[0], 5)
    with pytest.raises(Invalid):
        reviews.moderate(row, status)
    assert stored(world.products[0]) == (500, 5, 1)


def test_the_database_rounds_as_python_does(world: SimpleNamespace) -> None:
    """Also with more reviews than 32 bits can reckon with."""
    product = world.products[0]
    cases = [(stars, count) for count in range(1, 41) for stars in range(count, 5 * count + 1, 3)]
    cases += [(401_999_997, 100_000_000), (2_000_000_000, 400_000_001)]
    rows = Product.objects.filter(pk=product.pk)
    for stars, count in cases:
        rows.update(rating_sum=stars - 1, rating_count=count - 1, rating=0)
        if not count - 1 <= stars - 1 <= 5 * count:
            continue
        ratings.add([product.pk], stars=1, count=1)
        assert stored(product) == (ratings.hundredths(stars, count), stars, count)
    assert ratings.hundredths(33, 8) == 413
    assert ratings.hundredths(0, 0) == 0


def test_erasing_an_account_takes_its_reviews_and_their_stars(
    world: SimpleNamespace, people: list[User]
) -> None:
    gone, other = people[:2]
    for product, rating in zip(world.products, (5, 3, 5, 1), strict=True):
        review(gone, product, rating, "pending" if rating == 1 else "approved")
        review(other, product, 2)
    keys = set(Review.objects.filter(user=gone).values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as captured:
        accounts.erase(gone)
    updates = [
        query["sql"] for query in captured if query["sql"].startswith('UPDATE "shop_product"')
    ]
    # One for each rating that was given, however many products there are.
    assert len(updates) <= 2
    assert [stored(product) for product in world.products] == [(200, 2, 1)] * 4
    assert set(Review.objects.values_list("user", flat=True)) == {other.pk}
    told = OutboxEvent.objects.filter(topic="review.deleted")
    assert {event.payload["id"] for event in told} == keys
    assert all(event.payload.keys() == {"id"} for event in told)


def test_a_deleted_account_is_erased_too(
    world: SimpleNamespace, people: list[User], staff: User
) -> None:
    review(people[0], world.products[0], 5)
    accounts.remove(people[0], by=staff)
    assert stored(world.products[0]) == (0, 0, 0)


def test_a_deleted_product_takes_its_reviews(world: SimpleNamespace, people: list[User]) -> None:
    review(people[0], world.products[0], 5)
    review(people[0], world.products[1], 4)
    products.delete(world.products[0])
    assert list(Review.objects.values_list("product", flat=True)) == [world.products[1].pk]
    assert stored(world.products[1]) == (400, 4, 1)
    # Nor does its author's erasure stumble over what is gone.
    accounts.erase(people[0])
    assert stored(world.products[1]) == (0, 0, 0)


def test_staff_who_edit_a_product_leave_its_rating_alone(
    world: SimpleNamespace, people: list[User]
) -> None:
    stale = Product.objects.get(pk=world.products[0].pk)
    review(people[0], world.products[0], 5)
    products.update(stale, name="Cup")
    products.set_status(stale, "draft")
    assert stored(stale) == (500, 5, 1)


# --- Repaired -----------------------------------------------------------------------------------


def test_a_healthy_shop_has_nothing_to_repair(
    world: SimpleNamespace, people: list[User], told: Any, dump: Any
) -> None:
    for user in people:
        for product in world.products[:2]:
            review(user, product, user.pk % 5 + 1)
    before = dump()
    assert reviews.repair() == []
    assert dump() == before
    assert (told.errors, told.gauges) == ([], {"reviews.drifted": 0})


@pytest.mark.parametrize(
    "drift",
    [
        lambda product: Product.objects.filter(pk=product.pk).update(rating=1),
        lambda product: Product.objects.filter(pk=product.pk).update(rating_sum=1),
        lambda product: Product.objects.filter(pk=product.pk).update(rating_count=7),
        lambda product: product.reviews.filter(rating=5).update(status="rejected"),
        lambda product: product.reviews.filter(rating=5).update(rating=1),
        lambda product: product.reviews.all().delete(),
    ],
    ids=["rating", "sum", "count", "status", "stars", "gone"],
)
def test_drift_is_found_and_repaired(
    drift: Any, world: SimpleNamespace, people: list[User], told: Any
) -> None:
    for product in world.products[:2]:
        review(people[0], product, 5)
        review(people[1], product, 2)
    drift(world.products[0])
    assert not right(world)
    tasks.repair_derived()
    assert right(world)
    assert told.errors == [f"Ratings of 1 products had drifted: {[world.products[0].pk]}"]
    assert told.gauges["reviews.drifted"] == 1
    assert reviews.repair() == []


@pytest.mark.parametrize(("stars", "count"), [(0, 0), (4, 0), (3, 1), (40, 2)])
def test_what_had_drifted_is_set_right_with_the_next_change(
    stars: int, count: int, world: SimpleNamespace, people: list[User], told: Any
) -> None:
    product = world.products[0]
    row = review(people[0], product, 5)
    review(people[1], product, 2)
    Product.objects.filter(pk=product.pk).update(rating_sum=stars, rating_count=count)
    reviews.moderate(row, "rejected")
    assert stored(product) == (200, 2, 1)
    assert len(told.errors) == 1


def test_looking_takes_one_statement_for_each_batch(
    world: SimpleNamespace, people: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            reviews.repair()
        return len(captured)

    review(people[0], world.products[0], 5)
    # One for all, and one look at the end.
    assert statements() == 2
    monkeypatch.setattr(ratings, "_BATCH", 2)
    assert statements() == 2 + 1
    Product.objects.update(rating=7)
    assert reviews.repair() == [product.pk for product in world.products]
    assert right(world)
