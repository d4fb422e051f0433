"""The shop as it is deployed, with the hand-written views beside it, for `over_http`."""

from django.conf import settings

from shop.asgi import application

settings.ROOT_URLCONF = "contenders.served_urls"

__all__ = ["application"]
