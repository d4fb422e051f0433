"""What shoppers may buy, and why not."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import BooleanField, Case, Value, When
from django.db.models.functions import Now

from shop.actions.inventory.promising import units_to_be_had
from shop.models import ProductStatus, Stock, Variant


class Unavailable(StrEnum):
    """Why a variant cannot be bought."""

    UNPUBLISHED = "unpublished"
    NO_PRICE = "no_price"
    OUT_OF_STOCK = "out_of_stock"


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a variant can be bought.

    Attributes:
        units: that can be had, whether it is on sale or not.
        reasons: why it cannot be bought; none when it can.
    """

    units: int
    reasons: tuple[Unavailable, ...]

    @property
    def is_purchasable(self) -> bool:
        return not self.reasons


def availability(variant_ids: Collection[int]) -> dict[int, Availability]:
    """Whether each of these variants can be bought, in one statement.

    What is not there is left out.
    """
    on_sale = When(
        product__status=ProductStatus.PUBLISHED, product__published_at__lte=Now(), then=Value(True)
    )
    rows: Any = Variant.objects.filter(pk__in=variant_ids).annotate(
        is_on_sale=Case(on_sale, default=Value(False), output_field=BooleanField())
    )
    columns = ("stock__on_hand", "stock__reserved", "stock__backorder")
    found = {}
    for pk, price, is_on_sale, *counts in rows.values_list("pk", "price", "is_on_sale", *columns):
        on_hand, reserved, backorder = counts
        # No stock row counts as none.
        stock = Stock(on_hand=on_hand or 0, reserved=reserved or 0, backorder=bool(backorder))
        units = units_to_be_had(stock)
        why = {
            Unavailable.UNPUBLISHED: not is_on_sale,
            Unavailable.NO_PRICE: price is None,
            Unavailable.OUT_OF_STOCK: units == 0,
        }
        found[pk] = Availability(units, tuple(reason for reason, holds in why.items() if holds))
    return found
