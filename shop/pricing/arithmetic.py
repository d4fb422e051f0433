"""Whole numbers only: rounding, shares in basis points, and spreading without losing a cent."""

from collections.abc import Sequence

# 100 % in basis points.
WHOLE = 10_000


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator`, a half rounded up: commercial rounding, as on most invoices.

    Both are whole; the numerator is not negative, the denominator is positive.
    """
    return (2 * numerator + denominator) // (2 * denominator)


def share(amount: int, basis_points: int) -> int:
    """`basis_points` of `amount`, in minor units, rounded half up."""
    return half_up(amount * basis_points, WHOLE)


def added_tax(net: int, basis_points: int) -> int:
    """The tax that comes on top of a price without tax; minor units."""
    return share(net, basis_points)


def included_tax(gross: int, basis_points: int) -> int:
    """The tax within a price that includes it: gross x rate / (1 + rate); minor units."""
    return half_up(gross * basis_points, WHOLE + basis_points)


def spread(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` in parts in proportion to `weights`, which add up to it exactly.

    The method of the largest remainder (Hamilton's): everyone gets the whole part of their exact
    share, and what is left goes, one unit each, to the largest fractions; of equal ones, to the
    first. No part is more than one unit away from the exact share, so none exceeds its weight
    where the amount does not exceed their sum.

    Raises:
        ValueError: something is negative, or there is an amount but no weight to carry it.
    """
    whole = sum(weights)
    if amount < 0 or min(weights, default=0) < 0:
        raise ValueError("amounts and weights are not negative")
    if not amount:
        return [0] * len(weights)
    if not whole:
        raise ValueError("there is nothing to spread the amount over")
    parts, fractions = zip(*(divmod(amount * weight, whole) for weight in weights), strict=True)
    by_fraction = sorted(range(len(weights)), key=lambda i: -fractions[i])
    served = set(by_fraction[: amount - sum(parts)])
    return [part + (i in served) for i, part in enumerate(parts)]


def not_negative(**amounts: int | None) -> None:
    """Refuse what is below zero; None stands for "no bound".

    Raises:
        ValueError: names the first that is.
    """
    for name, amount in amounts.items():
        if amount is not None and amount < 0:
            raise ValueError(f"{name} is negative")


def at_most_whole(basis_points: int) -> None:
    """Refuse a rate that is not within 0 and 100 %.

    Raises:
        ValueError: it is not.
    """
    if not 0 <= basis_points <= WHOLE:
        raise ValueError("a rate is 0 to 10000 basis points")
