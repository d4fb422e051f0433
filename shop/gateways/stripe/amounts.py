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

# Smallest charges in Stripe's units, from the table "Minimum charge amount" of
# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
_MINIMUMS = {
    "AED": 200,
    "AUD": 50,
    "BGN": 100,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}


def minimum(currency: str) -> int:
    """The smallest charge in minor units; 0 for currencies that Stripe lists no minimum for.

    Stripe's minimums are those of the account's settlement currency. A charge in another currency
    is converted first, at a rate that the shop does not know: the shop checks the minimum of the
    currency of the charge, and Stripe may still refuse with `amount_too_small`.
    Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
    """
    return from_stripe(_MINIMUMS.get(currency, 0), currency)


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
