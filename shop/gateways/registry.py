"""The gateways that there are, by name."""

from shop.gateways.base import Gateway
from shop.gateways.demo import Demo
from shop.gateways.manual import Manual
from shop.gateways.stripe import Stripe

# In the order in which they are offered.
_GATEWAYS: dict[str, Gateway] = {one.name: one for one in (Stripe(), Manual(), Demo())}


def gateway_of(provider: str) -> Gateway:
    """The gateway with this name, whether or not it is offered: old payments may need it.

    Raises:
        KeyError: there is none.
    """
    return _GATEWAYS[provider]


def names() -> tuple[str, ...]:
    """The names of all gateways."""
    return tuple(_GATEWAYS)


def offered(currency: str) -> list[str]:
    """The names of those that the shop is set up for, in this currency."""
    return [name for name, gateway in _GATEWAYS.items() if gateway.is_offered(currency)]
