"""The shop: models, actions and staff screens. It knows nothing of GraphQL."""

from shop.celery import app as celery_app

__all__ = ["celery_app"]
