"""Digital content of variants, and its delivery to customers."""

from typing import Any

import graphene

from schema.base import StaffNode
from schema.opened import opened
from shop import models
from shop.actions import orders

VIEW_CONTENT = "shop.view_digitalcontent"

DigitalContentKind = graphene.Enum.from_enum(
    models.DigitalKind,
    name="DigitalContentKind",
    description=lambda member: {
        None: "Form of digital content.",
        "LINK": "An http or https address.",
        "TEXT": "A text, such as a license key.",
    }[member and member.name],
)


class DigitalContent(StaffNode):
    """Content that customers get of a variant that is not shipped, once they have paid."""

    permission = VIEW_CONTENT

    kind = graphene.Field(DigitalContentKind, required=True, description="Form of the content.")
    content = graphene.String(required=True, description="The address or the text.")
    created_at = graphene.DateTime(required=True, description="When it was set first.")
    updated_at = graphene.DateTime(required=True, description="When it last changed.")

    class Meta:
        model = models.DigitalContent


class DigitalDelivery(graphene.ObjectType):
    """Delivery of a line that is not shipped."""

    kind = graphene.Field(
        DigitalContentKind, required=True, description="Form of the content behind the link."
    )
    url = graphene.String(
        description="Link of this server that opens the content. Null once it is revoked, and for "
        "everyone but the customer."
    )
    downloads = graphene.Int(required=True, description="Times that the link was followed.")
    delivered_at = graphene.DateTime(required=True, description="When it was delivered.")
    revoked_at = graphene.DateTime(
        description="When it was revoked, such as by a refund; null while the link works."
    )


def deliveries(request: Any, keys: list[int]) -> dict[int, dict[str, Any]]:
    """Deliveries by the primary keys of their lines, in one statement."""
    rows = models.DigitalDelivery.objects.filter(line__in=keys).select_related("line__order")
    return {row.line_id: _delivery(request, row) for row in rows.defer("content")}


def _delivery(request: Any, row: models.DigitalDelivery) -> dict[str, Any]:
    order = row.line.order
    user = getattr(request, "user", None)
    is_customer = user is not None and user.pk is not None and order.user_id == user.pk
    shows = row.revoked_at is None and (is_customer or order.pk in opened(request, models.Order))
    return {
        "kind": models.DigitalKind(row.kind),
        "url": orders.delivery_url(row.key) if shows else None,
        "downloads": row.downloads,
        "delivered_at": row.created_at,
        "revoked_at": row.revoked_at,
    }
