"""Stripe's API at the level of HTTP, as far as the shop uses it, with replies of documented shape.

It does what localstripe does not: it honours idempotency keys, rejects over-refunds, confirms with
payment methods, searches, and loses answers when it is told to.
"""

import hashlib
import hmac
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_a_secret_key_of_the_fake"
SECRET = "whsec_a_secret_of_the_fake"

_DECLINES = {
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", None),
}
_CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


class Failed(Exception):
    """An error as Stripe answers it."""

    def __init__(self, status: int, kind: str, **told: Any) -> None:
        self.status = status
        self.body = {"error": {"type": kind, "message": "No, because of X.", **told}}
        super().__init__(kind)


class Fake:
    """The books of the fake, and its levers.

    Attributes:
        intents, refunds: by id.
        charged_back: intents of which a bank has the money.
        calls: method and path of each request that was heard.
        lost: so many answers are lost after the work is done.
        deaf: so many requests are not even heard.
        down: every request is answered with 503.
        searchable: whether new objects can be found already.
        goes_on: cleared, requests are heard and wait until it is set.
    """

    def __init__(self) -> None:
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.charged_back: set[str] = set()
        self.calls: list[tuple[str, str]] = []
        self.lost = self.deaf = 0
        self.down = False
        self.searchable = True
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.refund_status = "succeeded"
        self._replies: dict[str, tuple[str, int, Any]] = {}
        self._lock = threading.Lock()

    def forget_keys(self) -> None:
        """As Stripe does after a day."""
        self._replies.clear()

    def heard(self, method: str, path: str) -> int:
        return self.calls.count((method, path))

    def event(
        self, kind: str, found: dict[str, Any], *, age: float = 0, **changed: Any
    ) -> tuple[bytes, dict[str, str]]:
        """A signed event about an object as it is now: body and headers."""
        event = {
            "id": f"evt_{uuid.uuid4().hex}",
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "livemode": False,
            "api_version": "2026-10-28.endive",
            "data": {"object": found},
            **changed,
        }
        body = json.dumps(event, indent=2).encode()
        return body, {"Stripe-Signature": signature(body, age=age)}

    def customer_confirms(self, intent_id: str, *, well: bool = True) -> dict[str, Any]:
        """The customer's client does what an intent asks for."""
        intent = self.intents[intent_id]
        assert intent["status"] in _CANCELABLE
        if well:
            _charge(intent)
        else:
            intent["status"] = "requires_payment_method"
            intent["next_action"] = None
            code = "payment_intent_authentication_failure"
            intent["last_payment_error"] = {"type": "invalid_request_error", "code": code}
        return intent

    def captures(self, intent_id: str, amount: int, *, is_final: bool = True) -> dict[str, Any]:
        """Somebody captures so much on Stripe's dashboard, which releases the rest if final."""
        intent = self.intents[intent_id]
        assert amount <= intent["amount_capturable"]
        intent["amount_received"] += amount
        intent["amount_capturable"] -= amount
        if is_final:
            intent |= {"status": "succeeded", "amount_capturable": 0}
        return intent

    def pays_back(self, intent_id: str, amount: int) -> dict[str, Any]:
        """Somebody refunds on Stripe's dashboard, where there is no key of ours."""
        refund = self._refund(
            {"payment_intent": intent_id, "amount": str(amount), "metadata[key]": ""}
        )
        refund["metadata"] = {}
        return refund

    def dispute(
        self,
        intent_id: str,
        status: str = "needs_response",
        *,
        moved: tuple[int, ...] = (),
        **told: Any,
    ) -> dict[str, Any]:
        """A dispute of all of an intent as events have it.

        Args:
            moved: what was withdrawn (below zero) and reinstated because of it.
        """
        intent = self.intents[intent_id]
        if sum(moved) < 0:
            self.charged_back.add(intent_id)
        return {
            "id": "du_1",
            "object": "dispute",
            "amount": intent["amount"],
            "balance_transactions": [
                {"object": "balance_transaction", "amount": amount, "fee": 1500, "currency": "eur"}
                for amount in moved
            ],
            "charge": "ch_1",
            "created": 1795406400,
            "currency": intent["currency"],
            "evidence": {"customer_name": "Ann Baker"},
            "evidence_details": {"due_by": 1796256000, "has_evidence": False, "past_due": False},
            "is_charge_refundable": status.startswith("warning"),
            "livemode": False,
            "metadata": {},
            "payment_intent": intent_id,
            "reason": "fraudulent",
            "status": status,
            **told,
        }

    def answer(
        self, method: str, path: str, data: dict[str, str], headers: Any
    ) -> tuple[int, dict[str, Any]]:
        given = (headers.get("Authorization") or "").removeprefix("Bearer ")
        if given != KEY:
            message = f"Invalid API Key provided: {given}"
            return 401, {"error": {"type": "invalid_request_error", "message": message}}
        key = headers.get("Idempotency-Key") if method == "POST" else None
        with self._lock:
            if key is None:
                return self._done(method, path, data)
            print_ = hashlib.sha256(repr((path, sorted(data.items()))).encode()).hexdigest()
            if key in self._replies:
                known, status, body = self._replies[key]
                if known != print_:
                    return 400, {"error": {"type": "idempotency_error", "message": "Keys…"}}
                return status, body
            status, body = self._done(method, path, data)
            self._replies[key] = (print_, status, json.loads(json.dumps(body)))
            return status, body

    def _done(self, method: str, path: str, data: dict[str, str]) -> tuple[int, dict[str, Any]]:
        try:
            return 200, self._route(method, path.removeprefix("/v1/").split("/"), data)
        except Failed as failed:
            return failed.status, failed.body

    def _route(self, method: str, parts: list[str], data: dict[str, str]) -> dict[str, Any]:
        match method, parts:
            case "POST", ["payment_intents"]:
                return self._create(data)
            case "GET", ["payment_intents", "search"]:
                return self._search(data)
            case "GET", ["payment_intents", name]:
                return self._intent(name)
            case "POST", ["payment_intents", name, "cancel"]:
                return self._cancel(self._intent(name))
            case "POST", ["payment_intents", name, "capture"]:
                return self._capture(self._intent(name), data)
            case "POST", ["refunds"]:
                return self._refund(data)
            case "GET", ["refunds"]:
                return self._list_refunds(data)
            case "GET", ["refunds", name]:
                return self.refunds[name]
        raise Failed(404, "invalid_request_error", code="resource_missing")

    def _intent(self, name: str) -> dict[str, Any]:
        if name not in self.intents:
            raise Failed(404, "invalid_request_error", code="resource_missing", param="intent")
        return self.intents[name]

    def _create(self, data: dict[str, str]) -> dict[str, Any]:
        assert data["automatic_payment_methods[enabled]"] == "true"
        name = f"pi_{uuid.uuid4().hex[:24]}"
        intent: dict[str, Any] = {
            "id": name,
            "object": "payment_intent",
            "amount": int(data["amount"]),
            "amount_capturable": 0,
            "amount_received": 0,
            "capture_method": data.get("capture_method", "automatic_async"),
            "client_secret": f"{name}_secret_{uuid.uuid4().hex}",
            "created": int(time.time()),
            "currency": data["currency"],
            "description": data["description"],
            "last_payment_error": None,
            "livemode": False,
            "metadata": {"key": data["metadata[key]"]},
            "next_action": None,
            "payment_method": None,
            "status": "requires_payment_method",
        }
        if int(data["amount"]) < 50:
            raise Failed(400, "invalid_request_error", code="amount_too_small", param="amount")
        if data.get("confirm") == "true":
            assert data["automatic_payment_methods[allow_redirects]"] == "never"
            self._confirm(intent, data["payment_method"])
        self.intents[name] = intent
        return intent

    def _confirm(self, intent: dict[str, Any], method: str) -> None:
        if method == "pm_card_visa":
            _charge(intent)
        elif method == "pm_card_authenticationRequired":
            intent["status"] = "requires_action"
            intent["next_action"] = {"type": "use_stripe_sdk"}
        elif method in _DECLINES:
            code, decline_code = _DECLINES[method]
            error = {"type": "card_error", "code": code, "decline_code": decline_code}
            intent["last_payment_error"] = error
            self.intents[intent["id"]] = intent
            raise Failed(402, "card_error", **{**error, "payment_intent": {**intent}})
        else:
            code, param = "resource_missing", "payment_method"
            raise Failed(400, "invalid_request_error", code=code, param=param)

    def _search(self, data: dict[str, str]) -> dict[str, Any]:
        key = data["query"].removeprefix('metadata["key"]:"').removesuffix('"')
        found = [one for one in self.intents.values() if one["metadata"]["key"] == key]
        return {
            "object": "search_result",
            "data": found if self.searchable else [],
            "has_more": False,
            "url": "/v1/payment_intents/search",
        }

    def _cancel(self, intent: dict[str, Any]) -> dict[str, Any]:
        if intent["status"] not in (*_CANCELABLE, "requires_capture"):
            raise Failed(400, "invalid_request_error", code="payment_intent_unexpected_state")
        intent |= {"status": "canceled", "amount_capturable": 0, "next_action": None}
        return intent

    def _capture(self, intent: dict[str, Any], data: dict[str, str]) -> dict[str, Any]:
        if intent["status"] != "requires_capture":
            raise Failed(400, "invalid_request_error", code="payment_intent_unexpected_state")
        taken = int(data["amount_to_capture"])
        intent |= {"status": "succeeded", "amount_received": taken, "amount_capturable": 0}
        return intent

    def _refund(self, data: dict[str, str]) -> dict[str, Any]:
        intent, amount = self._intent(data["payment_intent"]), int(data["amount"])
        before = [one for one in self.refunds.values() if one["payment_intent"] == intent["id"]]
        left = intent["amount_received"] - sum(
            one["amount"] for one in before if one["status"] != "failed"
        )
        if intent["id"] in self.charged_back:
            raise Failed(400, "invalid_request_error", code="charge_disputed")
        if not left:
            raise Failed(400, "invalid_request_error", code="charge_already_refunded")
        if amount > left:
            raise Failed(400, "invalid_request_error", param="amount")
        refund = {
            "id": f"re_{uuid.uuid4().hex[:24]}",
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "metadata": {"key": data["metadata[key]"]},
            "payment_intent": intent["id"],
            "status": self.refund_status,
        }
        self.refunds[refund["id"]] = refund
        return refund

    def _list_refunds(self, data: dict[str, str]) -> dict[str, Any]:
        mine = [
            one for one in self.refunds.values() if one["payment_intent"] == data["payment_intent"]
        ]
        start = 0
        if after := data.get("starting_after"):
            start = [one["id"] for one in mine].index(after) + 1
        # Pages of two, so that a test need not make a hundred.
        page = mine[start : start + 2]
        more = len(mine) > start + 2
        return {"object": "list", "data": page, "has_more": more, "url": "/v1/refunds"}


