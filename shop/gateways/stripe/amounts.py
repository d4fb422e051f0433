"""Minor units as Stripe counts them, which is not always as ISO 4217 does.

See https://docs.stripe.com/currencies: some currencies have another number of places there, and of
those with three the last must be zero. Nothing is ever rounded: what Stripe cannot move exactly, it
is not asked to.
"""

from shop.money import exponent

_PLACES = dict.fromkeys(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0
) | dict.fromkeys("BHD JOD KWD OMR TND".split(), 3)
# What Stripe counts in hundredths although ISO has none.
_PLACES["ISK"] = 2
# Of the shilling the page says both that it has no places and that it has two; of the others it
# says nothing, and ISO gives them more or less than two.
_UNCLEAR = frozenset("UGX IQD LYD UYI".split())


def is_known(currency: str) -> bool:
    """Whether it is clear how Stripe counts this currency."""
    return currency not in _UNCLEAR


def to_stripe(minor: int, currency: str) -> int | None:
    """`minor` units as Stripe counts them; None for what it cannot move exactly."""
    if not is_known(currency):
        return None
    places = _PLACES.get(currency, 2)
    amount, rest = divmod(minor * 10**places, 10 ** exponent(currency))
    if rest or (places == 3 and amount % 10):
        return None
    return amount


def from_stripe(amount: int, currency: str) -> int:
    """Minor units of an amount of Stripe's.

    Raises:
        ValueError: it is none of whole minor units.
    """
    places = _PLACES.get(currency, 2)
    minor, rest = divmod(amount * 10 ** exponent(currency), 10**places)
    if rest:
        raise ValueError(f"no whole minor units of {currency}")
    return minor
