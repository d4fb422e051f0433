"""The books of the shop agree after generated orders with every move mixed.

Some orders in the suite; `make prove` takes 1,000, and writes docs/proof/selling.md.
"""

import pytest
from django.db import connection

from shop.actions.webhooks import endpoints, fanning
from shop.models import Order, OutboxEvent, User, Voucher
from tests.concurrency.buying import TITLE
from tests.concurrency.proofs import PROVE, write_section
from tests.databases import vacuum
from tests.shop.replay import books
from tests.shop.replay.moves import Replay
from tests.shop.selling_machine.world import opened

ORDERS = 1000 if PROVE else 60
# By whether prices include the tax.
SEEDS = {False: 1, True: 2}
# Outcomes that must occur, or the replay shows little.
DONE = {
    "check out", "check out again", "customer decides", "provider tells", "pay another way",
    "cancel by the customer", "cancel", "capture", "remove units", "ship", "undo a parcel",
    "correct the tracking", "correct the order", "take back", "refund an amount", "refund lines",
    "dispute", "order again", "apply a voucher",
}  # fmt: skip
PROVED = DONE | {
    "capture a part at the provider", "void a payment", "refund the shipping", "take units out",
    "money comes late",
}  # fmt: skip


@pytest.mark.prove
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tax_included", [False, True] if PROVE else [False])
def test_the_books_agree_after_a_replay_of_generated_orders(tax_included: bool) -> None:
    vacuum()
    with opened([max(400, ORDERS)] * 4, tax_included=tax_included) as (_, clock, (*_, staff)):
        people = [User.objects.create_user(f"buyer{number}@example.org") for number in range(12)]
        # Most orders of a run have one; the others have limits that hold.
        Voucher.objects.filter(code="TENOFF").update(usage_limit=None, minimum_subtotal=0)
        endpoints.create(url="https://1.example.org/", topics=["*"], by=None)
        replay = Replay(SEEDS[tax_included], clock, people, staff)
        replay.run(ORDERS)
        relay()
        compared = books.check_all(replay.staff_moves)
        statuses = dict.fromkeys(Order.objects.order_by("status").values_list("status", flat=True))
    done = {name for name, end in replay.done if end == "done"}
    assert done >= (PROVED if PROVE else DONE), sorted(DONE - done)
    assert {"completed", "confirmed", "cancelled"} <= statuses.keys()
    write_report(replay, compared, tax_included=tax_included)


def relay() -> None:
    """Fans every event out to the endpoint, some of them twice, as the relay does after a crash."""
    for number, event in enumerate(OutboxEvent.objects.order_by("pk")):
        for _ in range(1 + (number % 7 == 0)):
            fanning.fan_out(event, fanning.messages(event))


def write_report(replay: Replay, compared: dict[str, int], *, tax_included: bool) -> None:
    rows = ["| move | done | refused |", "|---|--:|---|"]
    for name in sorted({name for name, _ in replay.done}):
        codes = {code: n for (one, code), n in sorted(replay.done.items()) if one == name}
        done = codes.pop("done", 0)
        refused = ", ".join(f"{code} {n:,}" for code, n in codes.items())
        rows.append(f"| {name} | {done:,} | {refused} |")
    figures = ", ".join(f"{number:,} {name}" for name, number in compared.items())
    taxes = "prices with tax included" if tax_included else "tax on top"
    table = "\n".join(rows)
    write_section(
        "selling",
        TITLE,
        f"The books after a replay of {ORDERS:,} generated orders ({connection.vendor}, {taxes})",
        f"Seed {SEEDS[tax_included]}: guests and accounts order, pay, cancel, pay another way and "
        "order again; staff capture, remove units, ship, correct, refund and take back; the "
        "provider loses answers and money comes late; banks dispute "
        "(`tests/shop/replay`). Afterwards each book agrees with the others to the cent and the "
        f"unit: {figures}.\n\n{table}",
    )
