"""Buyers who talk to a real server over HTTP, and what must be true of the shop afterwards."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from django.db.models import Sum
from graphql_relay import to_global_id

from shop.actions import inventory
from shop.models import DemoCharge, Order, Payment, Stock, Variant
from tests.shop.selling import BERLIN_INPUT

TITLE = """# Proof: selling

Written by `make prove`: real servers, real connections, real processes that die.
"""
CREATE = """mutation($input: CartCreateInput!) { cartCreate(input: $input) {
  token userErrors { code message field } } }"""
ADDRESS = """mutation($input: CartAddressesSetInput!) { cartAddressesSet(input: $input) {
  cart { total { amount } } userErrors { code message field } } }"""
VOUCHER = """mutation($input: CartVoucherApplyInput!) { cartVoucherApply(input: $input) {
  cart { total { amount } } userErrors { code message field } } }"""
CHECKOUT = """mutation($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
  order { number status paymentStatus total { amount } } token
  userErrors { code message field } } }"""
_addresses = itertools.count()


class Failed(Exception):
    """The server answered with something else than 200."""


class Buyer:
    """One client: a connection that is kept, and an address of its own, as behind a phone."""

    def __init__(self, port: int) -> None:
        number = next(_addresses)
        self.source = f"127.3.{number // 250 % 250 + 1}.{number % 250 + 1}"
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, document: str, variables: dict[str, Any], **headers: str) -> dict[str, Any]:
        """The JSON answer; asked again while the server says RETRY.

        Raises:
            Failed: another status than 200.
            OSError, HTTPException: the connection broke.
        """
        for _ in range(200):
            answer = self._once(document, variables, headers)
            codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
            if codes != {"RETRY"}:
                return answer
            time.sleep(0.1)
        raise Failed("RETRY, again and again")

    def do(self, document: str, **values: Any) -> dict[str, Any]:
        """The payload of the one mutation in `document`."""
        answer = self.ask(document, {"input": values})
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(
        self, document: str, variables: dict[str, Any], headers: dict[str, str]
    ) -> dict[str, Any]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=120, source_address=(self.source, 0)
            )
        body = json.dumps({"query": document, "variables": variables})
        try:
            self._connection.request(
                "POST", "/graphql/", body, {"Content-Type": "application/json", **headers}
            )
            response = self._connection.getresponse()
            content = response.read()
        except Exception:
            self.close()
            raise
        if response.status != 200:
            raise Failed(f"{response.status}: {content[:500]!r}")
        return json.loads(content)

    def fill(self, lines: Sequence[tuple[Variant, int]], *, voucher: str = "") -> dict[str, Any]:
        """A cart with these lines that can be ordered: the input of `checkoutComplete`."""
        wanted = [{"variant": gid(variant), "quantity": units} for variant, units in lines]
        made = self.do(CREATE, lines=wanted, email="ann@example.org")
        assert made["userErrors"] == []
        cart = made["token"]
        found = self.do(ADDRESS, cart=cart, shippingAddress=BERLIN_INPUT)
        if voucher:
            found = self.do(VOUCHER, cart=cart, code=voucher)
        assert found["userErrors"] == [], found
        total = found["cart"]["total"]["amount"]
        return {"cart": cart, "payment": {"provider": "DEMO"}, "expectedTotal": total}


def gid(row: Any) -> str:
    return to_global_id(type(row).__name__, row.pk)


def stock_up(shop: Any, units: int) -> None:
    """Has each variant of the shop counted once, so many units of it."""
    for variant in shop.variants:
        Stock.objects.filter(variant=variant).update(on_hand=units)
        stock = Stock.objects.get(variant=variant)
        stock.movements.all().delete()
        stock.movements.create(delta=units, on_hand=units, reason="opening")


def code_of(payload: dict[str, Any]) -> str:
    """The status of the order, or the codes of what stood against it."""
    codes = {error["code"] for error in payload["userErrors"]}
    return ",".join(sorted(codes)) or payload["order"]["status"]


def all_at_once(
    connections: int, jobs: Iterable[Any], work: Callable[[Buyer, Any], Any], port: int
) -> list[Any]:
    """What `work` returns for each job, done over so many connections at a time."""
    local = threading.local()
    buyers: list[Buyer] = []

    def run(job: Any) -> Any:
        if not hasattr(local, "buyer"):
            local.buyer = Buyer(port)
            buyers.append(local.buyer)
        return work(local.buyer, job)

    try:
        with ThreadPoolExecutor(connections) as pool:
            return list(pool.map(run, jobs))
    finally:
        for buyer in buyers:
            buyer.close()


def check_books(variants: Sequence[Variant]) -> Counter[str]:
    """That stock, reservations, movements, orders and charges agree. Returns orders by status."""
    assert inventory.discrepancies() == []
    for stock in Stock.objects.filter(variant__in=variants):
        assert 0 <= stock.reserved <= stock.on_hand
    check_money()
    return Counter(Order.objects.values_list("status", flat=True))


def check_money() -> None:
    """That each charge has its order, and each paid order its charge, of the same amount."""
    charges = {
        charge.key: charge.captured
        for charge in DemoCharge.objects.all()
        if charge.state == "captured"
    }
    payments = {
        payment.key: payment.captured
        for payment in Payment.objects.filter(provider="demo", captured__gt=0)
    }
    assert charges == payments
    paid = Order.objects.filter(status__in=["confirmed", "completed"])
    assert not paid.exclude(payment_status__in=["paid", "partially_refunded", "refunded"]).exists()
    sums = Payment.objects.filter(order__in=paid).aggregate(all=Sum("captured"))
    assert (sums["all"] or 0) == (paid.aggregate(all=Sum("total"))["all"] or 0)
