"""A copy of all that the shop keeps about someone: made for themself, and nobody else gets it."""

import datetime
import json
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.actions import accounts, jobs, reviews
from shop.actions.accounts import exporting
from shop.actions.catalog import products
from shop.actions.customers import Device, addresses, open_session
from shop.actions.jobs import files, holding
from shop.actions.reviews import wishlist
from shop.models import AuditEntry, Job, JobKind, JobStatus, SentMail, User
from shop.tasks import mail_job

EXPORT = "mutation { accountExport(input: {}) { job { id kind status } userErrors { code } } }"
ASK = """query($id: ID!) { job(id: $id) {
  status error progress { percent } createdByEmail result { url fileName problemsUrl } } }"""
NODE = "query($id: ID!) { node(id: $id) { ... on Job { status result { url } } } }"
NODES = "query($id: ID!) { nodes(ids: [$id]) { ... on Job { status } } }"
PLACE = {"line1": "Allee 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("bob@example.org", "another password")


def staff_with(*names: str) -> User:
    user = User.objects.create_user(f"{'-'.join(names) or 'none'}@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def code(answer: dict[str, Any]) -> str:
    (error,) = answer["errors"]
    return error["extensions"]["code"]


# --- The whole way -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_customer_gets_all_that_is_kept_about_them(
    api: Any, customer: User, other: User, client: Client, settings: Any
) -> None:
    device = Device("Netscape/4.0", "203.0.113.7")
    open_session(customer, lifetime=datetime.timedelta(days=1), device=device)
    addresses.create(customer, name="Ann Baker", company="Bakery", **PLACE)
    addresses.create(other, name="Bob Butcher", **PLACE)
    mug = products.create(name="Mug", variants=[{"sku": "M-1", "price": 900}], status="published")
    for user, author in ((customer, "Ann"), (other, "Bob")):
        reviews.submit(user, mug, rating=4, title="Fine", author=author, address="203.0.113.7")
        wishlist.add(user, mug.variants.get())
    # One went to an address that the account had before.
    for key, recipient, user in (("a-1", "former@example.org", customer), ("b-1", "x@y.z", other)):
        SentMail.objects.create(key=key, template="session_ended", recipient=recipient, user=user)
    for user, names in ((customer, ["Anne", "Ann"]), (other, ["B", "Bob"])):
        AuditEntry.objects.create(
            actor=other,
            action="user.update",
            source="api",
            object_type="User",
            object_id=user.pk,
            difference={"name": names},
        )
    payload = api(EXPORT, customer)["data"]["accountExport"]
    assert payload["userErrors"] == []
    assert payload["job"]["kind"] == "EXPORT_ACCOUNT"
    job = api(ASK, customer, id=payload["job"]["id"])["data"]["job"]
    assert (job["status"], job["error"], job["progress"]) == ("SUCCEEDED", "", {"percent": 100})
    assert job["createdByEmail"] == customer.email
    response = client.get(job["result"]["url"])
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    name = job["result"]["fileName"]
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    text = b"".join(response.streaming_content).decode()
    assert "Bob" not in text
    assert "bob@example.org" not in text
    assert customer.password not in text
    found = json.loads(text)
    assert list(found) == ["shop", "writtenAt", *exporting.SECTIONS]
    assert found["profile"]["email"] == "ann@example.org"
    assert [(row["line1"], row["company"]) for row in found["addresses"]] == [("Allee 1", "Bakery")]
    (review,) = found["reviews"]
    assert [
        review[name] for name in ("product", "rating", "title", "body", "author", "status")
    ] == [
        "Mug",
        4,
        "Fine",
        "",
        "Ann",
        "pending",
    ]
    assert [(row["product"], row["sku"]) for row in found["wishlist"]] == [("Mug", "M-1")]
    (session,) = found["sessions"]
    assert (session["userAgent"], session["address"]) == ("Netscape/4.0", "203.0.113.7")
    assert [row["kind"] for row in found["jobs"]] == ["export_account"]
    assert [row["recipient"] for row in found["mails"]] == ["former@example.org"]
    assert [row["difference"] for row in found["changesByStaff"]] == [{"name": ["Anne", "Ann"]}]
    assert (found["deedsAsStaff"], found["deedsOnStaffScreens"]) == ([], [])


def test_what_staff_did_to_addresses_is_told_to_whom_they_belong(
    staff: User, customer: User, other: User, client: Client
) -> None:
    client.force_login(staff)
    form = {"line1": "Allee 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
    for user, name in ((customer, "Ann Baker"), (other, "Bob Butcher")):
        client.post(reverse("admin:shop_address_add"), form | {"user": user.pk, "name": name})
    mine = customer.addresses.get()
    changed = form | {"user": customer.pk, "name": "Anna Baker"}
    client.post(reverse("admin:shop_address_change", args=[mine.pk]), changed)
    client.post(reverse("admin:shop_address_delete", args=[mine.pk]), {"post": "yes"})
    found = exporting.document(customer)["changesByStaff"]
    assert [row["action"] for row in found] == [
        "address.create",
        "address.update",
        "address.delete",
    ]
    assert found[1]["difference"] == {"name": ["Ann Baker", "Anna Baker"]}
    assert "Bob" not in str(found)


def test_staff_learn_what_is_kept_of_their_work(staff: User, other: User) -> None:
    staff.groups.add(Group.objects.create(name="Owners"))
    AuditEntry.objects.create(
        actor=staff,
        action="user.update",
        source="admin",
        object_type="User",
        object_id=other.pk,
        difference={"name": ["B", "Bob"]},
        address="203.0.113.9",
    )
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(other.pk),
        object_repr=other.email,
        action_flag=CHANGE,
    )
    found = exporting.document(staff)
    assert found["profile"]["groups"] == ["Owners"]
    (deed,) = found["deedsAsStaff"]
    assert (deed["action"], deed["objectId"], deed["address"]) == (
        "user.update",
        other.pk,
        "203.0.113.9",
    )
    (deed,) = found["deedsOnStaffScreens"]
    assert (deed["objectType"], deed["objectId"]) == ("user", str(other.pk))
    # What they did to others tells nothing of those.
    assert "bob" not in str(found).lower()


def test_everything_that_refers_to_users_is_in_the_export_or_left_out_for_a_reason() -> None:
    found = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model is User
    }
    assert len(found) > 5
    covered = {name for section in exporting.SECTIONS.values() for name in section.covers}
    assert found - covered - exporting.LEFT_OUT.keys() == set()
    assert covered - found == set()
    assert covered & exporting.LEFT_OUT.keys() == set()


