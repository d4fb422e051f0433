"""Reviews in the API: customers write them, staff decide, products tell what they come to."""

import datetime
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from shop.actions import reviews
from shop.actions.catalog import products
from shop.actions.reviews import ratings
from shop.models import (
    AuditEntry,
    Order,
    OrderLine,
    OutboxEvent,
    Product,
    Review,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from shop.throttling import REVIEW

PARTS = "rating title body author isVerified status createdAt updatedAt"
SHOWN = f"""query($slug: String, $filter: ReviewFilter, $order: ProductReviewOrder) {{
  product(slug: $slug) {{ rating {{ average count }} reviews(filter: $filter, orderBy: $order) {{
    totalCount edges {{ node {{ {PARTS} user {{ email }} }} }} }} }} }}"""
MINE = f"{{ viewer {{ reviews {{ edges {{ node {{ {PARTS} itemReviewed {{ slug }} }} }} }} }} }}"
ALL = """query($filter: ReviewFilter) { reviews(filter: $filter) {
  totalCount edges { node { title status user { email } itemReviewed { slug } } } } }"""
NODE = """query($id: ID!) { node(id: $id) { ... on Review {
  title status user { email } itemReviewed { slug } } } }"""
NOTHING = {"average": None, "count": 0}


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("bob@example.org", "another password")


@pytest.fixture
def call(api: Any) -> Callable[..., dict[str, Any]]:
    """`call("reviewSubmit", user, **values)`: the whole answer."""

    def send(mutation: str, user: User | None, /, **values: Any) -> dict[str, Any]:
        chosen = "deletedId" if mutation == "reviewDelete" else f"review {{ id {PARTS} }}"
        document = (
            f"mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ "
            f"{mutation}(input: $input) {{ {chosen} userErrors {{ code message field }} }} }}"
        )
        return api(document, user, input=values)

    return send


@pytest.fixture
def write(call: Any, mug: SimpleNamespace) -> Callable[..., dict[str, Any]]:
    """`write(user, rating=4)`: their review of the first mug."""

    def send(user: User, **values: Any) -> dict[str, Any]:
        payload = call("reviewSubmit", user, **{"product": mug.id, "rating": 4} | values)["data"]
        assert payload["reviewSubmit"]["userErrors"] == []
        return payload["reviewSubmit"]["review"]

    return send


@pytest.fixture
def decide(call: Any, staff: User) -> Callable[..., dict[str, Any]]:
    """`decide(review, "APPROVED")`: as staff."""

    def send(review: dict[str, Any], status: str, **values: Any) -> dict[str, Any]:
        answer = call("reviewModerate", staff, id=review["id"], status=status, **values)
        assert answer["data"]["reviewModerate"]["userErrors"] == []
        return answer["data"]["reviewModerate"]["review"]

    return send


@pytest.fixture
def shown(api: Any) -> Callable[..., dict[str, Any]]:
    """`shown(user=None)`: the first mug with its rating and its reviews."""

    def ask(user: User | None = None, slug: str = "mug-1", **variables: Any) -> dict[str, Any]:
        answer = api(SHOWN, user, slug=slug, **variables)
        assert "errors" not in answer, answer
        return answer["data"]["product"]

    return ask


def rating() -> tuple[int, int, int]:
    return Product.objects.values_list("rating", "rating_sum", "rating_count").get(slug="mug-1")


def buy(user: User | None, product: Product, status: str, **fields: Any) -> None:
    """An order with one line of the product's first variant."""
    place = Order.objects.count()
    amounts = dict.fromkeys(("subtotal", "total"), 100) | dict.fromkeys(
        ("discount", "shipping", "tax"), 0
    )
    order = Order.objects.create(
        number=f"N{place}",
        digest=f"{place:064}",
        user=user,
        email="ann@example.org",
        email_key="ann@example.org",
        status=status,
        currency="USD",
        tax_included=True,
        shipping_address={},
        **amounts,
    )
    line = {"variant": product.variants.first(), "name": product.name, "quantity": 1} | fields
    OrderLine.objects.create(
        order=order,
        position=1,
        unit_price=100,
        subtotal=100,
        discount=0,
        tax_rate=0,
        tax=0,
        total=100,
        currency="USD",
        **line,
    )


# --- Writing ------------------------------------------------------------------------------------


def test_a_review_waits_for_staff(
    write: Any, shown: Any, api: Any, customer: User, other: User, staff: User
) -> None:
    texts = {"title": " Good\n mug ", "body": " Holds tea.\r\nAnd coffee. ", "author": "Ann  B."}
    review = write(customer, rating=5, **texts)
    assert {name: review[name] for name in ("rating", "title", "body", "author", "status")} == {
        "rating": 5,
        "title": "Good mug",
        "body": "Holds tea.\nAnd coffee.",
        "author": "Ann B.",
        "status": "PENDING",
    }
    assert review["isVerified"] is False
    # Not even its author, or staff, find it at the product.
    for user in (None, other, customer, staff):
        found = shown(user)
        assert (found["rating"], found["reviews"]["totalCount"]) == (NOTHING, 0)
    (edge,) = api(MINE, customer)["data"]["viewer"]["reviews"]["edges"]
    assert edge["node"] == {
        **{name: value for name, value in review.items() if name != "id"},
        "itemReviewed": {"slug": "mug-1"},
    }
    assert api(MINE, other)["data"]["viewer"]["reviews"]["edges"] == []
    assert rating() == (0, 0, 0)


def test_what_staff_approve_is_shown_and_counts(
    write: Any, decide: Any, shown: Any, customer: User, other: User
) -> None:
    first, second = write(customer, rating=5), write(other, rating=4, title="Fine")
    assert decide(first, "APPROVED")["status"] == "APPROVED"
    assert shown()["rating"] == {"average": "5.00", "count": 1}
    decide(second, "APPROVED")
    found = shown()
    assert found["rating"] == {"average": "4.50", "count": 2}
    # The newest first; who wrote it is nobody's business.
    nodes = [edge["node"] for edge in found["reviews"]["edges"]]
    assert [(node["title"], node["user"]) for node in nodes] == [("Fine", None), ("", None)]
    decide(second, "REJECTED")
    found = shown()
    assert (found["rating"], found["reviews"]["totalCount"]) == (
        {"average": "5.00", "count": 1},
        1,
    )
    assert rating() == (500, 5, 1)


def test_submitting_again_changes_the_one_review_and_waits_anew(
    write: Any, decide: Any, shown: Any, customer: User, other: User
) -> None:
    decide(write(other, rating=2), "APPROVED")
    first = write(customer, rating=5, title="Good", body="Very.", author="Ann")
    decide(first, "APPROVED")
    assert rating() == (350, 7, 2)
    again = write(customer, rating=1, title="Broke")
    assert (again["id"], again["createdAt"]) == (first["id"], first["createdAt"])
    assert again["updatedAt"] > first["updatedAt"]
    # It is replaced as a whole.
    assert [again[name] for name in ("rating", "title", "body", "author", "status")] == [
        1,
        "Broke",
        "",
        "",
        "PENDING",
    ]
    assert rating() == (200, 2, 1)
    assert shown()["reviews"]["totalCount"] == 1
    decide(again, "APPROVED")
    assert rating() == (150, 3, 2)
    assert Review.objects.count() == 2


def test_a_rejected_review_may_be_written_anew(
    write: Any, decide: Any, shown: Any, customer: User
) -> None:
    decide(write(customer, title="Rubbish"), "REJECTED")
    again = write(customer, title="Not for me", rating=2)
    assert again["status"] == "PENDING"
    decide(again, "APPROVED")
    assert shown()["rating"] == {"average": "2.00", "count": 1}


@pytest.mark.parametrize(
    ("stars", "average", "stored"),
    [((5, 5, 4), "4.67", 467), ((1, 1, 2), "1.33", 133), ((5, 4, 4, 4, 4, 4, 4, 4), "4.13", 413)],
)
def test_averages_are_rounded_half_up(
    stars: tuple[int, ...],
    average: str,
    stored: int,
    mug: SimpleNamespace,
    shown: Any,
    decide: Any,
    gid: Any,
) -> None:
    for number, each in enumerate(stars):
        user = User.objects.create_user(f"{number}@example.org")
        review = Review.objects.create(user=user, product=mug.row, rating=each)
        decide({"id": gid(review)}, "APPROVED")
    assert shown()["rating"] == {"average": average, "count": len(stars)}
    assert rating() == (stored, sum(stars), len(stars))
    assert stored == ratings.hundredths(sum(stars), len(stars))


@pytest.mark.parametrize(
    ("status", "fields", "verified"),
    [
        ("confirmed", {}, True),
        ("completed", {"quantity": 3}, True),
        ("pending", {}, False),
        ("cancelled", {}, False),
        ("expired", {}, False),
        ("confirmed", {"variant": None}, False),
    ],
)
def test_whoever_bought_it_is_verified(
    status: str,
    fields: dict[str, Any],
    verified: bool,
    write: Any,
    customer: User,
    mug: SimpleNamespace,
) -> None:
    buy(customer, mug.row, status, **fields)
    assert write(customer)["isVerified"] is verified


def test_what_others_bought_or_another_product_verifies_nobody(
    write: Any, customer: User, other: User, world: SimpleNamespace
) -> None:
    buy(other, world.products[0], "completed")
    buy(None, world.products[0], "completed")
    buy(customer, world.products[1], "completed")
    review = write(customer)
    assert review["isVerified"] is False
    # Having bought it since, they are verified when they write again.
    buy(customer, world.products[0], "confirmed")
    assert write(customer, rating=5)["isVerified"] is True
    assert write(other)["isVerified"] is True


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"rating": 0}, ["rating"]),
        ({"rating": 6}, ["rating"]),
        ({"rating": -(2**31)}, ["rating"]),
        ({"rating": 2**31 - 1}, ["rating"]),
        ({"title": "x" * 151}, ["title"]),
        ({"body": "x" * 5001}, ["body"]),
        ({"author": "x" * 101}, ["author"]),
        ({"title": "<b>Good</b>"}, ["title"]),
        ({"body": "Good.<br>Very."}, ["body"]),
        ({"body": "<script>alert(1)</script>"}, ["body"]),
        ({"body": "<\x01script>alert(1)"}, ["body"]),
        ({"body": "<!-- -->"}, ["body"]),
        ({"author": "</p>"}, ["author"]),
        ({"rating": 9, "title": "<i>", "body": "x" * 5001}, ["rating", "title", "body"]),
    ],
)
def test_every_fault_is_told_at_its_field_and_nothing_is_written(
    given: dict[str, Any],
    fields: list[str],
    call: Any,
    write: Any,
    mug: SimpleNamespace,
    customer: User,
    dump: Any,
) -> None:
    write(customer)
    before = dump()
    answer = call("reviewSubmit", customer, **{"product": mug.id, "rating": 5} | given)
    payload = answer["data"]["reviewSubmit"]
    assert payload["review"] is None
    errors = [(error["code"], error["field"]) for error in payload["userErrors"]]
    assert errors == [("INVALID", [name]) for name in fields]
    assert all(error["message"].endswith(".") for error in payload["userErrors"])
    assert dump() == before


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("I <3 it, 1 < 2 and 3 > 2 & so on", "I <3 it, 1 < 2 and 3 > 2 & so on"),
        ("&lt;b&gt;", "&lt;b&gt;"),
        ("a\x1b[31mb\x7f\u202ec", "a[31mbc"),
        ("x" * 5000, "x" * 5000),
        ("one\r\n\r\ntwo\rthree\tfour", "one\n\ntwo\nthree four"),
        ("😀 ﷽ ß", "😀 ﷽ ß"),
    ],
)
def test_plain_text_is_kept_as_it_is(text: str, stored: str, write: Any, customer: User) -> None:
    assert write(customer, body=text)["body"] == stored


