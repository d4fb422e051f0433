"""The terms that vouchers and automatic discounts have in common."""

from typing import Any

from shop.actions import checks
from shop.errors import Invalid
from shop.input_errors import InputErrors


def set_terms(row: Any, fields: dict[str, Any], errors: InputErrors) -> None:
    """Sets minimum_subtotal (minor units), starts_at, ends_at (aware) and is_active, if given.

    Adds InvalidPrice to `errors` for a minimum that cannot be, and Invalid for an end that does not
    come after the start.
    """
    with errors.collect():
        checks.amount(fields.get("minimum_subtotal"), "minimumSubtotal")
    for name in ("minimum_subtotal", "starts_at", "ends_at", "is_active"):
        if name in fields:
            setattr(row, name, fields[name])
    if row.starts_at and row.ends_at and row.ends_at <= row.starts_at:
        errors.add(Invalid("It must end after it starts.", field=["endsAt"]))
