"""The staff screen of reviews: they are read and decided about there, and never rewritten."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from shop.actions import reviews
from shop.models import AuditEntry, Product, Review, User
from tests.shop.admin.screens import change_url, list_url, messages_of, run_action, statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(shop: Any) -> list[Review]:
    """What three customers wrote about the lamp, the first with markup in their name's place."""
    users = [User.objects.create_user(f"reader-{number}@example.org") for number in range(3)]
    return [
        reviews.submit(user, shop.lamp, rating=place + 3, body="Bright & warm", address="192.0.2.1")
        for place, user in enumerate(users)
    ]


def clerk_with(client: Client, *names: str) -> User:
    user = User.objects.create_user("clerk-of-reviews@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return user


def rating(product: Product) -> tuple[int, int]:
    return Product.objects.values_list("rating", "rating_count").get(pk=product.pk)


def found(client: Client, **filters: Any) -> list[int]:
    return [
        row.rating for row in client.get(list_url("review", **filters)).context["cl"].result_list
    ]


def test_staff_approve_and_reject_what_they_choose(
    owner: Client, people: Any, shop: Any, written: list[Review]
) -> None:
    response = run_action(owner, "review", "approve", written[:2])
    assert messages_of(response) == ["2 reviews are now shown."]
    assert rating(shop.lamp) == (350, 2)
    response = run_action(owner, "review", "reject", written[1:])
    assert messages_of(response) == ["2 reviews are now not shown."]
    assert rating(shop.lamp) == (300, 1)
    assert list(Review.objects.order_by("pk").values_list("status", flat=True)) == [
        "approved",
        "rejected",
        "rejected",
    ]
    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.object_id, entry.difference["status"]) for entry in entries] == [
        (written[0].pk, ["pending", "approved"]),
        (written[1].pk, ["pending", "approved"]),
        (written[1].pk, ["approved", "rejected"]),
        (written[2].pk, ["pending", "rejected"]),
    ]
    told = {(entry.actor, entry.action, entry.source) for entry in entries}
    assert told == {(people.owner, "review.moderate", "admin")}
    assert LogEntry.objects.count() == 4


def test_what_is_decided_already_is_left_alone(owner: Client, written: list[Review]) -> None:
    run_action(owner, "review", "approve", written[:1])
    AuditEntry.objects.all().delete()
    response = run_action(owner, "review", "approve", written[:1])
    assert messages_of(response) == []
    assert not AuditEntry.objects.exists()


def test_the_list_is_searched_and_filtered(owner: Client, written: list[Review]) -> None:
    run_action(owner, "review", "approve", written[:1])
    assert found(owner) == [5, 4, 3]
    assert found(owner, status__exact="pending") == [5, 4]
    assert found(owner, status__in="approved") == [3]
    assert found(owner, rating="5") == [5]
    assert found(owner, rating="9") == [5, 4, 3]
    assert found(owner, is_verified__exact="1") == []
    assert found(owner, q="héron") == [5, 4, 3]
    assert found(owner, q="sketch") == []


def test_the_list_takes_constant_sql(owner: Client, shop: Any, written: list[Review]) -> None:
    statements(owner, list_url("review"))
    few = statements(owner, list_url("review"))
    user = User.objects.create_user("another@example.org")
    for product in (shop.lamp, shop.sketch):
        Review.objects.create(user=user, product=product, rating=1)
    assert len(statements(owner, list_url("review"))) == len(few)


def test_a_review_is_read_and_not_rewritten(owner: Client, written: list[Review]) -> None:
    page = owner.get(change_url(written[0]))
    assert "Bright &amp; warm" in page.content.decode()
    assert "reader-0@example.org" in page.content.decode()
    assert owner.post(change_url(written[0]), {"rating": 5}).status_code == 403
    assert Review.objects.get(pk=written[0].pk).rating == 3


def test_who_moderates_need_not_know_the_customers(client: Client, written: list[Review]) -> None:
    clerk_with(client, "view_review", "change_review")
    for url in (list_url("review"), change_url(written[0])):
        page = client.get(url)
        assert page.status_code == 200
        assert "reader-" not in page.content.decode()
    assert found(client, q="reader-0") == []
    assert messages_of(run_action(client, "review", "approve", written)) == [
        "3 reviews are now shown."
    ]


def test_who_may_only_look_decides_nothing(
    client: Client, shop: Any, written: list[Review]
) -> None:
    clerk_with(client, "view_review")
    run_action(client, "review", "approve", written)
    assert set(Review.objects.values_list("status", flat=True)) == {"pending"}
    assert rating(shop.lamp) == (0, 0)


def test_a_review_is_called_by_its_product_and_not_by_what_was_written(
    owner: Client, written: list[Review]
) -> None:
    response = owner.get(change_url(written[0]))
    assert response.context["subtitle"] == "★★★ for Heron Lamp"
    run_action(owner, "review", "approve", written[:1])
    assert LogEntry.objects.get().object_repr == "★★★ for Heron Lamp"
