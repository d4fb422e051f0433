"""From a change in the shop to the receivers that hear of it."""

import re
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from standardwebhooks import Webhook

from shop import events, outbox
from shop.actions.catalog import products, taxonomy
from shop.actions.inventory import levels
from shop.actions.webhooks import deliveries, endpoints, fanning, lanes, topics
from shop.errors import Invalid, Required, UrlNotAllowed
from shop.models import (
    DeferredTask,
    DeliveryState,
    Fulfillment,
    OutboxEvent,
    Stock,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.shop import sold
from tests.shop.webhooks.receivers import bodies

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[3]


def test_a_new_product_is_told_at_once_and_signed(receiver: Any, subscribe: Any, gid: Any) -> None:
    server = receiver()
    endpoint = subscribe(server)
    product = products.create(name="Mug")
    ((headers, body),) = server.got
    event = OutboxEvent.objects.get()
    delivery = WebhookDelivery.objects.get()
    assert Webhook(endpoint.secret).verify(body, headers) == {
        "type": "product.created",
        "timestamp": event.created_at.isoformat(),
        "subject": gid(product),
        "sequence": 1,
        "data": {"id": gid(product), **{k: v for k, v in event.payload.items() if k != "id"}},
    }
    assert body.decode() == delivery.body
    assert headers["webhook-id"] == f"msg_{delivery.uid.hex}"
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 1, 200)
    assert not DeferredTask.objects.exists()


def test_each_endpoint_hears_of_its_topics_only(receiver: Any, subscribe: Any) -> None:
    some, everything, inactive = receiver(), receiver(), receiver()
    subscribe(some, topics=["brand.created", "product.updated"])
    subscribe(everything, topics=["*"])
    subscribe(inactive, topics=["*"], is_active=False)
    brand = taxonomy.create_brand(name="Ladlemoor")
    taxonomy.delete_brand(brand)
    with transaction.atomic():
        events.emit("media.uploaded", brand)
    assert [body["type"] for body in bodies(some)] == ["brand.created"]
    assert [body["type"] for body in bodies(everything)] == ["brand.created", "brand.deleted"]
    assert inactive.got == []


def test_messages_about_one_subject_are_numbered(receiver: Any, subscribe: Any) -> None:
    server = receiver()
    subscribe(server)
    product = products.create(name="Mug")
    products.update(product, name="Cup")
    products.update(product, name="Bowl")
    assert [body["sequence"] for body in bodies(server)] == [1, 2, 3]


def test_an_endpoint_hears_of_nothing_that_was_before_it(receiver: Any, subscribe: Any) -> None:
    first, second = receiver(), receiver()
    subscribe(first)
    product = products.create(name="Mug")
    subscribe(second)
    event = OutboxEvent.objects.get()
    fanning.fan_out(event, fanning.messages(event))
    products.update(product, name="Cup")
    assert [body["sequence"] for body in bodies(first)] == [1, 2]
    assert [body["sequence"] for body in bodies(second)] == [2]


def test_an_endpoint_hears_of_nothing_that_was_while_it_was_off(
    receiver: Any, subscribe: Any, staff: User
) -> None:
    server = receiver()
    endpoint = subscribe(server)
    endpoints.update(endpoint, by=staff, is_active=False)
    product = products.create(name="Mug")
    endpoints.update(endpoint, by=staff, is_active=True)
    products.update(product, name="Cup")
    assert [body["sequence"] for body in bodies(server)] == [2]


def test_an_event_that_is_fanned_out_twice_is_delivered_once(receiver: Any, subscribe: Any) -> None:
    server = receiver()
    subscribe(server)
    products.create(name="Mug")
    event = OutboxEvent.objects.get()
    fanning.fan_out(event, fanning.messages(event))
    assert len(server.got) == WebhookDelivery.objects.count() == 1


