"""Former slugs on the pages of their objects: shown, and released by deleting them."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from shop.actions.catalog import slugs
from shop.admin.writing import ActionFormSet, ActionInline
from shop.models.slugs import FORMER_SLUGS, FormerSlug


class FormerSlugFormSet(ActionFormSet):
    def delete_row(self, row: Any) -> None:
        slugs.release(row.owner, [row.slug])


class FormerSlugInline(ActionInline):
    """Former slugs of the object. Staff who may change the object may release them."""

    model: type[FormerSlug]
    formset = FormerSlugFormSet
    of_new_rows = False
    fields = ("slug", "created_at")
    readonly_fields = ("slug", "created_at")
    ordering = ("slug",)
    verbose_name = "former slug"
    verbose_name_plural = "former slugs (links with them lead here; delete one to release it)"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view", "change")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change")

    def _may(self, request: HttpRequest, *verbs: str) -> bool:
        owner = self.parent_model._meta.model_name
        return any(request.user.has_perm(f"shop.{verb}_{owner}") for verb in verbs)


def former_slugs_of(owner: type[Model]) -> type[FormerSlugInline]:
    """Returns the inline for the former slugs of a model."""
    name = f"{owner.__name__}FormerSlugInline"
    return type(name, (FormerSlugInline,), {"model": FORMER_SLUGS[owner]})
