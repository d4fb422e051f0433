"""A shop and a plain model of it are taken through the same steps, and never disagree.

A few runs in the suite; `make prove` takes 500 of 50 steps, and writes docs/proof/selling.md.
"""

import sys

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.concurrency.buying import TITLE
from tests.concurrency.proofs import PROVE, write_section
from tests.databases import vacuum
from tests.shop.selling_machine.figures import figures
from tests.shop.selling_machine.machine import Machine

RUNS, STEPS = (500, 50) if PROVE else (20, 25)
# What has to have come about, or the runs say little.
DONE = {"add to a cart", "check out", "check out again", "ship", "cancel", "refund an amount"}
PROVED = DONE | {
    "capture", "capture a part at the provider", "void a payment", "customer decides",
    "money comes late", "merge at sign-in",
    "refund lines", "take units out", "take back", "apply a voucher", "adjust stock",
    "remove units", "undo a parcel", "correct the tracking", "correct the order",
    "cancel by the customer", "pay another way", "order again",
}  # fmt: skip


@pytest.mark.prove
@pytest.mark.django_db(transaction=True)
def test_the_shop_and_its_model_never_disagree(capsys: pytest.CaptureFixture[str]) -> None:
    def tell() -> None:
        with capsys.disabled():
            sys.stderr.write(f"\r{figures.runs} of {RUNS} runs, {figures.seconds:.0f} s ")

    vacuum()
    figures.clear(tell if PROVE else lambda: None)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            # The same ones in the suite, and others each time that it is proved.
            derandomize=not PROVE,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert {name for name, end in figures.ends if end == "done"} >= (PROVED if PROVE else DONE)
    orders = ", ".join(f"{count:,} {status}" for status, count in sorted(figures.orders.items()))
    write_section(
        "selling",
        TITLE,
        f"A shop and a plain model of it ({connection.vendor})",
        f"{figures.runs:,} runs of up to {STEPS} steps, {figures.steps:,} steps in all, made up by "
        f"Hypothesis in {figures.seconds / 60:.0f} minutes: whatever staff, shoppers, customers, a "
        "provider that loses answers and the clock may do, in any order, done to the shop and to "
        "a model of dicts and numbers (`tests/shop/selling_machine`). Both gave the same result "
        "or the same error codes each time. After each step stock, carts, vouchers, orders, "
        "payments, refunds and the provider's books were as the model has them, and added up; "
        "after each run, when all was settled, nobody was charged without an order, and nothing "
        f"was kept of orders that were given up. Orders ended so: {orders}.\n\n{figures.table()}",
    )
