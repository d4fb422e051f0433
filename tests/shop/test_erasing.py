"""After an erasure no table and no file tells who it was: everything there is, is read through."""

import datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session as ScreenSession
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from graphql_relay import to_global_id

from shop.actions import accounts, audit, jobs, reviews
from shop.actions.accounts import erasing
from shop.actions.accounts.erasing import ERASED
from shop.actions.catalog import products
from shop.actions.customers import Device, addresses, links, open_session, profiles, users
from shop.actions.webhooks import endpoints
from shop.models import (
    Address,
    AuditEntry,
    AuditSource,
    DeferredTask,
    Job,
    OutboxEvent,
    Product,
    RefreshToken,
    Review,
    SentMail,
    Session,
    User,
    WebhookDelivery,
    WishlistItem,
)
from tests.shop.traces import everything, places_of

EMAIL = "Annabel.Quux@Example.org"
NAME = "Annabel Quux-Zebedee"
AGENT = "Netscape/4.0 (Quuxphone)"
IP = "203.0.113.77"
PASSWORD = "a customer password"
# Whatever tells of her; searched for in any case.
TRACES = [
    "annabel",
    "quux",
    "zebedee",
    "aardvark",
    "12175550123",
    "62704",
    "netscape",
    IP,
    "bakery of note",
]
SIGN_IN = """mutation($email: String!, $password: String!) {
  tokenAuth(input: {email: $email, password: $password}) { token refreshToken } }"""
ADDRESS = """mutation($input: AddressCreateInput!) { addressCreate(input: $input) {
  address { id } userErrors { code field } } }"""
EXPORT = "mutation { accountExport(input: {}) { job { id status } userErrors { code } } }"
REVIEW = """mutation($input: ReviewSubmitInput!) { reviewSubmit(input: $input) {
  userErrors { code field } } }"""
WISH = """mutation($variant: ID!) { wishlistAdd(input: {variant: $variant}) {
  userErrors { code field } } }"""
ERASE = """mutation($password: String!) { accountErase(input: {password: $password}) {
  erased userErrors { code } } }"""
REFRESH = """mutation($token: String!) { refreshToken(input: {refreshToken: $token}) {
  token userErrors { code } } }"""
PLACE = {
    "name": NAME,
    "company": "Bakery of Note",
    "line1": "1 Aardvark St",
    "city": "Springfield",
    "region": "IL",
    "postalCode": "62704",
    "country": "US",
    "phone": "+1 217 555 0123",
}


def traces(email: str = EMAIL) -> dict[str, list[str]]:
    """Which traces there are, with the tables and files that have them."""
    return places_of([*TRACES, email.lower()])


def post(document: str, bearer: str = "", /, **variables: Any) -> dict[str, Any]:
    headers = {"User-Agent": AGENT}
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    answer = Client(REMOTE_ADDR=IP).post(
        "/graphql/",
        {"query": document, "variables": variables},
        content_type="application/json",
        headers=headers,
    )
    return answer.json()["data"]


