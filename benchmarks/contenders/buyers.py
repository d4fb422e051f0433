"""Buyers over HTTP, in a process of their own: from an empty cart to a paid order, again and again.

    python buyers.py PORT CLIENTS SECONDS

Reads the global ids of variants as JSON from standard input; prints, as JSON, the seconds that each
step took, by step, and the number of orders.
"""

import http.client
import json
import random
import sys
import threading
import time
import uuid
from typing import Any

LINES = 3
ADDRESS = {
    "name": "Ann Baker",
    "line1": "1 Main St",
    "city": "Springfield",
    "region": "IL",
    "postalCode": "62704",
    "country": "US",
}
PRICED = "cart { total { amount } } userErrors { code message }"
SELECTED = {
    "cartCreate": "token userErrors { code message }",
    "cartLinesAdd": PRICED,
    "cartEmailSet": PRICED,
    "cartAddressesSet": PRICED,
    "checkoutComplete": "order { number status total { amount } } userErrors { code message }",
}
STEPS = tuple(SELECTED)


class Buyer:
    """One client with a connection that is kept.

    Attributes:
        times: seconds of each step, by step.
        debug: asks for the SQL count of each step, which `sql` has then.
    """

    def __init__(self, port: int, variants: list[str], *, debug: bool = False) -> None:
        self.times: dict[str, list[float]] = {step: [] for step in STEPS}
        self.sql: dict[str, int] = {}
        self.orders = 0
        self._variants = variants
        self._debug = debug
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def buy(self) -> None:
        """Every step of one order."""
        cart = self._do("cartCreate")["token"]
        chosen = random.sample(self._variants, LINES)
        lines = [{"variant": variant, "quantity": 1} for variant in chosen]
        self._do("cartLinesAdd", cart=cart, lines=lines)
        self._do("cartEmailSet", cart=cart, email="ann@example.org")
        found = self._do("cartAddressesSet", cart=cart, shippingAddress=ADDRESS)
        done = self._do(
            "checkoutComplete",
            cart=cart,
            payment={"provider": "DEMO"},
            expectedTotal=found["cart"]["total"]["amount"],
            idempotencyKey=uuid.uuid4().hex,
        )
        assert done["order"]["status"] == "CONFIRMED", done
        self.orders += 1

    def _do(self, step: str, **values: Any) -> dict[str, Any]:
        kind = f"{step[0].upper()}{step[1:]}Input!"
        query = f"mutation($input: {kind}) {{ {step}(input: $input) {{ {SELECTED[step]} }} }}"
        asked: dict[str, Any] = {"query": query, "variables": {"input": values}}
        if self._debug:
            asked["extensions"] = {"debug": True}
        body = json.dumps(asked)
        started = time.perf_counter()
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/graphql/", body, headers)
        answer = json.loads(self._connection.getresponse().read())
        self.times[step].append(time.perf_counter() - started)
        if self._debug:
            self.sql[step] = answer["extensions"]["debug"]["sql"]
        payload = answer["data"][step]
        assert payload["userErrors"] == [], payload
        return payload


def main(port: int, clients: int, seconds: float) -> None:
    variants = json.load(sys.stdin)
    buyers = [Buyer(port, variants) for _ in range(clients)]
    started = time.perf_counter()

    def run(buyer: Buyer) -> None:
        while time.perf_counter() < started + seconds:
            buyer.buy()

    threads = [threading.Thread(target=run, args=[buyer]) for buyer in buyers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    times = {step: [second for b in buyers for second in b.times[step]] for step in STEPS}
    orders = sum(buyer.orders for buyer in buyers)
    json.dump({"orders": orders, "seconds": took, "times": times}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
