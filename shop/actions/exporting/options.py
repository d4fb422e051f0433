"""Which option stands in which of the three columns that the layout has for a product."""

from collections.abc import Sequence
from itertools import product

from shop.actions.catalog.variants import MAX_OPTIONS, options_key
from shop.actions.importing.drafts import clean
from shop.actions.importing.variants import OPTION_LENGTH
from shop.models import Variant
from shop.text import fold

Names = tuple[str, ...]
# Shopify's way of saying that there is nothing to choose.
_NOTHING = (("Title", "Default Title"),)


def arrange(variants: Sequence[Variant]) -> tuple[Names, dict[int, list[str]]]:
    """The option columns for a product, in which as many of its variants as possible find place.

    Variants may have different options: each leaves the columns empty that it has no value for.

    Returns:
        Names of the columns, and by primary key of the variant its values in them. A variant that
        the columns cannot say is missing.
    """
    columns: Names = ()
    placed: dict[Names, None] = {}
    chosen: dict[int, tuple[tuple[str, str], ...]] = {}
    for variant in variants:
        for pairs in _spellings(variant):
            names = tuple(name for name, _ in pairs)
            found = columns if names in placed else _columns([*placed, names])
            if found is not None:
                columns, chosen[variant.pk] = found, pairs
                placed[names] = None
                break
    return columns, {pk: _fill(columns, pairs) for pk, pairs in chosen.items()}


def _spellings(variant: Variant) -> list[tuple[tuple[str, str], ...]]:
    """The ways in which the options can be written so that they are known again."""
    pairs = tuple((clean(option["name"]), clean(option["value"])) for option in variant.options)
    if not pairs:
        # A row with a price or a SKU is a variant even without an option.
        return [_NOTHING, ()] if variant.sku or variant.price is not None else [_NOTHING]
    read = [
        {"name": name, "value": value}
        for name, value in pairs
        if name and value and (fold(name), fold(value)) != ("title", "default title")
    ]
    fits = (
        len(read) == len(pairs) <= MAX_OPTIONS
        and len({fold(name) for name, _ in pairs}) == len(pairs)
        and max(len(text) for pair in pairs for text in pair) <= OPTION_LENGTH
        and options_key(read) == variant.options_key
    )
    return [pairs] if fits else []


def _columns(sequences: Sequence[Names]) -> Names | None:
    """The shortest columns that have each of `sequences` in its order; None if three are too few.

    A name may stand in two columns: one variant has its colour first, another its size.
    """
    names = list(dict.fromkeys(name for sequence in sequences for name in sequence))
    if len(names) > MAX_OPTIONS:
        return None
    for length in range(len(names), MAX_OPTIONS + 1):
        for columns in product(names, repeat=length):
            if all(_is_within(sequence, columns) for sequence in sequences):
                return columns
    return None


def _is_within(sequence: Names, columns: Names) -> bool:
    left = iter(columns)
    return all(name in left for name in sequence)


def _fill(columns: Names, pairs: Sequence[tuple[str, str]]) -> list[str]:
    values = [""] * len(columns)
    start = 0
    for name, value in pairs:
        place = columns.index(name, start)
        values[place], start = value, place + 1
    return values