def signature(body: bytes, *, age: float = 0, secret: str = SECRET) -> str:
    """A signature as Stripe makes it, so many seconds ago."""
    made = int(time.time() - age)
    digest = hmac.new(secret.encode(), f"{made}.".encode() + body, hashlib.sha256)
    return f"t={made},v1={digest.hexdigest()}"


def serve(fake: Fake) -> ThreadingHTTPServer:
    """A server for the fake on a free port of this machine, in a thread."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._handle()

        def do_POST(self) -> None:
            self._handle()

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            split = urlsplit(self.path)
            data = dict(parse_qsl(self.rfile.read(length).decode() or split.query))
            if fake.deaf:
                fake.deaf -= 1
                self.close_connection = True
                return
            fake.calls.append((self.command, split.path))
            fake.goes_on.wait(60)
            if fake.down:
                status, body = 503, {"error": {"type": "api_error", "message": "Later."}}
            else:
                status, body = fake.answer(self.command, split.path, data, self.headers)
            if fake.lost:
                fake.lost -= 1
                self.close_connection = True
                return
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.send_header("Request-Id", f"req_{uuid.uuid4().hex[:14]}")
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def _charge(intent: dict[str, Any]) -> None:
    intent |= {"next_action": None, "last_payment_error": None}
    if intent["capture_method"] == "manual":
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
    else:
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
