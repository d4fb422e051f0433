"""The staff screens of the background: dead letters to try again or to drop, and events."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from shop.admin.navigation import sidebar
from shop.models import DeferredTask, OutboxEvent, TaskState, User
from tests.shop.admin.screens import change_url, list_url

pytestmark = pytest.mark.django_db
LONG = "ValueError: " + "it went wrong " * 40 + "at the very end"
SCREENS = ("deferredtask", "outboxevent")


@pytest.fixture
def owner(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


def clerk_with(*permissions: str) -> User:
    user = User.objects.create_user("clerk@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def keep(key: str, state: str = TaskState.DEAD, **fields: Any) -> DeferredTask:
    defaults = {
        "name": "shop.mail_job",
        "args": [7],
        "queue": "mail",
        "attempts": 10,
        "error": LONG,
        "next_at": timezone.now() + timedelta(hours=1),
    }
    return DeferredTask.objects.create(key=key, state=state, **defaults | fields)


def happen(count: int, topic: str = "brand.created", **fields: Any) -> list[OutboxEvent]:
    start = OutboxEvent.objects.count()
    rows = [
        OutboxEvent(topic=topic, aggregate=f"brand:{start + n}", sequence=1, **fields)
        for n in range(count)
    ]
    return OutboxEvent.objects.bulk_create(rows)


def run_action(client: Client, action: str, rows: list[DeferredTask]) -> list[str]:
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0}
    response = client.post(list_url("deferredtask"), data, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_the_list_shows_a_short_error_and_the_screen_of_one_the_whole(owner: Client) -> None:
    dead = keep("a")
    listed = owner.get(list_url("deferredtask")).content.decode()
    assert "Dead letters and retries" in listed
    for shown in ("shop.mail_job", "[7]", "given up", "never", "ValueError: it went wrong"):
        assert shown in listed
    assert "at the very end" not in listed
    assert "at the very end" in owner.get(change_url(dead)).content.decode()


def test_dead_letters_and_waiting_tasks_are_told_apart(owner: Client) -> None:
    keep("a")
    keep("b", TaskState.WAITING)
    for state, key in ((TaskState.DEAD, "a"), (TaskState.WAITING, "b")):
        response = owner.get(list_url("deferredtask", state__exact=state))
        assert [row.key for row in response.context["cl"].result_list] == [key]


@pytest.mark.parametrize(
    ("words", "keys"), [("thumbnails", ["two"]), ("one", ["one"]), ("three", [])]
)
def test_a_task_is_found_by_name_or_key(words: str, keys: list[str], owner: Client) -> None:
    keep("one")
    keep("two", name="shop.make_thumbnails")
    found = owner.get(list_url("deferredtask", q=words)).context["cl"].result_list
    assert [row.key for row in found] == keys


def test_dead_letters_start_afresh_and_waiting_tasks_at_once(owner: Client) -> None:
    rows = [keep("a"), keep("b", TaskState.WAITING, attempts=3)]
    untouched = keep("c")
    assert run_action(owner, "try_again", rows) == ["2 to be tried again."]
    dead, waiting, other = DeferredTask.objects.order_by("key")
    assert (dead.state, dead.attempts) == (TaskState.WAITING, 0)
    assert (waiting.state, waiting.attempts) == (TaskState.WAITING, 3)
    assert max(dead.next_at, waiting.next_at) <= timezone.now()
    assert (other.state, other.next_at) == (TaskState.DEAD, untouched.next_at)


def test_only_dead_letters_are_dropped(owner: Client) -> None:
    rows = [keep("a"), keep("b", TaskState.WAITING)]
    keep("c")
    assert run_action(owner, "drop", rows) == [
        "1 dropped.",
        "What waits to be tried again is not dropped.",
    ]
    assert list(DeferredTask.objects.order_by("key").values_list("key", flat=True)) == ["b", "c"]


@pytest.mark.parametrize(
    ("permission", "actions"),
    [("view", set()), ("change", {"try_again"}), ("delete", {"drop"})],
)
def test_each_permission_allows_its_own(permission: str, actions: set[str], client: Client) -> None:
    client.force_login(clerk_with("view_deferredtask", f"{permission}_deferredtask"))
    kept = keep("a")
    response = client.get(list_url("deferredtask"))
    form = response.context["action_form"]
    offered = {name for name, _ in form.fields["action"].choices if name} if form else set()
    assert offered == actions
    for refused in {"try_again", "drop"} - actions:
        run_action(client, refused, [kept])
    row = DeferredTask.objects.get()
    assert (row.state, row.attempts) == (TaskState.DEAD, 10)


@pytest.mark.parametrize("name", SCREENS)
def test_nobody_adds_changes_or_deletes_by_form(name: str, owner: Client) -> None:
    row = keep("a") if name == "deferredtask" else happen(1)[0]
    before = type(row).objects.values().get()
    assert owner.get(reverse(f"admin:shop_{name}_add")).status_code == 403
    assert owner.post(change_url(row), {"name": "x", "topic": "x"}).status_code == 403
    delete = reverse(f"admin:shop_{name}_delete", args=[row.pk])
    assert owner.post(delete, {"post": "yes"}).status_code == 403
    assert type(row).objects.values().get() == before
    page = owner.get(change_url(row)).content.decode()
    assert 'name="_save"' not in page


@pytest.mark.parametrize("name", SCREENS)
def test_staff_without_permission_see_nothing(name: str, client: Client) -> None:
    user = clerk_with("view_product")
    client.force_login(user)
    row = keep("a") if name == "deferredtask" else happen(1)[0]
    assert client.get(list_url(name)).status_code == 403
    assert client.get(change_url(row)).status_code == 403
    assert list_url(name) not in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("name", SCREENS)
def test_customers_are_sent_to_sign_in(name: str, client: Client, customer: User) -> None:
    client.force_login(customer)
    response = client.get(list_url(name))
    assert response.status_code == 302
    assert response.url.startswith(reverse("admin:login"))


def test_the_sidebar_has_them_under_background(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = clerk_with("view_deferredtask", "view_outboxevent")
    (group,) = sidebar(request)
    assert group["title"] == "Background"
    assert [(item["title"], item["link"]) for item in group["items"]] == [
        ("Dead letters and retries", list_url("deferredtask")),
        ("Events", list_url("outboxevent")),
    ]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 6),
        ({"topic": "media.uploaded"}, 1),
        ({"topic": "brand.deleted"}, 0),
        ({"dispatched": "no"}, 4),
        ({"dispatched": "yes"}, 2),
        ({"dispatched": "maybe"}, 6),
        ({"q": "brand:1"}, 1),
        ({"q": "brand"}, 0),
    ],
)
def test_events_are_found(filters: dict[str, str], count: int, owner: Client) -> None:
    happen(2, dispatched_at=timezone.now())
    happen(3)
    happen(1, "media.uploaded")
    response = owner.get(list_url("outboxevent", **filters))
    assert len(response.context["cl"].result_list) == count


def test_an_event_is_shown_with_what_it_tells(owner: Client) -> None:
    (event,) = happen(1, payload={"id": 4711})
    page = owner.get(change_url(event)).content.decode()
    for shown in ("4711", "brand:0", "brand.created", str(event.uid)):
        assert shown in page


def test_events_are_paged_and_never_counted(owner: Client) -> None:
    happen(60)
    owner.get(list_url("outboxevent"))
    with CaptureQueriesContext(connection) as captured:
        first = owner.get(list_url("outboxevent", q=""))
    asked = [query["sql"] for query in captured if "outboxevent" in query["sql"]]
    assert len(asked) == 1
    assert "COUNT" not in asked[0]
    # What stands for the number that nobody has counted.
    assert "9999999999" not in first.content.decode()
    second = owner.get(list_url("outboxevent", p="2"))
    shown = [len(page.context["cl"].result_list) for page in (first, second)]
    assert shown == [50, 10]


@pytest.mark.parametrize("name", SCREENS)
def test_lists_take_constant_sql(name: str, owner: Client) -> None:
    def more() -> int:
        if name == "deferredtask":
            for _ in range(2):
                keep(f"key{DeferredTask.objects.count()}")
        else:
            happen(2)
        owner.get(list_url(name))
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(list_url(name)).status_code == 200
        return len(captured)

    assert more() == more()
