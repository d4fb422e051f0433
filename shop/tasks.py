"""Celery tasks: they take ids, call an action, and survive running twice."""

from shop import outbox
from shop.actions.catalog import media
from shop.models import OutboxEvent


@outbox.subscriber("media.uploaded", name="shop.make_thumbnails")
def make_thumbnails(event: OutboxEvent) -> None:
    """Draws the sizes of an uploaded picture."""
    media.make_thumbnails(event.payload["id"])
