"""The rules for pictures: addresses, their order, alternative texts."""

from collections.abc import Sequence

from shop.actions.catalog.media_urls import is_allowed, is_storable
from shop.actions.importing.drafts import Notes, clean
from shop.actions.importing.layout import Layout
from shop.actions.importing.report import Code
from shop.models.catalog import NAME_LENGTH


def read(
    layout: Layout, rows: Sequence[dict[str, str]], lines: Sequence[int], notes: Notes
) -> list[list[str]] | None:
    """[address, alternative text] in the order of "Image Position", then of the rows.

    An address counts once. Pictures of variants that are missing among the product's follow at the
    end. None when the file has no columns for pictures.
    """
    if not layout.has("image", "variant_image"):
        return None
    placed: list[tuple[int, str, str, int, str]] = []
    for cells, line in zip(rows, lines, strict=True):
        if url := cells.get("image"):
            place = _place(cells.get("image_position", ""))
            alt = _alt(cells.get("image_alt", ""), line, notes)
            placed.append((place, url, alt, line, "image"))
    placed.sort(key=lambda picture: picture[0])
    for cells, line in zip(rows, lines, strict=True):
        if url := cells.get("variant_image"):
            placed.append((0, url, "", line, "variant_image"))
    alts: dict[str, str] = {}
    refused = set()
    for _, url, alt, line, column in placed:
        # The product may have had a picture with this address before the rule was as strict: what
        # is compared with it still has the address, and only new pictures are not created.
        if is_storable(url):
            alts[url] = alts.get(url) or alt
        if not is_allowed(url) and url not in refused:
            refused.add(url)
            message = f'"{url[:80]}" is not the public address of a picture: none is created.'
            notes.add(Code.IMAGE_INVALID, message, line, column=column)
    return [[url, alt] for url, alt in alts.items()]


def _place(text: str) -> int:
    # Pictures without a number follow those that have one.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 10**9


def _alt(text: str, line: int, notes: Notes) -> str:
    alt = clean(text)
    if len(alt) > NAME_LENGTH:
        message = f"The alternative text was cut after {NAME_LENGTH} characters."
        notes.add(Code.TEXT_CUT, message, line, column="image_alt")
    return alt[:NAME_LENGTH].rstrip()