def test_null_texts_are_empty(write: Any, customer: User) -> None:
    review = write(customer, title=None, body=None, author=None)
    assert (review["title"], review["body"], review["author"]) == ("", "", "")


def test_nul_in_a_text_is_refused(
    call: Any, mug: SimpleNamespace, customer: User, dump: Any
) -> None:
    before = dump()
    answer = call("reviewSubmit", customer, product=mug.id, rating=5, body="a\x00b")
    (error,) = answer["data"]["reviewSubmit"]["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["body"])
    assert dump() == before


@pytest.mark.parametrize("status", ["draft", "archived", "scheduled"])
def test_only_what_is_on_sale_is_reviewed(
    status: str, call: Any, mug: SimpleNamespace, customer: User, staff: User, dump: Any
) -> None:
    if status == "scheduled":
        tomorrow = timezone.now() + datetime.timedelta(days=1)
        Product.objects.filter(pk=mug.row.pk).update(published_at=tomorrow)
    else:
        products.set_status(mug.row, status)
    before = dump()
    # Staff see the product, but not they either.
    for user in (customer, staff):
        answer = call("reviewSubmit", user, product=mug.id, rating=5)
        (error,) = answer["data"]["reviewSubmit"]["userErrors"]
        assert (error["code"], error["field"]) == ("NOT_FOUND", ["product"])
    assert dump() == before


def test_an_account_writes_so_many_and_not_more(
    call: Any, mug: SimpleNamespace, customer: User, other: User, dump: Any
) -> None:
    given = {"product": mug.id, "rating": 3}
    for _ in range(REVIEW.pair.tries):
        assert "errors" not in call("reviewSubmit", customer, **given)
    before = dump()
    (error,) = call("reviewSubmit", customer, **given)["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < error["extensions"]["retryAfter"] <= 600
    assert dump() == before
    assert "errors" not in call("reviewSubmit", other, **given)


def test_a_rating_changes_nothing_else_of_the_product(
    write: Any, decide: Any, customer: User, mug: SimpleNamespace
) -> None:
    before = Product.objects.filter(pk=mug.row.pk).values().get()
    decide(write(customer, rating=3), "APPROVED")
    after = Product.objects.filter(pk=mug.row.pk).values().get()
    changed = {name: after[name] for name in after if after[name] != before[name]}
    assert changed == {"rating": 300, "rating_sum": 3, "rating_count": 1}


# --- Deleting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [None, "APPROVED", "REJECTED"])
def test_a_deleted_review_no_longer_counts(
    status: str | None, write: Any, decide: Any, call: Any, customer: User, other: User
) -> None:
    decide(write(other, rating=2), "APPROVED")
    review = write(customer, rating=5)
    if status:
        decide(review, status)
    answer = call("reviewDelete", customer, id=review["id"])["data"]["reviewDelete"]
    assert answer == {"deletedId": review["id"], "userErrors": []}
    assert rating() == (200, 2, 1)
    assert list(Review.objects.values_list("user", flat=True)) == [other.pk]


def test_what_webhooks_and_the_audit_keep_of_a_review_goes_with_it(
    write: Any, decide: Any, call: Any, customer: User, staff: User
) -> None:
    own = write(staff, rating=5, body="Ann Baker made it.")
    decide(own, "APPROVED")
    endpoint = WebhookEndpoint.objects.create(url="https://x.example/", secret="s", topics=["*"])
    for event in OutboxEvent.objects.filter(topic__startswith="review."):
        WebhookDelivery.objects.create(
            endpoint=endpoint, event=event, topic=event.topic, body="x", next_at=timezone.now()
        )
    User.objects.filter(pk=staff.pk).update(is_staff=False, is_superuser=False)
    author = User.objects.get(pk=staff.pk)
    assert call("reviewDelete", author, id=own["id"])["data"]["reviewDelete"]["deletedId"]
    assert not WebhookDelivery.objects.exists()
    told = [entry.difference for entry in AuditEntry.objects.filter(object_type="Review")]
    assert told
    assert "Baker" not in str(told)


def test_reviews_of_others_answer_as_missing_ones(
    write: Any, call: Any, customer: User, other: User, staff: User, unknown: Any, dump: Any
) -> None:
    review = write(customer)
    before = dump()
    # Not even those who see all reviews delete them here.
    for user in (other, staff):
        answers = [
            call("reviewDelete", user, id=global_id)
            for global_id in (review["id"], unknown("Review"))
        ]
        assert answers[0] == answers[1]
        (error,) = answers[0]["data"]["reviewDelete"]["userErrors"]
        assert (error["code"], error["field"]) == ("NOT_FOUND", ["id"])
    assert dump() == before


@pytest.mark.parametrize("mutation", ["reviewSubmit", "reviewDelete", "reviewModerate"])
def test_an_id_of_something_else_is_refused(
    mutation: str, call: Any, staff: User, unknown: Any
) -> None:
    given: dict[str, Any] = {"id": unknown("Brand"), "status": "APPROVED"}
    if mutation == "reviewSubmit":
        given = {"product": unknown("Brand"), "rating": 5}
    elif mutation == "reviewDelete":
        del given["status"]
    answer = call(mutation, staff, **given)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


# --- Deciding -----------------------------------------------------------------------------------


def test_deciding_the_same_again_changes_nothing(
    write: Any, decide: Any, customer: User, dump: Any
) -> None:
    review = write(customer)
    decide(review, "APPROVED")
    before = dump()
    assert decide(review, "APPROVED")["status"] == "APPROVED"
    assert dump() == before


def test_a_decision_is_recorded_and_touches_nothing_of_the_author(
    write: Any, decide: Any, customer: User, staff: User
) -> None:
    review = write(customer)
    decided = decide(review, "APPROVED")
    assert decided == review | {"status": "APPROVED"}
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.source) == (staff, "review.moderate", "api")
    assert entry.difference == {"status": ["pending", "approved"]}


def test_what_staff_have_not_read_they_do_not_approve(
    write: Any, decide: Any, call: Any, customer: User, staff: User, dump: Any
) -> None:
    review = write(customer, title="Good")
    again = write(customer, title="Buy pills")
    before = dump()
    answer = call(
        "reviewModerate",
        staff,
        id=review["id"],
        status="APPROVED",
        updatedAt=review["updatedAt"],
    )
    (error,) = answer["data"]["reviewModerate"]["userErrors"]
    assert (error["code"], error["field"]) == ("ILLEGAL_MOVE", ["updatedAt"])
    assert dump() == before
    decide(again, "REJECTED", updatedAt=again["updatedAt"])
    assert Review.objects.get().status == "rejected"


def test_staff_decide_about_what_they_may_see_only(
    write: Any, call: Any, customer: User, unknown: Any, dump: Any
) -> None:
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="change_review"))
    review = write(customer)
    before = dump()
    answers = [
        call("reviewModerate", clerk, id=global_id, status="APPROVED")
        for global_id in (review["id"], unknown("Review"))
    ]
    assert answers[0] == answers[1]
    (error,) = answers[0]["data"]["reviewModerate"]["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["id"])
    assert dump() == before


@pytest.mark.parametrize(("who", "code"), [("nobody", "UNAUTHENTICATED"), ("author", "FORBIDDEN")])
def test_nobody_approves_their_own(
    who: str, code: str, write: Any, call: Any, customer: User, dump: Any
) -> None:
    review = write(customer)
    before = dump()
    user = customer if who == "author" else None
    answer = call("reviewModerate", user, id=review["id"], status="APPROVED")
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert dump() == before


def test_staff_cannot_put_a_review_back(call: Any, write: Any, customer: User, staff: User) -> None:
    answer = call("reviewModerate", staff, id=write(customer)["id"], status="PENDING")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


# --- Reading ------------------------------------------------------------------------------------


def test_each_sees_what_is_theirs_to_see(
    write: Any, decide: Any, api: Any, customer: User, other: User, staff: User
) -> None:
    """Each asks in both orders, so that no plan of one serves another."""
    review = write(customer, title="Good")
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_review"))
    helper = User.objects.create_user("helper@example.org", is_staff=True)
    people = [None, other, customer, staff, clerk, helper]
    for status in ("PENDING", "APPROVED", "REJECTED"):
        if status != "PENDING":
            decide(review, status)
        for user in [*people, *reversed(people)]:
            node = api(NODE, user, id=review["id"])["data"]["node"]
            if status != "APPROVED" and user not in (customer, staff, clerk):
                assert node is None
                continue
            seen = {"email": customer.email} if user in (customer, staff) else None
            assert node == {
                "title": "Good",
                "status": status,
                "user": seen,
                "itemReviewed": {"slug": "mug-1"},
            }


def test_what_is_said_of_withdrawn_products_is_not_shown(
    write: Any, decide: Any, api: Any, mug: SimpleNamespace, customer: User, other: User
) -> None:
    review = write(customer, title="Good")
    decide(review, "APPROVED")
    products.set_status(mug.row, "archived")
    for user in (None, other):
        assert api(NODE, user, id=review["id"])["data"]["node"] is None
    # Its author keeps it; that the product is gone does not take it away.
    own = api(NODE, customer, id=review["id"])["data"]["node"]
    assert (own["title"], own["itemReviewed"]) == ("Good", None)


def test_the_list_is_for_staff_who_may_view_reviews(
    write: Any, decide: Any, api: Any, customer: User, other: User, staff: User
) -> None:
    write(customer, title="First", rating=2)
    decide(write(other, title="Second", rating=5), "APPROVED")
    helper = User.objects.create_user("helper@example.org", is_staff=True)
    for user, code in ((None, "UNAUTHENTICATED"), (customer, "FORBIDDEN"), (helper, "FORBIDDEN")):
        answer = api(ALL, user)
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code]

    def titles(**conditions: Any) -> list[str]:
        found = api(ALL, staff, filter=conditions)["data"]["reviews"]
        assert found["totalCount"] == len(found["edges"])
        return [edge["node"]["title"] for edge in found["edges"]]

    assert titles() == ["Second", "First"]
    assert titles(status={"in": ["PENDING"]}) == ["First"]
    assert titles(status={"in": []}) == []
    assert titles(rating={"in": [5, 3]}) == ["Second"]
    assert titles(rating={"in": [2**31 - 1]}) == []
    assert titles(product="mug-1") == ["Second", "First"]
    assert titles(product="mug-2") == []
    assert titles(verified=True) == []


