"""localstripe as a process of its own, which prints the port that it listens on.

Of what the shop sends and reads it lacks some, which is added here: parameters that it does not
know are dropped, and intents tell their amounts. Its books stay in memory.
"""

import socket
import sys
from typing import Any

from aiohttp import web
from localstripe import resources, server


class Intent:
    """What a payment intent of Stripe's has besides."""

    initialise = resources.PaymentIntent.__init__

    def begin(self, automatic_payment_methods: Any = None, description: Any = None, **data: Any):
        assert automatic_payment_methods["enabled"] == "true"
        assert description
        Intent.initialise(self, **data)

    @property
    def amount_received(self) -> int:
        return self.amount if self.status == "succeeded" else 0

    @property
    def amount_capturable(self) -> int:
        return self.amount if self.status == "requires_capture" else 0


resources.PaymentIntent.__init__ = Intent.begin
resources.PaymentIntent.amount_received = Intent.amount_received
resources.PaymentIntent.amount_capturable = Intent.amount_capturable
resources.Store.dump_to_disk = lambda self: None


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    web.run_app(server.app, sock=listening, print=None, handle_signals=False)


if __name__ == "__main__":
    main()
