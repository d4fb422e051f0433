"""Pictures of a product, and which of them stand in the file."""

from shop.actions.catalog.media_urls import is_storable
from shop.actions.exporting.cells import guarded
from shop.actions.exporting.loading import Item, address
from shop.actions.exporting.past import Past
from shop.models import Variant

Cells = dict[str, str]


class Pictures:
    """What the file says of a product's pictures.

    An import makes a new picture of every address that it does not know, and uploads have none that
    it would know again: in a file for this shop they do not stand. It also puts the pictures that
    the file does not have behind the others: where that would change their order, the file says of
    pictures what the last one said, and an import leaves all of them alone.
    """

    def __init__(self, item: Item, past: Past, *, elsewhere: bool) -> None:
        self._past = past
        self._addresses = {row.pk: address(row) for row in item.media if row.url or elsewhere}
        named = [row for row in item.media if row.pk in self._addresses]
        urls = [self._addresses[row.pk] for row in named]
        self._is_told = elsewhere or (
            item.media[: len(named)] == named
            and len(set(urls)) == len(urls)
            and all(is_storable(url) for url in urls)
        )
        told = [[self._addresses[row.pk], row.alt] for row in named]
        self.pictures = told if self._is_told else past.media

    def cells(self) -> list[Cells]:
        """The cells of each picture, in their order."""
        return [
            {"image": url, "image_position": str(place), "image_alt": guarded(alt)}
            for place, (url, alt) in enumerate(self.pictures, start=1)
        ]

    def of(self, variant: Variant) -> str:
        """The address in the row of `variant`."""
        if variant.media_id is None and self._is_told:
            return ""
        if variant.media_id in self._addresses and self._is_told:
            return self._addresses[variant.media_id]
        return self._past.image(variant)