def test_products_list_their_reviews_as_asked(shown: Any, mug: SimpleNamespace) -> None:
    for number, each in enumerate((3, 5, 1, 5)):
        Review.objects.create(
            user=User.objects.create_user(f"{number}@example.org"),
            product=mug.row,
            rating=each,
            title=str(number),
            status="rejected" if number == 2 else "approved",
            is_verified=number == 3,
        )

    def titles(**variables: Any) -> str:
        edges = shown(**variables)["reviews"]["edges"]
        return " ".join(edge["node"]["title"] for edge in edges)

    assert titles() == "3 1 0"
    assert titles(order={"field": "RATING", "direction": "ASC"}) == "0 1 3"
    assert titles(order={"field": "RATING", "direction": "DESC"}) == "3 1 0"
    assert titles(order={"field": "CREATED", "direction": "ASC"}) == "0 1 3"
    assert titles(filter={"rating": {"in": [5]}}) == "3 1"
    assert titles(filter={"verified": True}) == "3"
    assert titles(filter={"verified": False}) == "1 0"
    # Another status than shown is not there, whoever asks.
    assert titles(filter={"status": {"in": ["REJECTED", "PENDING"]}}) == ""


def test_products_are_sorted_by_rating(api: Any, world: SimpleNamespace) -> None:
    for product, stored in zip(world.products, (300, 450, 0, 449), strict=True):
        Product.objects.filter(pk=product.pk).update(rating=stored)
    document = """query($order: ProductOrder, $after: String) {
      products(first: 2, after: $after, orderBy: $order) {
        edges { node { slug } } pageInfo { endCursor } } }"""
    order = {"field": "RATING", "direction": "DESC"}
    first = api(document, order=order)["data"]["products"]
    after = first["pageInfo"]["endCursor"]
    second = api(document, order=order, after=after)["data"]["products"]
    slugs = [edge["node"]["slug"] for page in (first, second) for edge in page["edges"]]
    assert slugs == ["mug-2", "mug-4", "mug-1", "mug-3"]