def test_an_erased_customer_is_nowhere(transactional_db: None, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    staff = User.objects.create_superuser("staff@example.org", "a staff password")
    screens = Client()
    screens.force_login(staff)
    user = _customer_of(screens)
    token = _life_through_the_api(user, staff)
    _life_behind_the_scenes(user, staff, screens)
    before = traces()
    assert before.keys() == {*TRACES, EMAIL.lower()}
    tables = {table for found in before.values() for table in found}
    # Each of these had something to forget.
    assert {
        "shop.User",
        "shop.Address",
        "shop.Review",
        "shop.Session",
        "shop.SentMail",
        "shop.AuditEntry",
        "shop.DeferredTask",
        "shop.WebhookDelivery",
        "admin.LogEntry",
    } <= tables
    assert any(table.endswith(".json") for table in tables), "the export has a file"
    # Events tell of keys only: there is nothing in them to be erased.
    assert OutboxEvent.objects.count() > 1
    assert "shop.OutboxEvent" not in tables
    answer = post(ERASE, token, password=PASSWORD)["accountErase"]
    assert answer == {"erased": True, "userErrors": []}
    assert traces() == {}
    assert not WishlistItem.objects.exists()
    assert Product.objects.values_list("rating", "rating_count").get() == (0, 0)
    assert str(user.pk) not in _owners_of_screen_sessions()
    assert not Job.objects.exists()
    assert OutboxEvent.objects.get(topic="user.erased").payload == {"id": user.pk}
    assert LogEntry.objects.filter(object_id=str(user.pk), user=staff).exists()
    assert AuditEntry.objects.filter(object_type="User", object_id=user.pk).count() == 3
    assert _owners_of_screen_sessions() == {str(staff.pk)}


def _customer_of(screens: Client) -> User:
    """An account that staff named, and gave a group, on their screens."""
    user = User.objects.create_user(EMAIL, PASSWORD)
    group = Group.objects.create(name="Support")
    changed = {"email": EMAIL, "name": NAME, "is_active": "on", "groups": [group.pk]}
    screens.post(reverse("admin:shop_user_change", args=[user.pk]), changed)
    user.refresh_from_db()
    assert (user.name, LogEntry.objects.count()) == (NAME, 1)
    return user


def _life_through_the_api(user: User, staff: User) -> str:
    """Devices, an address, an export that was mailed; an endpoint that is told of it by name."""
    document = "query($id: ID!) { node(id: $id) { ... on Job { createdByEmail } } }"
    endpoints.create(
        url="https://hooks.example.net/", topics=["job.finished"], query=document, by=staff
    )
    signed_in = [
        post(SIGN_IN, email=EMAIL.upper(), password=PASSWORD)["tokenAuth"] for _ in range(2)
    ]
    assert post(REFRESH, token=signed_in[1]["refreshToken"])["refreshToken"]["userErrors"] == []
    token = signed_in[0]["token"]
    assert post(ADDRESS, token, input=PLACE)["addressCreate"]["userErrors"] == []
    assert post(EXPORT, token)["accountExport"]["userErrors"] == []
    _opinions(token, staff)
    assert SentMail.objects.filter(recipient=EMAIL).exists()
    assert WebhookDelivery.objects.filter(body__contains=EMAIL).exists()
    assert Session.objects.filter(user=user, user_agent=AGENT, address=IP).count() == 2
    return token


def _opinions(token: str, staff: User) -> None:
    """A review that is shown and a wish; an endpoint is told of reviews in their own words."""
    document = "query($id: ID!) { node(id: $id) { ... on Review { author body } } }"
    endpoints.create(
        url="https://words.example.net/", topics=["review.approved"], query=document, by=staff
    )
    mug = products.create(name="Mug", variants=[{"sku": "M", "price": 900}], status="published")
    given = {"product": to_global_id("Product", mug.pk), "rating": 5}
    given |= {"author": NAME, "body": "I am Annabel."}
    assert post(REVIEW, token, input=given)["reviewSubmit"]["userErrors"] == []
    variant = to_global_id("Variant", mug.variants.get().pk)
    assert post(WISH, token, variant=variant)["wishlistAdd"]["userErrors"] == []
    with audit.acting(staff, AuditSource.API, None):
        reviews.moderate(Review.objects.get(), "approved")
    assert WebhookDelivery.objects.filter(body__contains="I am Annabel").exists()
    assert Product.objects.values_list("rating", "rating_count").get() == (500, 1)


def _life_behind_the_scenes(user: User, staff: User, screens: Client) -> None:
    """What staff did with the account, and she on the screens; a mail that was refused."""
    entries = [
        ("User", user.pk, staff, {"email": ["old@example.org", EMAIL], "name": ["", NAME]}),
        ("Address", user.addresses.get().pk, staff, {"line1": ["", "1 Aardvark St"]}),
        ("User", user.pk, user, {"name": [None, NAME]}),
    ]
    for object_type, key, actor, difference in entries:
        AuditEntry.objects.create(
            actor=actor,
            action="user.update",
            source="admin",
            object_type=object_type,
            object_id=key,
            difference=difference,
            address=IP if actor == user else None,
        )
    DeferredTask.objects.create(
        key="a",
        name="shop.mail_job",
        queue="mail",
        next_at=timezone.now(),
        error=f"SMTPRecipientsRefused: {{'{EMAIL.lower()}': (550, b'unknown')}}",
    )
    SentMail.objects.create(key="b-1", template="session_ended", recipient=EMAIL.upper(), user=user)
    Client().force_login(user)
    assert _owners_of_screen_sessions() == {str(user.pk), str(staff.pk)}


def _owners_of_screen_sessions() -> set[str]:
    return {row.get_decoded()["_auth_user_id"] for row in ScreenSession.objects.all()}


def _address_by_staff(screens: Client, user: User) -> Address:
    """An address that staff made and changed on their screens."""
    place = {"name": NAME, "city": "Springfield", "region": "IL", "postal_code": "62704"}
    place |= {"company": "Bakery of Note", "country": "US", "phone": "+1 217 555 0123"}
    form = {"user": user.pk, "line1": "1 Aardvark St", **place}
    screens.post(reverse("admin:shop_address_add"), form)
    address = Address.objects.latest("pk")
    changed = reverse("admin:shop_address_change", args=[address.pk])
    screens.post(changed, form | {"line1": "2 Aardvark St", "name": f"Dr {NAME}"})
    actions = [entry.action for entry in _told_of(address.pk)]
    assert actions == ["address.create", "address.update"]
    return address


def _told_of(address: int) -> list[AuditEntry]:
    rows = AuditEntry.objects.filter(object_type="Address", object_id=address)
    return list(rows.order_by("pk"))


@pytest.mark.django_db
@pytest.mark.parametrize("gone", ["by staff", "by the customer", "not at all"])
def test_what_staff_did_to_addresses_is_forgotten_also_when_they_are_gone(
    gone: str, client: Client, staff: User
) -> None:
    client.force_login(staff)
    user = User.objects.create_user(EMAIL, name=NAME)
    pk = _address_by_staff(client, user).pk
    if gone == "by staff":
        client.post(reverse("admin:shop_address_delete", args=[pk]), {"post": "yes"})
    elif gone == "by the customer":
        addresses.delete(Address.objects.get(pk=pk))
        # Nothing could tell later whose it was.
        assert "aardvark" not in str([entry.difference for entry in _told_of(pk)]).lower()
    assert Address.objects.filter(pk=pk).exists() == (gone == "not at all")
    accounts.erase(user)
    assert traces() == {}
    entries = _told_of(pk)
    assert len(entries) == (3 if gone == "by staff" else 2)
    for entry in entries:
        assert entry.actor == staff
        assert set(map(tuple, entry.difference.values())) == {(ERASED, ERASED)}


@pytest.mark.django_db
def test_addresses_of_others_that_are_gone_stay_in_the_audit(client: Client, staff: User) -> None:
    client.force_login(staff)
    user, other = (User.objects.create_user(f"{name}@example.org") for name in ("ann", "bob"))
    pk = _address_by_staff(client, other).pk
    client.post(reverse("admin:shop_address_delete", args=[pk]), {"post": "yes"})
    accounts.erase(user)
    made, changed, removed = (entry.difference for entry in _told_of(pk))
    assert (made["user"], removed["user"]) == ([None, other.pk], [other.pk, None])
    assert changed["line1"] == ["1 Aardvark St", "2 Aardvark St"]


@pytest.mark.django_db
def test_others_keep_what_is_theirs(customer: User, staff: User) -> None:
    other = User.objects.create_user("bob@example.org", "another password", name="Bob")
    for key, owner in (("a", customer), ("b", other), ("c", None)):
        SentMail.objects.create(
            key=key, template="session_ended", recipient="x@example.org", user=owner
        )
    AuditEntry.objects.create(
        actor=staff,
        action="user.update",
        source="api",
        object_type="User",
        object_id=other.pk,
        difference={"name": ["", "Bob"]},
    )
    # The same number as the customer's, of another type.
    AuditEntry.objects.create(
        actor=staff,
        action="brand.update",
        source="api",
        object_type="Brand",
        object_id=customer.pk,
        difference={"name": ["", "Ladlemoor"]},
    )
    export = accounts.start_export(other)
    accounts.erase(customer)
    assert set(SentMail.objects.values_list("key", flat=True)) == {"b", "c"}
    assert [row.difference for row in AuditEntry.objects.order_by("pk")] == [
        {"name": ["", "Bob"]},
        {"name": ["", "Ladlemoor"]},
    ]
    export.refresh_from_db()
    assert export.created_by == other
    assert User.objects.get(pk=other.pk).name == "Bob"


@pytest.mark.django_db(transaction=True)
def test_addresses_that_were_left_or_mistyped_are_forgotten_too(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, mistyped = "quux@left.example.org", "quuxx@typo.example.org"
    user = User.objects.create_user(left, PASSWORD)
    gone = [mistyped]

    def send(template: str, *, to: str, **more: Any) -> None:
        if to in gone:
            raise OSError(f"{{'{to}': (550, b'no such mailbox')}}")

    monkeypatch.setattr("shop.actions.mails.send", send)
    for email in (mistyped, EMAIL):
        profiles.request_email(user, email=email, password=PASSWORD, address=IP)
    user.refresh_from_db()
    gone = [left]
    profiles.confirm_email(links.make(links.CHANGE_EMAIL, user), PASSWORD, address=IP)
    errors = " ".join(DeferredTask.objects.values_list("error", flat=True))
    assert (left in errors, mistyped in errors) == (True, True)
    document = "query($id: ID!) { node(id: $id) { ... on Job { createdByEmail } } }"
    endpoint = endpoints.create(
        url="https://hooks.example.net/", topics=["job.finished"], query=document, by=staff
    )
    now = timezone.now()
    told = OutboxEvent.objects.create(
        topic="job.finished", aggregate="job:9", sequence=1, dispatched_at=now
    )
    WebhookDelivery.objects.create(
        endpoint=endpoint, event=told, next_at=now, body=f'{{"by": "{left}"}}'
    )
    accounts.erase(User.objects.get(pk=user.pk))
    assert traces() == {}
    assert "typo.example.org" not in everything()


@pytest.mark.django_db(transaction=True)
def test_an_address_that_somebody_else_has_by_now_is_theirs(
    customer: User, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.actions.mails.send", lambda *args, **more: None)
    users.update(customer, by=staff, email="new@example.org")
    User.objects.create_user("ann@example.org")
    for number, address in enumerate(("ann@example.org", "new@example.org")):
        DeferredTask.objects.create(
            key=str(number), name="a", queue="mail", next_at=timezone.now(), error=f"<{address}>"
        )
    accounts.erase(customer)
    errors = DeferredTask.objects.order_by("key").values_list("error", flat=True)
    assert list(errors) == ["<ann@example.org>", ERASED]


@pytest.mark.django_db
def test_what_was_done_as_staff_stays(staff: User) -> None:
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    job = jobs.start_export(by=clerk)
    AuditEntry.objects.create(
        actor=clerk,
        action="brand.update",
        source="api",
        object_type="Brand",
        object_id=7,
        difference={"name": ["A", "B"]},
        address=IP,
    )
    accounts.erase(clerk)
    job.refresh_from_db()
    assert job.created_by_id == clerk.pk
    entry = AuditEntry.objects.get()
    assert (entry.actor_id, entry.difference, entry.address) == (
        clerk.pk,
        {"name": ["A", "B"]},
        None,
    )


@pytest.mark.django_db(transaction=True)
def test_a_failing_step_undoes_the_whole(
    customer: User, dump: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.start_export(customer)

    def fail(user: User) -> None:
        raise RuntimeError("The last step fails.")

    before, kept = dump(), everything()
    monkeypatch.setattr(erasing, "STEPS", [*erasing.STEPS, fail])
    with pytest.raises(RuntimeError, match="The last step fails"):
        accounts.erase(customer)
    assert dump() == before
    assert everything() == kept


@pytest.mark.django_db
def test_a_domain_above_adds_a_step_of_its_own(
    customer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(erasing, "STEPS", [*erasing.STEPS, lambda user: seen.append(user.email)])
    accounts.erase(customer)
    # It is told who it was, for it has to find what is theirs.
    assert seen == ["ann@example.org"]


def test_every_row_that_refers_to_users_goes_or_is_known_to_stay() -> None:
    referring = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model is User
    }
    going = {f"{model._meta.label}.{field}" for model, field in erasing._owned()}
    staying = {
        # Scrubbed by steps of their own.
        "admin.LogEntry.user",
        "shop.AuditEntry.actor",
        # Only exports of the account go.
        "shop.Job.created_by",
        # Nothing but who keeps it.
        "shop.WebhookEndpoint.owner",
        # The order stays as a sale, and loses what tells whose it was.
        "shop.Order.user",
        # Who did it, of the staff: the figures stay, what they wrote goes with the customer.
        "shop.OrderEvent.actor",
        "shop.Refund.actor",
        "shop.StockMovement.actor",
    }
    assert referring == going | staying
    assert {"shop.Address.user", "shop.Session.user", "shop.User_groups.user"} <= going


@pytest.mark.django_db
def test_tokens_of_devices_go_with_them(customer: User) -> None:
    open_session(customer, lifetime=datetime.timedelta(days=1), device=Device())
    version = customer.token_version
    accounts.erase(customer)
    assert not RefreshToken.objects.exists()
    assert customer.token_version == version + 1
