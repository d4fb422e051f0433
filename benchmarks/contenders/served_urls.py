"""The shop's addresses, and the hand-written views beside them."""

from django.urls import path

from contenders import handwritten
from shop.urls import urlpatterns as deployed

urlpatterns = [
    *deployed,
    *(path(f"by-hand/{question}/", view) for question, view in handwritten.views().items()),
]
