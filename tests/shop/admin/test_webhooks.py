"""The staff screens of webhooks: they write through actions and show a secret once."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from shop import events
from shop.actions.catalog import taxonomy
from shop.actions.webhooks import endpoints, fanning
from shop.models import OutboxEvent, User, WebhookDelivery, WebhookEndpoint
from tests.shop.admin.screens import change_url, list_url

pytestmark = pytest.mark.django_db
FORM = {
    "url": "https://receiver.example/hooks",
    "description": "The warehouse",
    "topics": ["product.updated", "brand.created"],
    "query": "",
    "is_active": "on",
}


@pytest.fixture
def owner(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def clerk(client: Client) -> Client:
    """May look, and nothing else."""
    user = User.objects.create_user("clerk@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_webhook"))
    client.force_login(user)
    return client


@pytest.fixture
def endpoint(staff: User) -> WebhookEndpoint:
    return endpoints.create(url="https://one.example/", topics=["*"], by=staff)


def deliver(count: int = 1) -> None:
    for _ in range(count):
        brand = taxonomy.create_brand(name="Ladlemoor")
        with transaction.atomic():
            events.emit("brand.updated", brand)
        event = OutboxEvent.objects.latest("pk")
        fanning.fan_out(event, fanning.messages(event))


def run_action(client: Client, name: str, action: str, rows: list[Any]) -> list[str]:
    data = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0}
    response = client.post(list_url(name), data, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_a_new_endpoint_shows_its_secret_once(owner: Client, staff: User) -> None:
    response = owner.post(reverse("admin:shop_webhookendpoint_add"), FORM, follow=True)
    row = WebhookEndpoint.objects.get()
    assert row.topics == ["product.updated", "brand.created"]
    assert (row.url, row.owner, row.is_active) == (FORM["url"], staff, True)
    assert response.content.decode().count(row.secret) == 1
    assert row.secret not in owner.get(change_url(row)).content.decode()
    assert row.secret not in owner.get(list_url("webhookendpoint")).content.decode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "https://10.0.0.1/"}, "The address is not on the public internet."),
        ({"url": "ftp://receiver.example/"}, "The address must begin with https://."),
        ({"query": "{ no }"}, "Cannot query field 'no' on type 'Query'."),
        ({"topics": []}, "This field is required."),
    ],
)
def test_what_is_refused_is_said_beside_the_field(
    change: dict[str, Any], message: str, owner: Client
) -> None:
    response = owner.post(reverse("admin:shop_webhookendpoint_add"), FORM | change)
    assert response.context["adminform"].form.errors == {next(iter(change)): [message]}
    assert not WebhookEndpoint.objects.exists()


def test_only_what_changed_is_written(owner: Client, endpoint: WebhookEndpoint) -> None:
    form = FORM | {"url": endpoint.url, "topics": ["*"], "description": "Renamed"}
    del form["is_active"]
    assert owner.post(change_url(endpoint), form).status_code == 302
    row = WebhookEndpoint.objects.get()
    assert (row.description, row.is_active, row.secret) == ("Renamed", False, endpoint.secret)


def test_an_endpoint_is_tested_and_given_a_new_secret(
    owner: Client, endpoint: WebhookEndpoint
) -> None:
    assert run_action(owner, "webhookendpoint", "send_test", [endpoint]) == [
        "A test is on its way to https://one.example/."
    ]
    assert WebhookDelivery.objects.get().topic == "shop.test"
    (message,) = run_action(owner, "webhookendpoint", "rotate_secret", [endpoint])
    row = WebhookEndpoint.objects.get()
    assert row.secret != endpoint.secret
    assert message.endswith(row.secret)


def test_a_test_of_an_inactive_endpoint_is_refused(
    owner: Client, endpoint: WebhookEndpoint
) -> None:
    WebhookEndpoint.objects.update(is_active=False)
    messages = run_action(owner, "webhookendpoint", "send_test", [endpoint])
    assert messages == ["The endpoint is not active."]
    assert not WebhookDelivery.objects.exists()


def test_an_endpoint_is_deleted_with_its_deliveries(
    owner: Client, endpoint: WebhookEndpoint
) -> None:
    deliver(3)
    url = reverse("admin:shop_webhookendpoint_delete", args=[endpoint.pk])
    assert re.search(r"webhook deliveries:?\s*3", owner.get(url).content.decode(), re.IGNORECASE)
    owner.post(url, {"post": "yes"})
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_deliveries_are_sent_again(owner: Client, endpoint: WebhookEndpoint) -> None:
    deliver(2)
    WebhookDelivery.objects.update(state="failed", attempts=10)
    rows = list(WebhookDelivery.objects.all())
    assert run_action(owner, "webhookdelivery", "send_again", rows) == ["2 on their way again."]
    assert set(WebhookDelivery.objects.values_list("state", "attempts")) == {("pending", 0)}
    WebhookEndpoint.objects.update(is_active=False)
    messages = run_action(owner, "webhookdelivery", "send_again", rows)
    assert messages == ["The endpoint is not active."]


@pytest.mark.parametrize("name", ["webhookendpoint", "webhookdelivery"])
def test_lists_take_constant_sql(name: str, owner: Client, staff: User) -> None:
    def more() -> int:
        for number in range(2):
            endpoints.create(url=f"https://r{number}.example/", topics=["*"], by=staff)
        deliver(2)
        owner.get(list_url(name))
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(list_url(name)).status_code == 200
        return len(captured)

    assert more() == more()


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"state__exact": "pending"}, 3),
        ({"state__exact": "failed"}, 0),
        ({"topic": "brand.updated"}, 3),
        ({"topic": "brand.deleted"}, 0),
        ({"created_at_from": "2000-01-01", "created_at_to": "2000-01-02"}, 0),
    ],
)
def test_deliveries_are_found(
    filters: dict[str, str], count: int, owner: Client, endpoint: WebhookEndpoint
) -> None:
    deliver(3)
    response = owner.get(list_url("webhookdelivery", **filters))
    assert len(response.context["cl"].result_list) == count


def test_who_may_only_look_changes_nothing(clerk: Client, endpoint: WebhookEndpoint) -> None:
    deliver()
    delivery = WebhookDelivery.objects.get()
    WebhookDelivery.objects.update(state="failed")
    for url in (list_url("webhookendpoint"), change_url(endpoint), change_url(delivery)):
        page = clerk.get(url)
        assert page.status_code == 200
        assert endpoint.secret not in page.content.decode()
    assert clerk.post(change_url(endpoint), FORM).status_code == 403
    run_action(clerk, "webhookendpoint", "rotate_secret", [endpoint])
    run_action(clerk, "webhookdelivery", "send_again", [delivery])
    endpoint_now, delivery_now = WebhookEndpoint.objects.get(), WebhookDelivery.objects.get()
    assert (endpoint_now.url, endpoint_now.secret) == (endpoint.url, endpoint.secret)
    assert delivery_now.state == "failed"