# --- Telling ------------------------------------------------------------------------------------


def test_events_tell_what_happens_and_nothing_that_was_written(
    write: Any, decide: Any, call: Any, customer: User
) -> None:
    review = write(customer, rating=5, title="Good", body="Very.", author="Ann")
    decide(review, "APPROVED")
    decide(review, "REJECTED")
    call("reviewDelete", customer, id=review["id"])
    told = OutboxEvent.objects.filter(topic__startswith="review.").order_by("sequence")
    facts = {"product": "mug-1", "rating": 5}
    pk = told[0].payload["id"]
    assert [(event.topic, event.payload) for event in told] == [
        ("review.submitted", {"id": pk, **facts, "status": "pending"}),
        ("review.approved", {"id": pk, **facts, "status": "approved"}),
        ("review.rejected", {"id": pk, **facts, "status": "rejected"}),
        ("review.deleted", {"id": pk, **facts, "status": "rejected"}),
    ]


def test_an_account_that_was_just_erased_writes_nothing(
    mug: SimpleNamespace, customer: User, dump: Any
) -> None:
    User.objects.filter(pk=customer.pk).update(erased_at=timezone.now())
    before = dump()
    with pytest.raises(reviews.submitting.NotFound):
        reviews.submit(customer, mug.row, rating=5, address="192.0.2.1")
    assert dump() == before
