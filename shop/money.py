"""Money: whole minor units and an ISO 4217 currency, never a float. Pure Python."""

import re
from dataclasses import dataclass
from decimal import Decimal, Overflow

# ISO 4217 (SIX list one): currencies whose minor unit is not a hundredth.
_EXPONENTS = dict.fromkeys(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
) | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)

# The largest amount of minor units accepted: far above any price, far below a 64-bit integer.
MAX_MINOR_UNITS = 10**15

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)


def exponent(currency: str) -> int:
    """Number of decimal places of `currency`, by ISO 4217."""
    return _EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money.

    Attributes:
        minor: whole minor units (cents for USD, yen for JPY, fils for KWD).
        currency: three-letter ISO 4217 code.
    """

    minor: int
    currency: str

    @property
    def amount(self) -> str:
        """The amount as a decimal string with all decimal places: "12.50"."""
        return format_minor(self.minor, self.currency)

    def __str__(self) -> str:
        """For people, whatever their language: "12.50 USD"."""
        return f"{self.amount} {self.currency}"


def format_minor(minor: int, currency: str) -> str:
    """`minor` units of `currency` as a decimal string."""
    places = exponent(currency)
    if not places:
        return str(minor)
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**places)
    return f"{sign}{whole}.{part:0{places}d}"


def parse_minor(amount: str | Decimal, currency: str) -> int:
    """Minor units of a decimal string such as "12.50".

    Raises:
        ValueError: not a plain decimal number, more decimal places than the currency has
            (trailing zeros excepted), or beyond MAX_MINOR_UNITS.
    """
    text = format(amount, "f") if isinstance(amount, Decimal) else amount.strip()
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"not a decimal number: {text[:40]!r}")
    try:
        scaled = Decimal(text).scaleb(exponent(currency))
    except Overflow as error:
        raise ValueError("the amount is too large") from error
    if abs(scaled) > MAX_MINOR_UNITS:
        raise ValueError("the amount is too large")
    # Counted in the text: arithmetic would round what has more digits than its precision.
    if len(text.partition(".")[2].rstrip("0")) > exponent(currency):
        raise ValueError(f"{currency} has {exponent(currency)} decimal places")
    return int(scaled)