# --- One at a time -------------------------------------------------------------------------------


def test_an_export_under_way_is_not_begun_twice(api: Any, customer: User, other: User) -> None:
    first = api(EXPORT, customer)["data"]["accountExport"]["job"]
    assert api(EXPORT, customer)["data"]["accountExport"]["job"] == first
    assert api(EXPORT, other)["data"]["accountExport"]["job"]["id"] != first["id"]
    holding.Hold.claim(Job.objects.get(created_by=customer).pk)
    again = api(EXPORT, customer)["data"]["accountExport"]["job"]
    assert again == first | {"status": "RUNNING"}
    assert Job.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_new_export_takes_the_place_of_the_last(
    api: Any, customer: User, other: User, client: Client
) -> None:
    accounts.start_export(other)
    urls = []
    for _ in range(2):
        job = api(EXPORT, customer)["data"]["accountExport"]["job"]
        urls.append(api(ASK, customer, id=job["id"])["data"]["job"]["result"]["url"])
    assert Job.objects.filter(created_by=customer).count() == 1
    assert Job.objects.filter(created_by=other).count() == 1
    assert client.get(urls[0]).status_code == 404
    response = client.get(urls[1])
    assert response.status_code == 200
    response.close()
    assert len(files.storage().listdir("jobs")[0]) == 2


