"""What of a line's price goes back for some of its units. Pure arithmetic, minor units."""


def share(total: int, quantity: int, *, before: int, units: int) -> int:
    """The part of `total` that is for the units after the first `before` ones.

    By largest remainder, as `pricing.arithmetic.spread` over units of equal weight: the first few
    units are one minor unit dearer. So all parts add up to `total`, in whatever steps.

    Args:
        total: what was paid for all units.
        quantity: all units.
        before: units that were paid back already.
        units: that are paid back now.
    """
    return _first(before + units, total, quantity) - _first(before, total, quantity)


def _first(units: int, total: int, quantity: int) -> int:
    """What the first `units` come to."""
    each, rest = divmod(total, quantity)
    return units * each + min(units, rest)
