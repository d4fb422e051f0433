"""Several members of staff rename objects at once; a slug leads to one object at most."""

from typing import Any

import pytest
from graphql_relay import to_global_id

from shop.actions.catalog import categories, taxonomy
from shop.models import Brand, User
from shop.models.slugs import BrandFormerSlug

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
UPDATE = """mutation($input: BrandUpdateInput!) {
  brandUpdate(input: $input) { brand { slug } userErrors { code } } }"""
CREATE = """mutation($input: BrandCreateInput!) {
  brandCreate(input: $input) { brand { slug } userErrors { code } } }"""
REFUSALS = {"DUPLICATE_SLUG", "SLUG_RESERVED"}


def check_owners() -> dict[str, str]:
    """The name of the brand that each slug leads to; no slug leads to two."""
    present = dict(Brand.objects.values_list("slug", "name"))
    former = dict(BrandFormerSlug.objects.values_list("slug", "owner__name"))
    assert not present.keys() & former.keys()
    return present | former


def outcome(answer: dict[str, Any]) -> str:
    """Result of a mutation: "done" or the code of its error."""
    assert "errors" not in answer, answer
    ((_, payload),) = answer["data"].items()
    return payload["userErrors"][0]["code"] if payload["userErrors"] else "done"


@pytest.fixture
def pair(transactional_db: None) -> tuple[Brand, Brand]:
    return taxonomy.create_brand(name="A", slug="a"), taxonomy.create_brand(name="B", slug="b")


@pytest.mark.parametrize("attempt", range(5))
def test_two_brands_that_swap_slugs_keep_their_own(
    attempt: int, pair: Any, at_once: Any, send: Any, staff: User
) -> None:
    a, b = (to_global_id("Brand", brand.pk) for brand in pair)
    answers = at_once(
        lambda: send(UPDATE, staff, input={"id": a, "slug": "b"}),
        lambda: send(UPDATE, staff, input={"id": b, "slug": "a"}),
    )
    assert {outcome(answer) for answer in answers} <= REFUSALS
    assert check_owners() == {"a": "A", "b": "B"}


@pytest.mark.parametrize("attempt", range(5))
def test_a_slug_that_is_given_up_at_the_same_moment_is_not_taken(
    attempt: int, pair: Any, at_once: Any, send: Any, staff: User
) -> None:
    a, b = (to_global_id("Brand", brand.pk) for brand in pair)
    answers = at_once(
        lambda: send(UPDATE, staff, input={"id": b, "slug": "c"}),
        lambda: send(UPDATE, staff, input={"id": a, "slug": "b"}),
        lambda: send(CREATE, staff, input={"name": "D", "slug": "b"}),
        lambda: send(CREATE, staff, input={"name": "B"}),
    )
    renamed, *taken, made = map(outcome, answers)
    assert (renamed, made) == ("done", "done")
    assert set(taken) <= REFUSALS
    owners = check_owners()
    assert {slug: owners[slug] for slug in "abc"} == {"a": "A", "b": "B", "c": "B"}
    assert Brand.objects.get(name="B", slug__startswith="b").slug == "b-2"


@pytest.mark.parametrize("attempt", range(5))
def test_one_brand_renamed_twice_at_once_keeps_all_its_slugs(
    attempt: int, pair: Any, at_once: Any, send: Any, staff: User
) -> None:
    a = to_global_id("Brand", pair[0].pk)
    answers = at_once(
        *(
            lambda slug=slug: send(UPDATE, staff, input={"id": a, "slug": slug})
            for slug in ("x", "y", "a")
        )
    )
    assert [outcome(answer) for answer in answers] == ["done"] * 3
    owners = check_owners()
    assert set(owners) == {"a", "b", "x", "y"}
    assert {owners[slug] for slug in "axy"} == {"A"}


@pytest.mark.parametrize("attempt", range(5))
def test_renaming_a_category_does_not_deadlock_with_moving_it(attempt: int, at_once: Any) -> None:
    home, garden = (categories.create(name=name) for name in ("Home", "Garden"))
    results = at_once(
        lambda: categories.update(home, slug="house"),
        lambda: categories.move(home, garden),
        lambda: categories.update(garden, slug="yard"),
    )
    assert [result for result in results if isinstance(result, Exception)] == []
    home.refresh_from_db()
    assert (home.slug, home.parent_id, home.former_slugs.get().slug) == ("house", garden.pk, "home")
