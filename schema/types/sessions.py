"""Where somebody is signed in."""

import uuid
from typing import Any

import graphene

from schema import authentication, viewers
from schema.base import ShopNode
from schema.engine.connections import ComputedField
from schema.engine.keyset import SortField
from schema.permissions import SIGNED_IN
from shop import models


def _is_current(request: Any, uid: uuid.UUID) -> bool:
    return authentication.session_of(request) == uid


class Session(ShopNode):
    """A device that is signed in. Everyone sees their own, and nobody those of others."""

    permission = SIGNED_IN

    user_agent = graphene.String(required=True, description="What the client calls itself.")
    address = graphene.String(description="The address it was last used from, if known.")
    created_at = graphene.DateTime(required=True, description="When it signed in.")
    last_used_at = graphene.DateTime(
        required=True, description="When it last signed in or refreshed its tokens."
    )
    expires_at = graphene.DateTime(
        required=True, description="When it ends unless it is used before."
    )
    is_current = ComputedField(
        graphene.Boolean,
        columns=("uid",),
        compute=_is_current,
        required=True,
        description="Whether it is the device that asks.",
    )

    class Meta:
        model = models.Session
        orderings = {"LAST_USED": SortField("last_used_at", "By the time of last use.")}
        default_order = ("LAST_USED", "desc")

    @classmethod
    def viewer_class(cls, context: Any) -> str:
        return viewers.class_of(context)

    @classmethod
    def rows(cls, context: Any) -> Any:
        return models.Session.objects.visible_to(context.user).live()
