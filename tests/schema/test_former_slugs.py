"""Former slugs: they lead to their object, and nobody else gets them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from shop.actions.catalog import categories, products, slugs, taxonomy
from shop.models import AuditEntry, Product, ProductStatus, User
from shop.models.slugs import FORMER_SLUGS

CREATE: dict[str, Callable[..., Any]] = {
    "Product": lambda **fields: products.create(
        status=ProductStatus.PUBLISHED, variants=[{"price": 100}], **fields
    ),
    "Category": categories.create,
    "Brand": taxonomy.create_brand,
    "Attribute": taxonomy.create_attribute,
    "Collection": taxonomy.create_collection,
}
UPDATE: dict[str, Callable[..., Any]] = {
    "Product": products.update,
    "Category": categories.update,
    "Brand": taxonomy.update_brand,
    "Attribute": taxonomy.update_attribute,
    "Collection": taxonomy.update_collection,
}
KINDS = tuple(CREATE)
kinds = pytest.mark.parametrize("kind", KINDS)


def lookup(api: Any, kind: str, slug: str, user: User | None = None) -> Any:
    """The object found by a slug, as the API shows it."""
    document = f"query($slug: String!) {{ {kind.lower()}(slug: $slug) {{ id slug }} }}"
    answer = api(document, user, slug=slug)
    assert "errors" not in answer, answer
    return answer["data"][kind.lower()]


def former_of(row: Any) -> set[str]:
    return set(row.former_slugs.values_list("slug", flat=True))


@pytest.fixture
def renamed(db: None) -> Callable[..., Any]:
    """`renamed("Brand")`: a row that had the slug "old" and has the slug "new"."""

    def make(kind: str) -> Any:
        row = CREATE[kind](name="Row", slug="old")
        UPDATE[kind](row, slug="new")
        return row

    return make


# --- Looking up -----------------------------------------------------------------------------------


@kinds
def test_a_former_slug_finds_the_object_with_its_present_slug(
    kind: str, api: Any, mutate: Any, gid: Any
) -> None:
    row = CREATE[kind](name="Row", slug="old")
    for slug in ("new", "newest"):
        payload = mutate(
            f"{kind.lower()}Update", f"{kind.lower()} {{ slug }}", id=gid(row), slug=slug
        )
        assert payload["userErrors"] == []
    for slug in ("old", "new", "newest"):
        assert lookup(api, kind, slug) == {"id": gid(row), "slug": "newest"}
    assert lookup(api, kind, "oldest") is None
    assert lookup(api, kind, "OLD") is None
    assert former_of(row) == {"old", "new"}


@kinds
def test_a_present_slug_costs_no_statement_more_and_a_miss_one(
    kind: str, api: Any, renamed: Any
) -> None:
    renamed(kind)
    counts = {}
    for slug in ("new", "old", "none"):
        with CaptureQueriesContext(connection) as captured:
            lookup(api, kind, slug)
        counts[slug] = len(captured)
    assert counts == {"new": 1, "old": 2, "none": 2}


@kinds
def test_the_generic_path_finds_former_slugs_too(kind: str, api: Any, renamed: Any) -> None:
    row = renamed(kind)
    # An alias of a plain field at two places is planned; a fragment on Node is not proven.
    document = (
        f"query($slug: String!) {{ {kind.lower()}(slug: $slug) {{ ...on Node {{ id }} slug }} }}"
    )
    assert api(document, slug="old")["data"][kind.lower()]["slug"] == row.slug


def test_shoppers_do_not_find_a_draft_by_its_former_slug(
    api: Any, renamed: Any, staff: User
) -> None:
    product = renamed("Product")
    products.update(product, status=ProductStatus.DRAFT)
    assert lookup(api, "Product", "old") is None
    assert lookup(api, "Product", "old", staff)["slug"] == "new"


FILTERS = {
    "Category": '{ products(filter: {category: "%s"}) { edges { node { name } } } }',
    "Brand": '{ products(filter: {brand: {in: ["none", "%s"]}}) { edges { node { name } } } }',
    "Collection": '{ products(filter: {collection: "%s"}) { edges { node { name } } } }',
    "Attribute": '{ products(filter: {attributes: [{attribute: "%s", in: ["wool"]}]}) '
    "{ edges { node { name } } } }",
}


@pytest.mark.parametrize("kind", FILTERS)
def test_filters_take_former_slugs_for_the_same_statements(
    kind: str, api: Any, renamed: Any
) -> None:
    row = renamed(kind)
    fields: dict[str, Any] = {kind.lower(): row} if kind in ("Category", "Brand") else {}
    if kind == "Category":
        # The subtree is taken in.
        fields["category"] = categories.create(name="Below", parent=row)
    if kind == "Attribute":
        fields["attribute_values"] = [taxonomy.add_value(row, "Wool")]
    product = CREATE["Product"](name="Hat", **fields)
    CREATE["Product"](name="Mug")
    if kind == "Collection":
        taxonomy.add_products(row, [product])
    counts = set()
    for slug, names in (("new", ["Hat"]), ("old", ["Hat"]), ("gone", [])):
        with CaptureQueriesContext(connection) as captured:
            answer = api(FILTERS[kind] % slug)
        counts.add(len(captured))
        assert [edge["node"]["name"] for edge in answer["data"]["products"]["edges"]] == names
    assert counts == {1}


def test_an_empty_list_of_brands_finds_nothing(api: Any, renamed: Any) -> None:
    CREATE["Product"](name="Hat", brand=renamed("Brand"))
    assert api("{ products(filter: {brand: {in: []}}) { totalCount } }")["data"]["products"] == {
        "totalCount": 0
    }


def test_parents_and_reviewed_products_are_filtered_by_former_slugs(
    api: Any, renamed: Any, staff: User
) -> None:
    categories.create(name="Below", parent=renamed("Category"))
    answer = api('{ categories(filter: {parent: "old"}) { edges { node { name } } } }')
    assert answer["data"]["categories"]["edges"] == [{"node": {"name": "Below"}}]
    renamed("Product").reviews.create(user=staff, rating=4, status="approved")
    for slug, total in (("old", 1), ("new", 1), ("none", 0)):
        answer = api(f'{{ reviews(filter: {{product: "{slug}"}}) {{ totalCount }} }}', staff)
        assert answer["data"]["reviews"]["totalCount"] == total


# --- Giving away ----------------------------------------------------------------------------------


@kinds
def test_another_object_does_not_get_a_former_slug(
    kind: str, renamed: Any, mutate: Any, refuse: Any, gid: Any
) -> None:
    renamed(kind)
    assert refuse(f"{kind.lower()}Create", name="Other", slug="old") == ("SLUG_RESERVED", ["slug"])
    other = CREATE[kind](name="Other")
    assert refuse(f"{kind.lower()}Update", id=gid(other), slug="old") == ("SLUG_RESERVED", ["slug"])
    payload = mutate(f"{kind.lower()}Create", name="Third", slug="old")
    assert payload["userErrors"] == [
        {
            "code": "SLUG_RESERVED",
            "message": "This is a former slug of “Row”, where it still leads. "
            "Release it there first.",
            "field": ["slug"],
        }
    ]


@kinds
def test_slugs_made_from_names_skip_former_ones(kind: str, renamed: Any) -> None:
    renamed(kind)
    assert CREATE[kind](name="Old").slug == "old-2"
    assert CREATE[kind](name="New").slug == "new-2"


@kinds
def test_a_row_takes_its_own_former_slug_back(kind: str, renamed: Any, api: Any) -> None:
    row = renamed(kind)
    UPDATE[kind](row, slug="old")
    assert (row.slug, former_of(row)) == ("old", {"new"})
    assert lookup(api, kind, "new")["slug"] == "old"
    UPDATE[kind](row, slug="old", name="Row again")
    assert former_of(row) == {"new"}


@kinds
def test_a_refused_update_keeps_no_former_slug(
    kind: str, renamed: Any, refuse: Any, gid: Any
) -> None:
    row = renamed(kind)
    assert refuse(f"{kind.lower()}Update", id=gid(row), slug="newer", name="") == (
        *("REQUIRED", ["name"]),
    )
    assert former_of(row) == {"old"}


@kinds
def test_former_slugs_go_with_their_object(kind: str, renamed: Any, mutate: Any, gid: Any) -> None:
    row = renamed(kind)
    values = {"contents": "REFUSE"} if kind == "Category" else {}
    assert mutate(f"{kind.lower()}Delete", "deletedId", id=gid(row), **values)["userErrors"] == []
    assert not FORMER_SLUGS[type(row)].objects.exists()
    assert CREATE[kind](name="Other", slug="old").slug == "old"


def test_each_type_has_former_slugs_of_its_own(renamed: Any) -> None:
    for kind in KINDS:
        renamed(kind)
    assert {model.objects.count() for model in FORMER_SLUGS.values()} == {1}


# --- Releasing ------------------------------------------------------------------------------------


@kinds
def test_a_released_slug_leads_nowhere_and_is_free(
    kind: str, renamed: Any, api: Any, mutate: Any, gid: Any, staff: User
) -> None:
    row = renamed(kind)
    name = kind.lower()
    payload = mutate(f"{name}Update", f"{name} {{ slug }}", id=gid(row), releaseSlugs=["old"])
    assert payload == {"userErrors": [], name: {"slug": "new"}}
    assert lookup(api, kind, "old") is None
    assert mutate(f"{name}Create", name="Other", slug="old")["userErrors"] == []
    assert lookup(api, kind, "old", staff)["slug"] == "old"
    entry = AuditEntry.objects.get(action=f"{name}.release_slug")
    assert entry.difference == {"former_slugs": [["old"], []]}


@kinds
def test_only_former_slugs_of_the_object_are_released(
    kind: str, renamed: Any, refuse: Any, gid: Any
) -> None:
    renamed(kind)
    other = CREATE[kind](name="Other")
    for slug in ("old", "new", "none"):
        refused = refuse(f"{kind.lower()}Update", id=gid(other), releaseSlugs=[slug])
        assert refused == ("NOT_FOUND", ["releaseSlugs", "0"])


@kinds
def test_a_rename_is_in_the_audit(kind: str, mutate: Any, gid: Any) -> None:
    row = CREATE[kind](name="Row", slug="old")
    mutate(f"{kind.lower()}Update", id=gid(row), slug="new")
    entry = AuditEntry.objects.get(action=f"{kind.lower()}.update")
    assert entry.difference["slug"] == ["old", "new"]


@kinds
def test_releasing_needs_the_permission_to_change_the_object(
    kind: str, renamed: Any, api: Any, gid: Any, customer: User, dump: Any
) -> None:
    row = renamed(kind)
    clerk = User.objects.create_user("clerk@example.org", "a clerk password", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename=f"view_{kind.lower()}"))
    name = f"{kind.lower()}Update"
    document = (
        f"mutation($input: {kind}UpdateInput!) {{ {name}(input: $input) {{ clientMutationId }} }}"
    )
    for user, code in ((None, "UNAUTHENTICATED"), (customer, "FORBIDDEN"), (clerk, "FORBIDDEN")):
        answer = api(document, user, input={"id": gid(row), "releaseSlugs": ["old"]})
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
        assert former_of(row) == {"old"}


@kinds
def test_staff_pages_show_and_release_former_slugs(
    kind: str, renamed: Any, staff: User, client: Client
) -> None:
    row = renamed(kind)
    client.force_login(staff)
    address = reverse(f"admin:shop_{kind.lower()}_change", args=[row.pk])
    page = client.get(address)
    assert ">old<" in page.content.decode()
    form = page.context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None}
    for formset in page.context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        initial = formset.formset.initial_form_count()
        data |= {f"{prefix}-TOTAL_FORMS": initial, f"{prefix}-INITIAL_FORMS": initial}
        for inner in formset.formset.initial_forms:
            data |= {
                inner.add_prefix(bound.name): "" if bound.value() is None else bound.value()
                for bound in inner
            }
        if prefix == "former_slugs":
            assert initial == 1
            data["former_slugs-0-DELETE"] = "on"
    answer = client.post(address, data | {"name": row.name, "slug": row.slug})
    assert answer.status_code == 302, answer.context["errors"]
    assert former_of(row) == set()


def test_the_viewer_of_a_page_cannot_release(renamed: Any, client: Client) -> None:
    brand = renamed("Brand")
    clerk = User.objects.create_user("clerk@example.org", "a clerk password", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_brand"))
    client.force_login(clerk)
    page = client.get(reverse("admin:shop_brand_change", args=[brand.pk])).content.decode()
    assert ">old<" in page
    assert "former_slugs-0-DELETE" not in page


# --- Saving ---------------------------------------------------------------------------------------


def test_a_slug_that_became_a_former_one_meanwhile_is_refused(
    renamed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shop.errors import SlugReserved

    checked: list[str] = []
    check = slugs.check_free

    def first_time_free(row: Any, slug: str) -> None:
        # The first check came before the other request committed.
        checked.append(slug)
        if len(checked) > 1:
            check(row, slug)

    renamed("Product")
    monkeypatch.setattr(slugs, "check_free", first_time_free)
    with pytest.raises(SlugReserved):
        CREATE["Product"](name="Other", slug="old")
    assert checked == ["old", "old"]
    assert Product.objects.count() == 1


def test_rest_answers_a_former_slug_with_the_present_one(renamed: Any, client: Client) -> None:
    renamed("Product")
    answer = client.get("/api/product-detail", {"slug": "old"})
    assert (answer.status_code, answer.json()["data"]["product"]["slug"]) == (200, "new")
    assert client.get("/api/product-detail", {"slug": "none"}).status_code == 404
