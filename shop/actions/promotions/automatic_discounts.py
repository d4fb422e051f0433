"""Discounts that apply by themselves."""

from django.conf import settings

from shop import pricing
from shop.models import AutomaticDiscount


def automatic() -> tuple[pricing.AutomaticDiscount, ...]:
    """All that are active, whatever their dates, in one statement: pricing looks at those."""
    rows = AutomaticDiscount.objects.filter(is_active=True, currency=settings.SHOP_CURRENCY)
    return tuple(
        pricing.AutomaticDiscount(
            key=row.pk,
            basis_points=row.basis_points,
            minimum_subtotal=row.minimum_subtotal,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        for row in rows.order_by("pk")
    )