def test_a_replay_arrives_under_the_same_id(receiver: Any, subscribe: Any) -> None:
    server = receiver()
    endpoint = subscribe(server)
    products.create(name="Mug")
    deliveries.replay(WebhookDelivery.objects.get())
    (first, body), (second, again) = server.got
    assert (second["webhook-id"], again) == (first["webhook-id"], body)
    Webhook(endpoint.secret).verify(again, second)


def test_a_new_secret_signs_from_then_on(receiver: Any, subscribe: Any) -> None:
    server = receiver()
    endpoint = subscribe(server)
    before = endpoint.secret
    endpoints.rotate_secret(endpoint)
    products.create(name="Mug")
    ((headers, body),) = server.got
    assert endpoint.secret != before
    assert len(endpoint.secret) == len("whsec_") + 44
    Webhook(endpoint.secret).verify(body, headers)


def test_a_test_goes_to_its_endpoint_only_and_needs_no_topic(
    receiver: Any, subscribe: Any, gid: Any
) -> None:
    server, other = receiver(), receiver()
    endpoint = subscribe(server, topics=["brand.deleted"])
    subscribe(other, topics=["*"])
    delivery = endpoints.send_test(endpoint)
    ((headers, _),) = server.got
    (body,) = bodies(server)
    assert (body["type"], body["subject"]) == ("shop.test", gid(endpoint))
    assert headers["webhook-id"] == f"msg_{delivery.uid.hex}"
    assert other.got == []


def test_an_inactive_endpoint_is_not_tested(receiver: Any, subscribe: Any) -> None:
    endpoint = subscribe(receiver(), is_active=False)
    with pytest.raises(Invalid):
        endpoints.send_test(endpoint)


def test_a_failure_stays_with_who_failed(receiver: Any, subscribe: Any, redirect: Any) -> None:
    well = receiver()
    for server in (receiver("broken"), redirect(well), well):
        subscribe(server)
    products.create(name="Mug")
    states = WebhookDelivery.objects.order_by("pk").values_list("state", "status")
    assert list(states) == [("pending", 500), ("pending", 302), ("delivered", 200)]
    assert len(well.got) == 1


def test_a_target_that_is_refused_is_recorded(receiver: Any, subscribe: Any, settings: Any) -> None:
    server = receiver()
    subscribe(server)
    settings.WEBHOOK_ALLOW_PRIVATE = False
    products.create(name="Mug")
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts) == ("refused", None, 1)
    assert delivery.error == "The address is not on the public internet."
    assert server.got == []


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"topics": []}, Required, ("topics",)),
        ({"topics": ["brand.created", "media.uploaded"]}, Invalid, ("topics", "1")),
        ({"topics": ["shop.test"]}, Invalid, ("topics", "0")),
        ({"description": "x" * 401}, Invalid, ("description",)),
        ({"url": "https://10.0.0.1/"}, UrlNotAllowed, ("url",)),
    ],
)
def test_what_makes_no_sense_is_refused(
    fields: dict[str, Any], error: Any, field: Any, staff: User
) -> None:
    given = {"url": "https://receiver.example/", "topics": ["*"], **fields}
    with pytest.raises(error) as refused:
        endpoints.create(by=staff, **given)
    assert refused.value.field == field
    assert not WebhookEndpoint.objects.exists()


def test_topics_are_kept_once_and_in_order() -> None:
    assert topics.chosen(["job.finished", "brand.created", "job.finished"]) == [
        "brand.created",
        "job.finished",
    ]
    assert topics.chosen(["brand.created", "*"]) == ["*"]


def test_every_topic_that_the_shop_tells_is_offered_or_known_to_be_its_own() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "shop").rglob("*.py"))
    told = set(re.findall(r'(?:emit|emit_all|emit_keys|_tell)\(\s*"([\w.]+)"', sources))
    assert len(told) > 15
    # Nobody outside is told of people.
    ours = {topic for topic in told if topic.startswith("user.")}
    known = {"media.uploaded", "job.queued", "session.reused", "cart.abandoned"}
    # It names the former address of an order, which may be a stranger's.
    known.add("order.email_changed")
    assert told - ours <= {*topics.TOPICS, *known}
    assert not any(topic.startswith("user.") for topic in topics.TOPICS)


