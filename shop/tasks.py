"""Celery tasks: they take ids, call an action, and survive running twice."""

from celery import shared_task

from shop.actions.catalog import media


@shared_task(name="shop.make_thumbnails")
def make_thumbnails(media_id: int) -> None:
    media.make_thumbnails(media_id)
