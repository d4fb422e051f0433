"""What the screens have in common on which staff set up how the shop sells."""

from typing import Any, ClassVar

from django.http import HttpRequest

from shop.admin.fields import PriceField
from shop.admin.writing import ActionAdmin, ActionForm


class TermsForm(ActionForm):
    """A form with amounts in its row's currency. Actions see to what rows must not be."""

    # Amounts whose empty field means 0: they are lower bounds.
    lower_bounds: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, PriceField):
                field.currency = self.instance.currency
                field.label = f"{field.label} ({self.instance.currency})"

    def _get_validation_exclusions(self) -> set[str]:
        """All of the model: the action checks it, with better words than constraints have."""
        return {field.name for field in self.instance._meta.get_fields()}

    def changes(self) -> dict[str, Any]:
        changed = super().changes()
        empty = {name: 0 for name in self.lower_bounds if changed.get(name, 0) is None}
        return changed | empty


class ShownToReaders:
    """A screen, or rows of one, that shows some fields in other words to those who only look.

    What the shop stores as minor units and basis points is no sight for people.
    """

    # Field -> the method that shows it, or None where another one does.
    shown: ClassVar[dict[str, str | None]] = {}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)  # type: ignore[misc]
        if self._may_write(request, obj):
            return fields
        return [self._as_shown(field) for field in fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        if self._may_write(request, obj):
            return fields
        return (*fields, *filter(None, self.shown.values()))

    def _as_shown(self, field: Any) -> Any:
        if isinstance(field, tuple):
            return tuple(filter(None, map(self._as_shown, field)))
        return self.shown.get(field, field)

    def _may_write(self, request: HttpRequest, obj: Any) -> bool:
        screen: Any = self
        return screen.has_change_permission(request, obj) or (
            obj is None and screen.has_add_permission(request)
        )


class SetUpAdmin(ShownToReaders, ActionAdmin):
    """A screen of something that staff set up."""

    ordering: ClassVar[Any] = ("-created_at", "-id")
    sortable_by: ClassVar[Any] = ()
