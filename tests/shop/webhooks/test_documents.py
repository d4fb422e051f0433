"""What a document of the endpoint's own makes of a message."""

import logging
import subprocess
import sys
from typing import Any

import pytest
from django.db import transaction

from shop.actions import jobs
from shop.actions.catalog import products
from shop.actions.webhooks import endpoints, payloads
from shop.errors import InvalidQuery
from shop.models import Category, User, WebhookEndpoint
from tests.shop.webhooks.receivers import bodies

pytestmark = pytest.mark.django_db(transaction=True)

QUERY = "query($id: ID!) { node(id: $id) { __typename ... on Product { name status } } }"


def test_a_document_makes_the_data(receiver: Any, subscribe: Any) -> None:
    server = receiver()
    subscribe(server, query=QUERY)
    products.create(name="Mug")
    (body,) = bodies(server)
    expected = {"__typename": "Product", "name": "Mug", "status": "DRAFT"}
    assert body["data"] == {"node": expected}
    assert "errors" not in body


@pytest.mark.parametrize(
    "change",
    [{"is_active": False}, {"is_staff": False, "is_superuser": False}, None],
    ids=["disabled", "left", "deleted"],
)
def test_a_document_shows_what_its_owner_may_see_now(
    change: Any, receiver: Any, subscribe: Any, staff: User
) -> None:
    server = receiver()
    subscribe(server, query=QUERY)
    if change is None:
        staff.delete()
    else:
        User.objects.update(**change)
    # A draft, which only staff may see, and one on sale.
    product = products.create(name="Mug", variants=[{"sku": "MUG", "price": 100}])
    products.publish(product)
    nodes = [body["data"]["node"] for body in bodies(server)]
    assert nodes[0] is None
    assert nodes[-1] == {"__typename": "Product", "name": "Mug", "status": "PUBLISHED"}


def test_a_message_holds_no_link_that_opens_a_file(
    receiver: Any, subscribe: Any, staff: User
) -> None:
    server = receiver()
    document = "{ jobs(first: 1) { edges { node { status result { products url } } } } }"
    subscribe(server, query=document, topics=["job.finished"])
    with transaction.atomic():
        jobs.start_export(by=staff)
    (body,) = bodies(server)
    (edge,) = body["data"]["jobs"]["edges"]
    assert edge["node"] == {"status": "SUCCEEDED", "result": {"products": 0, "url": None}}


def test_a_document_that_fails_tells_its_errors(
    receiver: Any, subscribe: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = receiver()
    endpoint = subscribe(server, query="{ shop { name } }")
    # As if the schema had changed since.
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(query="{ shop { gone } }")
    products.create(name="Mug")
    (body,) = bodies(server)
    assert body["data"] is None
    message = "Cannot query field 'gone' on type 'Shop'."
    assert body["errors"][0]["message"] == message
    warning = f"Query of webhook endpoint {endpoint.pk} failed: {message}"
    assert ("shop.actions.webhooks.payloads", logging.WARNING, warning) in caplog.record_tuples


def test_a_statement_that_breaks_takes_no_other_delivery_along(
    receiver: Any, subscribe: Any, monkeypatch: Any
) -> None:
    class Broken:
        def check(self, document: str) -> None:
            """All is well."""

        def execute(self, *args: Any) -> dict[str, Any]:
            Category.objects.filter(pk=1).extra(where=["no_such_column"]).exists()
            return {}

    server, other = receiver(), receiver()
    subscribe(other)
    monkeypatch.setattr(payloads, "_registered", [Broken()])
    subscribe(server, query="{ shop { name } }")
    products.create(name="Mug")
    assert bodies(server)[0]["errors"] == [{"message": "The document could not be run."}]
    assert len(other.got) == 1


@pytest.mark.parametrize(
    "document",
    [
        "no document",
        "{ shop { no } }",
        'mutation { brandDelete(input: {id: "x"}) { deletedId } }',
        "query A { shop { name } } query B { shop { name } }",
        "fragment F on Shop { name }",
        "query($id: ID!, $n: Int) { node(id: $id) { id } products(first: $n) { totalCount } }",
        "{ a: products(first: 100) { edges { node { variants(first: 100) { edges { node { media "
        "{ url } product { variants(first: 100) { totalCount } } } } } } } } }",
        "{ products { edges { node { brand {"
        + " products { edges { node { brand {" * 8
        + " name"
        + " } } } }" * 8
        + " } } } } }",
    ],
)
def test_a_document_that_cannot_run_is_refused(
    document: str, receiver: Any, subscribe: Any
) -> None:
    with pytest.raises(InvalidQuery) as refused:
        subscribe(receiver(), query=document)
    assert refused.value.field == ("query",)
    assert refused.value.message.endswith(".")


def test_who_changes_the_address_or_the_document_becomes_the_owner(
    receiver: Any, subscribe: Any, staff: User
) -> None:
    clerk = User.objects.create_user("clerk@example.org", is_staff=True)
    endpoint = subscribe(receiver(), query=QUERY)
    assert endpoints.update(endpoint, by=clerk, description="For tea").owner == staff
    assert endpoints.update(endpoint, by=clerk, url=receiver().url).owner == clerk
    assert endpoints.update(endpoint, by=staff, query="").owner == staff


def test_a_worker_that_serves_no_addresses_can_run_documents(tmp_path: Any) -> None:
    program = (
        "import django; django.setup()\n"
        "import sys\n"
        "from shop.actions.webhooks import payloads\n"
        "assert 'schema.root' not in sys.modules\n"
        "payloads.check_query('{ shop { name } }')\n"
        "print(payloads._executor().execute('{ shop { currency } }', 'x', None))\n"
    )
    env = {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "shop.settings", "SHOP_CURRENCY": "USD"}
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True
    )
    assert ran.stdout.strip() == "{'data': {'shop': {'currency': 'USD'}}}"
