"""The form by which staff count a variant, and say how it is sold."""

from typing import Any

from django import forms
from django.db import transaction
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from shop.actions import inventory
from shop.errors import ShopError
from shop.models import MovementReason, Stock, Variant

_FIELDS = {"onHand": "on_hand", "lowAt": "low_at"}


class CountForm(forms.Form):
    """Units of one variant, and how it is sold.

    Args:
        stock: as it is; a new one for a variant that is not counted yet.
    """

    delta = forms.IntegerField(
        label="Add",
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Units that came; below zero, that went.",
    )
    on_hand = forms.IntegerField(
        label="Or set to",
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Units that there are in the house, those for orders included.",
    )
    reason = forms.ChoiceField(
        choices=[(reason.value, reason.label) for reason in inventory.REASONS],
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)
    backorder = forms.BooleanField(
        label="Back-order",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Sell beyond what is in the house.",
    )
    low_at = forms.IntegerField(
        label="Low at",
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="When so many units are available or fewer, the shop tells its staff.",
    )

    def __init__(self, *args: Any, stock: Stock, **kwargs: Any) -> None:
        kwargs["initial"] = {"backorder": stock.backorder, "low_at": stock.low_at}
        super().__init__(*args, **kwargs)

    def write(self, variant: Variant, *, by: Any) -> bool:
        """Writes what was entered, all of it or, with an error beside its field, nothing.

        Args:
            by: the member of staff.
        """
        given = self.cleaned_data
        sold = {name: given[name] for name in ("backorder", "low_at") if name in self.changed_data}
        counts = given["delta"] is not None or given["on_hand"] is not None
        try:
            with transaction.atomic():
                # Back-order makes room for a count, and a count may make an end of back-order.
                if sold and given["backorder"]:
                    inventory.configure(variant, **sold)
                if counts:
                    inventory.correct(
                        variant,
                        delta=given["delta"],
                        on_hand=given["on_hand"],
                        reason=MovementReason(given["reason"]),
                        note=given["note"],
                        by=by,
                    )
                if sold and not given["backorder"]:
                    inventory.configure(variant, **sold)
        except ShopError as error:
            name = error.field[-1] if error.field else ""
            name = _FIELDS.get(name, name)
            self.add_error(name if name in self.fields else None, error.message)
            return False
        return True