# --- Whose ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("backwards", [False, True])
def test_an_export_is_for_its_owner(
    backwards: bool, api: Any, customer: User, other: User, staff: User, gid: Any, unknown: Any
) -> None:
    """Everyone asks twice and in both orders, so that no plan of one serves another."""
    job = accounts.start_export(customer)
    Job.objects.filter(pk=job.pk).update(kind=JobKind.EXPORT_ACCOUNT)
    jobs.run(job.pk)
    seer = staff_with("view_job")
    people = [None, customer, other, staff_with("add_job", "change_job"), seer, staff]
    for user in (people[::-1] if backwards else people) * 2:
        asked = api(ASK, user, id=gid(job))
        node = api(NODE, user, id=gid(job))["data"]["node"]
        nodes = api(NODES, user, id=gid(job))["data"]["nodes"]
        if user in (customer, seer, staff):
            assert asked["data"]["job"]["status"] == "SUCCEEDED"
            assert nodes == [{"status": "SUCCEEDED"}]
            # Who sees that there is such a job does not see what is in it.
            for result in (asked["data"]["job"]["result"], node["result"]):
                assert (result["url"] is not None) == (user == customer)
        elif user is None:
            assert code(asked) == "UNAUTHENTICATED"
            assert (node, nodes) == (None, [None])
        else:
            assert asked == api(ASK, user, id=unknown("Job")) == {"data": {"job": None}}
            assert (node, nodes) == (None, [None])


def test_customers_have_no_list_of_jobs_and_see_no_others(
    api: Any, customer: User, gid: Any
) -> None:
    accounts.start_export(customer)
    assert code(api("{ jobs { totalCount } }", customer)) == "FORBIDDEN"
    theirs = jobs.start_export(by=customer)
    nobodys = jobs.start_export(by=None)
    Job.objects.filter(pk=nobodys.pk).update(kind=JobKind.EXPORT_ACCOUNT)
    for job in (theirs, nobodys):
        assert api(ASK, customer, id=gid(job)) == {"data": {"job": None}}
        assert api(NODE, None, id=gid(job)) == {"data": {"node": None}}


def test_nobody_exports_without_signing_in(api: Any, db: None, dump: Any) -> None:
    before = dump()
    assert code(api(EXPORT)) == "UNAUTHENTICATED"
    assert dump() == before


def test_the_staff_screens_have_no_link_to_it(client: Client, customer: User, staff: User) -> None:
    for user in (customer, staff):
        job = accounts.start_export(user)
        jobs.run(job.pk)
        client.force_login(staff)
        page = client.get(reverse("admin:shop_job_change", args=[job.pk])).content.decode()
        assert "Only for whom it is about" in page
        assert "/downloads/" not in page


# --- Its end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("succeeds", [True, False])
def test_the_mail_sends_customers_to_their_account(
    succeeds: bool, customer: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SITE_URL = "https://shop.example.org"
    job = accounts.start_export(customer)
    if not succeeds:
        monkeypatch.setattr(exporting, "document", lambda user: 1 / 0)
    jobs.run(job.pk)
    jobs.tell(job.pk)
    assert mail_job.name == "shop.mail_job"
    (sent,) = mail.outbox
    assert sent.to == ["ann@example.org"]
    assert ("ready" in sent.subject) == succeeds
    assert "https://shop.example.org" in sent.body
    assert "admin" not in sent.body
    assert "/downloads/" not in sent.body
    assert customer.mails.count() == 1


def test_who_was_erased_meanwhile_leaves_no_file(
    customer: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    job = accounts.start_export(customer)
    keep = files.keep

    def erase_and_keep(*args: Any) -> str:
        # The worst moment: all was read, and nothing is stored yet.
        with django_capture_on_commit_callbacks(execute=True):
            accounts.erase(customer)
        return keep(*args)

    monkeypatch.setattr(files, "keep", erase_and_keep)
    jobs.run(job.pk)
    assert not Job.objects.exists()
    assert [files.storage().listdir(f"jobs/{name}")[1] for name in _folders()] in ([], [[]])


def test_a_job_whose_account_is_gone_fails(customer: User) -> None:
    job = accounts.start_export(customer)
    Job.objects.update(created_by=None)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.FAILED, "There is no such account.")


def test_the_clock_removes_what_a_dead_process_left(customer: User) -> None:
    job = accounts.start_export(customer)
    jobs.run(job.pk)
    # What should follow the commit does not come.
    jobs.discard(Job.objects.filter(pk=job.pk))
    assert not Job.objects.get().created_by_id
    assert _folders()
    assert jobs.purge(timezone.now().replace(year=2000)) == 1
    assert (_folders(), Job.objects.count()) == ([], 0)


def _folders() -> list[str]:
    return files.storage().listdir("jobs")[0]