def test_orders_are_told_with_the_ids_by_which_the_api_knows_them(
    receiver: Any, subscribe: Any, gid: Any
) -> None:
    server = receiver()
    subscribe(
        server, topics=["order.confirmed", "order.refunded", "order.fulfilled", "order.disputed"]
    )
    order = sold.make_order()
    payment = sold.pay(order, refunded=100)
    refund, dispute = sold.refund(payment, 100), sold.dispute(payment)
    parcel = Fulfillment.objects.create(order=order)
    with transaction.atomic():
        events.emit("order.confirmed", order)
        events.emit("order.fulfilled", order, fulfillment=parcel.pk)
        events.emit("order.returned", order, **{"return": 1})
        events.emit("order.refunded", order, refund=refund.pk)
        events.emit("order.disputed", order, dispute=dispute.pk)
    told = [(body["type"], body["subject"], body["data"]) for body in bodies(server)]
    assert told == [
        ("order.confirmed", gid(order), {"id": gid(order)}),
        ("order.fulfilled", gid(order), {"id": gid(order), "fulfillment": gid(parcel)}),
        ("order.refunded", gid(order), {"id": gid(order), "refund": gid(refund)}),
        ("order.disputed", gid(order), {"id": gid(order), "dispute": gid(dispute)}),
    ]


def test_low_stock_is_told_of_the_variant(
    receiver: Any, subscribe: Any, gid: Any, world: Any
) -> None:
    server = receiver()
    document = "query($id: ID!) { node(id: $id) { ... on Variant { sku } } }"
    subscribe(server, topics=["stock.low"])
    subscribe(server, topics=["stock.low"], query=document)
    variant = world.products[0].variants.first()
    with transaction.atomic():
        levels.tell_low([(Stock.objects.create(variant=variant, on_hand=6, low_at=5), -2)])
    plain, made = (body["data"] for body in bodies(server))
    assert plain == {"id": gid(variant), "available": 4}
    assert made == {"node": {"sku": variant.sku}}


def test_a_deleted_endpoint_takes_its_deliveries_along(receiver: Any, subscribe: Any) -> None:
    endpoint = subscribe(receiver())
    products.create(name="Mug")
    endpoints.delete(endpoint)
    assert not WebhookDelivery.objects.exists()
    assert OutboxEvent.objects.exists()


@pytest.mark.postgresql
def test_receivers_that_misbehave_take_no_time_from_others(
    receiver: Any, subscribe: Any, monkeypatch: Any
) -> None:
    """Six workers, four bad receivers with twelve deliveries each, and a good one, the last."""
    pool = ThreadPoolExecutor(6)
    asked: list[Any] = []

    def work(endpoint_id: int) -> None:
        try:
            lanes.run(endpoint_id)
        finally:
            connection.close()

    def send(name: str, endpoint_id: int, **options: Any) -> None:
        asked.append(pool.submit(work, endpoint_id))

    monkeypatch.setattr(outbox, "send", send)
    manners = ["hanging", "broken", "dripping body", "dripping headers", "well"]
    servers = {name: receiver(name) for name in manners}
    for server in servers.values():
        subscribe(server)
    started = time.monotonic()
    for number in range(12):
        products.create(name=f"Mug {number}")
    while len(servers["well"].got) < 12 and time.monotonic() - started < 20:
        time.sleep(0.05)
    took = time.monotonic() - started
    wait(asked, 30)
    pool.shutdown()
    # Each bad one costs at most four tries at once and one more, of a second each, before it is
    # left alone: with six workers some four seconds, where one after the other took 36.
    assert took < 12
    assert not WebhookDelivery.objects.filter(
        endpoint__url=servers["well"].url, state=DeliveryState.PENDING
    ).exists()
    for name in manners[:-1]:
        endpoint = WebhookEndpoint.objects.get(url=servers[name].url)
        assert endpoint.open_until is not None
        assert 5 <= len(servers[name].got) <= 8, name
