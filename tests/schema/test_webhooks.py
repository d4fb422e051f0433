"""Webhooks through the API: who may see them, what is told of them, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from standardwebhooks import Webhook

from schema.engine import execution
from schema.root import schema
from shop.actions.webhooks import endpoints
from shop.models import User, WebhookDelivery, WebhookEndpoint

LIST = "{ webhookEndpoints { totalCount edges { node { url } } } }"
ONE = "query($id: ID!) { webhookEndpoint(id: $id) { url } }"
NODES = """query($ids: [ID!]!) { nodes(ids: $ids) {
  ... on WebhookEndpoint { url deliveries { totalCount } }
  ... on WebhookDelivery { topic endpoint { url } } } }"""
GIVEN = {"url": "https://new.example/hooks", "topics": ["PRODUCT_CREATED", "JOB_FINISHED"]}
ENDPOINT = "webhookEndpoint { url description topics query isActive circuit failures }"


@pytest.fixture
def endpoint(db: None) -> WebhookEndpoint:
    return endpoints.create(url="https://one.example/", topics=["*"], by=None)


@pytest.fixture
def delivery(endpoint: WebhookEndpoint) -> WebhookDelivery:
    return endpoints.send_test(endpoint)


@pytest.fixture
def people(customer: User, staff: User) -> dict[str, User | None]:
    """Who asks; those who may see webhooks are also asked in between."""
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    wanted = "view_webhookendpoint"
    clerk.user_permissions.set(
        Permission.objects.filter(content_type__app_label="shop").exclude(codename=wanted)
    )
    viewer = User.objects.create_user("viewer@example.org", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename=wanted))
    return {
        "staff": staff,
        "nobody": None,
        "customer": customer,
        "viewer": viewer,
        "clerk": clerk,
        "nobody again": None,
    }


ALLOWED = {"staff", "viewer"}


@pytest.mark.parametrize("document", [LIST, ONE])
def test_lists_are_for_those_who_may_see_them(
    document: str, endpoint: Any, people: Any, api: Any, gid: Any
) -> None:
    variables = {"id": gid(endpoint)} if document == ONE else {}
    for name, user in people.items():
        answer = api(document, user, **variables)
        if name in ALLOWED:
            assert "errors" not in answer
            assert "https://one.example/" in str(answer["data"])
            continue
        (error,) = answer["errors"]
        expected = "FORBIDDEN" if user else "UNAUTHENTICATED"
        assert error["extensions"]["code"] == expected, name
        assert "one.example" not in str(answer)


def test_for_others_a_node_is_missing(delivery: Any, people: Any, api: Any, gid: Any) -> None:
    ids = [gid(delivery.endpoint), gid(delivery)]
    for name, user in people.items():
        nodes = api(NODES, user, ids=ids)["data"]["nodes"]
        if name in ALLOWED:
            url = {"url": "https://one.example/"}
            assert nodes == [
                {**url, "deliveries": {"totalCount": 1}},
                {"topic": "SHOP_TEST", "endpoint": url},
            ]
        else:
            assert nodes == [None, None], name


def test_what_was_sent_is_for_those_who_may_see_deliveries(
    delivery: Any, people: Any, api: Any, gid: Any
) -> None:
    document = "query($id: ID!) { node(id: $id) { ... on WebhookDelivery { topic payload } } }"
    # One after the other, over the same plan.
    seen = {
        name: api(document, people[name], id=gid(delivery))["data"]["node"]
        for name in ("staff", "viewer", "staff")
    }
    assert seen["viewer"] == {"topic": "SHOP_TEST", "payload": None}
    assert seen["staff"] == {"topic": "SHOP_TEST", "payload": delivery.body}


def test_those_who_may_see_them_are_served_on_the_compiled_path(
    delivery: Any, staff: User, api: Any, gid: Any
) -> None:
    before = execution.counts.copy()
    api(LIST, staff)
    api(ONE, staff, id=gid(delivery.endpoint))
    api(NODES, staff, ids=[gid(delivery)])
    assert execution.counts - before == {("compiled", ""): 3}


def test_the_secret_is_in_no_type() -> None:
    types = schema.graphql_schema.type_map.items()
    telling = {name for name, item in types if "secret" in getattr(item, "fields", {})}
    # The last is not an endpoint's, but an authenticator app's.
    assert telling == {
        "WebhookEndpointCreatePayload",
        "WebhookEndpointRotateSecretPayload",
        "OtpBeginPayload",
    }


def test_an_endpoint_is_created_and_tells_its_secret(mutate: Any, staff: User) -> None:
    payload = mutate(
        "webhookEndpointCreate", f"secret {ENDPOINT}", **GIVEN, query="{ shop { name } }"
    )
    row = WebhookEndpoint.objects.get()
    assert payload["webhookEndpoint"] == {
        **GIVEN,
        "description": "",
        "query": "{ shop { name } }",
        "isActive": True,
        "circuit": "CLOSED",
        "failures": 0,
    }
    assert (row.owner, row.topics) == (staff, ["product.created", "job.finished"])
    assert payload["secret"] == row.secret
    assert Webhook(row.secret).sign("msg_1", timezone.now(), "{}").startswith("v1,")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"url": ""}, ("URL_NOT_ALLOWED", ["url"])),
        ({"url": "http://receiver.example/"}, ("URL_NOT_ALLOWED", ["url"])),
        ({"url": "https://169.254.169.254/"}, ("URL_NOT_ALLOWED", ["url"])),
        ({"url": "https://user:secret@receiver.example/"}, ("URL_NOT_ALLOWED", ["url"])),
        ({"topics": []}, ("REQUIRED", ["topics"])),
        ({"topics": ["ALL", "SHOP_TEST"]}, ("INVALID", ["topics", "1"])),
        ({"description": "x" * 401}, ("INVALID", ["description"])),
        ({"query": "{ no }"}, ("INVALID_QUERY", ["query"])),
        ({"query": "mutation { __typename }"}, ("INVALID_QUERY", ["query"])),
        ({"query": "\x00"}, ("INVALID", ["query"])),
    ],
)
def test_what_makes_no_sense_is_refused(given: Any, expected: Any, refuse: Any) -> None:
    assert refuse("webhookEndpointCreate", **{**GIVEN, **given}) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"url": "https://[::1]/"}, ("URL_NOT_ALLOWED", ["url"])),
        ({"topics": []}, ("REQUIRED", ["topics"])),
        ({"query": "{ shop { name }"}, ("INVALID_QUERY", ["query"])),
    ],
)
def test_bad_changes_are_refused(
    given: Any, expected: Any, endpoint: Any, refuse: Any, gid: Any
) -> None:
    assert refuse("webhookEndpointUpdate", id=gid(endpoint), **given) == expected


def test_an_update_changes_what_is_given_and_null_empties_texts(
    endpoint: Any, mutate: Any, gid: Any
) -> None:
    changed = mutate(
        "webhookEndpointUpdate",
        ENDPOINT,
        id=gid(endpoint),
        description="For tea",
        topics=["BRAND_DELETED"],
        query="{ shop { name } }",
        isActive=False,
    )["webhookEndpoint"]
    assert (changed["topics"], changed["isActive"]) == (["BRAND_DELETED"], False)
    nulls = {"description": None, "query": None}
    after = mutate("webhookEndpointUpdate", ENDPOINT, id=gid(endpoint), **nulls)
    assert after["webhookEndpoint"] == changed | {"description": "", "query": ""}


def test_a_secret_is_replaced(endpoint: Any, mutate: Any, gid: Any) -> None:
    payload = mutate("webhookEndpointRotateSecret", "secret", id=gid(endpoint))
    assert payload["secret"] == WebhookEndpoint.objects.get().secret != endpoint.secret


def test_a_test_answers_with_its_delivery(endpoint: Any, mutate: Any, gid: Any) -> None:
    payload = mutate(
        "webhookEndpointTest",
        "webhookDelivery { webhookId topic state attempts responseStatusCode error durationMs "
        "deliveredAt }",
        id=gid(endpoint),
    )
    assert payload["webhookDelivery"] == {
        "webhookId": f"msg_{WebhookDelivery.objects.get().uid.hex}",
        "topic": "SHOP_TEST",
        "state": "PENDING",
        "attempts": 0,
        "responseStatusCode": None,
        "error": "",
        "durationMs": None,
        "deliveredAt": None,
    }


def test_a_delivery_is_sent_again(delivery: Any, mutate: Any, gid: Any) -> None:
    WebhookDelivery.objects.update(state="failed", attempts=10, status=500, error="no")
    fields = "webhookDelivery { webhookId state attempts responseStatusCode error nextAttemptAt }"
    replayed = mutate("webhookDeliveryReplay", fields, id=gid(delivery))["webhookDelivery"]
    assert replayed.pop("nextAttemptAt") is not None
    assert replayed == {
        "webhookId": f"msg_{delivery.uid.hex}",
        "state": "PENDING",
        "attempts": 0,
        "responseStatusCode": None,
        "error": "",
    }


def test_only_a_pending_delivery_has_a_next_try(
    delivery: Any, api: Any, staff: User, gid: Any
) -> None:
    WebhookDelivery.objects.update(state="refused")
    document = "query($id: ID!) { node(id: $id) { ... on WebhookDelivery { nextAttemptAt } } }"
    assert api(document, staff, id=gid(delivery))["data"]["node"] == {"nextAttemptAt": None}


@pytest.mark.parametrize("mutation", ["webhookEndpointTest", "webhookDeliveryReplay"])
def test_nothing_is_sent_to_an_inactive_endpoint(
    mutation: str, delivery: Any, refuse: Any, gid: Any
) -> None:
    WebhookEndpoint.objects.update(is_active=False)
    subject = delivery if mutation == "webhookDeliveryReplay" else delivery.endpoint
    assert refuse(mutation, id=gid(subject)) == ("INVALID", ["id"])


KINDS = {
    "webhookEndpointUpdate": "WebhookEndpoint",
    "webhookEndpointDelete": "WebhookEndpoint",
    "webhookEndpointRotateSecret": "WebhookEndpoint",
    "webhookEndpointTest": "WebhookEndpoint",
    "webhookDeliveryReplay": "WebhookDelivery",
}


@pytest.mark.parametrize("mutation", KINDS)
def test_an_unknown_id_is_a_user_error_and_another_types_a_client_error(
    mutation: str, refuse: Any, mutation_error: Any, unknown: Any
) -> None:
    assert refuse(mutation, id=unknown(KINDS[mutation])) == ("NOT_FOUND", ["id"])
    assert mutation_error(mutation, id=unknown("Product")) == "BAD_REQUEST"


def test_an_endpoint_goes_with_its_deliveries(delivery: Any, mutate: Any, gid: Any) -> None:
    subject = gid(delivery.endpoint)
    assert mutate("webhookEndpointDelete", "deletedId", id=subject)["deletedId"] == subject
    assert not WebhookDelivery.objects.exists()


def test_the_circuit_is_shown(endpoint: Any, api: Any, staff: User) -> None:
    WebhookEndpoint.objects.update(failures=6, open_until=timezone.now())
    document = "{ webhookEndpoints { edges { node { circuit failures } } } }"
    (edge,) = api(document, staff)["data"]["webhookEndpoints"]["edges"]
    assert edge["node"] == {"circuit": "OPEN", "failures": 6}
