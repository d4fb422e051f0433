"""Requests about an order that come twice."""

from collections.abc import Callable
from typing import Any

from shop.actions import idempotency
from shop.input_errors import InputErrors


def once(
    by: Any,
    operation: str,
    key: str | None,
    asked: dict[str, Any],
    perform: Callable[[], Any],
    errors: InputErrors | None = None,
) -> Any:
    """What `perform` returns, or returned when the same was asked for under the same key.

    Args:
        by: who asks; None for whoever opened the order by its token.
        asked: all that decides about what is done, for JSON.
        perform: returns something for JSON. Raises `errors` before it writes.
        errors: found in the input so far.

    Raises:
        As `idempotency.once`; Several, with `errors`.
    """
    errors = InputErrors() if errors is None else errors
    request = {**asked, "lines": _plain(asked.get("lines"))}
    actor = f"user:{by.pk}" if by else f"order:{asked['order']}"
    with errors.collect():
        reply = idempotency.once(actor, operation, key, request, lambda: {"done": perform()})
    errors.raise_any()
    return reply["done"]


def _plain(lines: Any) -> Any:
    """As JSON has them: with texts for keys."""
    return lines if lines is None else {str(pk): units for pk, units in dict(lines).items()}
