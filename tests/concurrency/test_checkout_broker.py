"""The broker is away while people buy: nobody notices, and everything is told afterwards.

Small counts in the suite; `make prove` runs the full ones and writes docs/proof/selling.md.
"""

import email
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shop.models import Order, OutboxEvent, SentMail
from tests.concurrency.broker import SERVER, Broker
from tests.concurrency.buying import (
    CHECKOUT,
    TITLE,
    Buyer,
    all_at_once,
    check_books,
    code_of,
    stock_up,
)
from tests.concurrency.proofs import PROVE, write_section
from tests.concurrency.proving import Place, served, until

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.prove,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(SERVER is None, reason="rabbitmq-server is not installed"),
]

CHECKOUTS, OUTAGE, CLIENTS = (500, 60, 8) if PROVE else (24, 3, 4)


@pytest.fixture
def place(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """A broker of the test's own; mails lie as files in a folder."""
    monkeypatch.setenv("EMAIL_URL", f"filemail:///{tmp_path / 'mails'}")
    monkeypatch.setenv("DEMO_PAYMENTS", "1")
    broker = Broker(tmp_path_factory.mktemp("broker"))
    broker.start()
    found = Place(broker, tmp_path)
    yield found
    found.end()
    broker.kill()


def message_ids(folder: Path) -> Counter[str]:
    """How often each mail was sent: backends write several into one file."""
    found: Counter[str] = Counter()
    for file in folder.glob("*.log"):
        for part in file.read_text().split("-" * 79 + "\n"):
            if part.strip():
                found[email.message_from_string(part)["Message-ID"]] += 1
    return found


def test_a_broker_that_is_away_keeps_nobody_from_buying(
    place: Place, selling: SimpleNamespace
) -> None:
    stock_up(selling, 100_000)
    seconds: list[float] = []

    def buy(buyer: Buyer, number: int) -> str:
        wish = buyer.fill([(selling.variants[number % 8], 1)])
        started = time.monotonic()
        answer = buyer.do(CHECKOUT, **wish)
        seconds.append(time.monotonic() - started)
        if number == CHECKOUTS // 10:
            place.broker.stop()
        # Some of them fall into the outage, and some come after it.
        time.sleep(OUTAGE * CLIENTS / CHECKOUTS)
        return code_of(answer)

    place.worker()
    with served(place) as port:
        answers: Any = Counter(all_at_once(CLIENTS, range(CHECKOUTS), buy, port))
        stopped_for = OUTAGE
        time.sleep(1)
        place.broker.start()
        assert answers == {"CONFIRMED": CHECKOUTS}
        told = OutboxEvent.objects.filter(topic="order.confirmed")
        assert told.count() == CHECKOUTS
        until(lambda: not told.filter(dispatched_at=None).exists())
        until(lambda: SentMail.objects.filter(template="order_confirmed").count() == CHECKOUTS)
    sent = message_ids(place.folder / "mails")
    assert len(sent) == CHECKOUTS
    assert Order.objects.filter(status="confirmed").count() == CHECKOUTS
    check_books(selling.variants)
    write_section(
        "selling",
        TITLE,
        "RabbitMQ stopped",
        f"{CHECKOUTS} checkouts by {CLIENTS} clients; RabbitMQ was stopped after the first tenth, "
        f"for the {stopped_for} s and more that the others took. All succeeded, the slowest "
        f"checkout in {max(seconds) * 1000:.0f} ms. Afterwards every event was published, and "
        f"{len(sent)} confirmations went out, {sum(sent.values())} mails in all under "
        f"{len(sent)} Message-IDs.",
    )
