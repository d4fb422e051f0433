"""The mail to staff about stock that runs low."""

from django.conf import settings
from django.urls import reverse

from shop.actions import mails
from shop.models import Stock


def tell_of_low_stock(variant_id: int, event_id: int, available: int) -> None:
    """Mails STAFF_EMAIL that few of a variant are left; nobody, where there is no such address.

    Args:
        available: units that could be had when it became low.

    Raises:
        OSError: the mail server does not take it.
    """
    if not settings.STAFF_EMAIL:
        return
    stock = Stock.objects.filter(variant=variant_id).select_related("variant__product").first()
    if stock is None:
        return
    variant = stock.variant
    context = {
        "name": ", ".join(filter(None, (variant.product.name, variant.name))),
        "sku": variant.sku or "",
        "available": available,
        "now": stock.available,
        "url": f"{settings.SITE_URL}{reverse('admin:shop_stock_change', args=[stock.pk])}",
    }
    mails.send("stock_low", to=settings.STAFF_EMAIL, key=f"stock-low-{event_id}", context=context)
