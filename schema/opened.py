"""What somebody without an account may see because a secret token of theirs opened it.

It holds for the request in which the token was shown, and for nothing else. A token comes as an
argument, or in a request header, so that `node` and refetches find what belongs to a guest.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Model, Q
from django.http import HttpRequest

from schema.engine.errors import BadRequest
from shop.actions import carts, orders
from shop.models import Cart, Order

# The request headers that carry tokens, each a list separated by commas.
TOKEN_HEADERS: dict[type[Model], str] = {Cart: "Cart-Token", Order: "Order-Token"}
MAX_TOKENS = 10
# Longer than every token of the shop.
_MAX_LENGTH = 200


def open_row(request: Any, row: Model) -> None:
    """Lets the rest of the request see `row`."""
    rows: dict[type[Model], set[int]] = request.__dict__.setdefault("opened_rows", {})
    rows.setdefault(type(row), set()).add(row.pk)


def opened(request: Any, model: type[Model] | None) -> Collection[Any]:
    """The primary keys of the rows of a model that the request has opened; none of no model.

    The tokens in a header are looked up when they are first needed: one statement for each header.
    """
    if isinstance(request, HttpRequest) and model in TOKEN_HEADERS:
        looked_up: set[type[Model]] = request.__dict__.setdefault("looked_up_tokens", set())
        if model not in looked_up:
            keys = _by_tokens(request, model)
            looked_up.add(model)
            if keys:
                request.__dict__.setdefault("opened_rows", {}).setdefault(model, set()).update(keys)
    return getattr(request, "opened_rows", {}).get(model, ())


def has_opened(request: Any) -> bool:
    """Whether the request has opened anything, or carries tokens that may."""
    return "opened_rows" in request.__dict__ or any(
        header in request.headers for header in TOKEN_HEADERS.values()
    )


def cart_token(request: HttpRequest, token: str | None) -> str | None:
    """The token of the cart that a request is about.

    The argument comes first. Without it, the header of a guest stands in where it holds one token;
    a signed-in customer means the cart of the account.
    """
    if token is None and not request.user.is_authenticated:
        shown = _tokens(request, TOKEN_HEADERS[Cart])
        if len(shown) == 1:
            return shown[0]
    return token


def _by_tokens(request: HttpRequest, model: type[Model]) -> set[int]:
    """Primary keys of the rows that the tokens in the model's header open."""
    tokens = _tokens(request, TOKEN_HEADERS[model])
    if not tokens:
        return set()
    if model is Cart:
        # The cart of an account opens for the account alone, also by its token.
        owner = Q(user=None) | Q(user=request.user.pk)
        rows = Cart.objects.filter(owner, digest__in=[carts.digest_of(one) for one in tokens])
        return set(rows.values_list("pk", flat=True))
    digests = [orders.digest_of(one) for one in tokens]
    return set(Order.objects.filter(digest__in=digests).values_list("pk", flat=True))


def _tokens(request: HttpRequest, header: str) -> list[str]:
    """The tokens in a header, those left out that can be none. Raises BadRequest for too many."""
    # One part more than allowed tells that there are too many, however long the header is.
    parts = request.headers.get(header, "").split(",", MAX_TOKENS)
    if len(parts) > MAX_TOKENS:
        raise BadRequest(
            f"The header `{header}` holds at most {MAX_TOKENS} tokens.", max=MAX_TOKENS
        )
    found = [part.strip() for part in parts]
    return [part for part in found if part.isascii() and 0 < len(part) <= _MAX_LENGTH]
