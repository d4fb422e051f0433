"""The forms that correct an order: its addresses, its parcels, and cancelling it as a whole."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from shop.actions import aftersales
from shop.actions.customers.address_rules import TEXTS
from shop.admin.fields import CountryField
from shop.admin.orders.forms import (
    LinesForm,
    OrderForm,
    ParcelForm,
    RefundForm,
    RemoveForm,
    ReturnForm,
    Told,
    confirmation,
)
from shop.admin.orders.moves import LIVE, OPEN, to_cancel
from shop.admin.orders.texts import contents
from shop.admin.writing import snake_case
from shop.models import Fulfillment, Order

_REASON = "The customer can read it."
_LABELS = {"line1": "Line 1", "line2": "Line 2", "postal_code": "Postal code"}
_PLACES = ("shipping", "billing")


def _text(label: str, help_text: str = "", **options: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget
    return forms.CharField(
        label=label, required=False, widget=widget, help_text=help_text, **options
    )


class DetailsForm(OrderForm):
    """Changes the e-mail address and the addresses.

    Each field carries the value that it had when the page was opened: what staff did not touch is
    not sent back, and so undoes no change of somebody else.
    """

    label = "Edit contact and addresses"
    submit = "Save changes"
    icon = "edit_location_alt"

    email = forms.CharField(
        label="E-mail address",
        required=False,
        widget=UnfoldAdminEmailInputWidget,
        show_hidden_initial=True,
        help_text="Another address gets a new link to the order, and former links stop working.",
    )
    is_same = forms.BooleanField(
        label="Bill to the shipping address",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        show_hidden_initial=True,
        help_text="Off, the billing address below holds.",
    )

    def __init__(self, data: Any = None, *, order: Order) -> None:
        initial = {"email": order.email, "is_same": order.billing_address is None}
        stored = {"shipping": order.shipping_address, "billing": order.billing_address or {}}
        for place in _PLACES:
            initial |= {f"{place}_{name}": stored[place].get(name, "") for name in TEXTS}
        super().__init__(data, order=order, initial=initial)
        for place in _PLACES:
            for name in TEXTS:
                label = _LABELS.get(name, name.capitalize())
                field = (
                    CountryField(label=label, required=False) if name == "country" else _text(label)
                )
                field.show_hidden_initial = True
                self.fields[f"{place}_{name}"] = field

    @staticmethod
    def fits(order: Order) -> bool:
        return order.status in OPEN and bool(order.email)

    @property
    def told(self) -> str:
        return (
            "Addresses can be changed before anything is shipped, and only to where shipping and "
            "taxes are the same: the total does not change. The customer gets a mail."
        )

    @property
    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        yield "", [self["key"], self["email"]]
        yield "Shipping address", self._parts("shipping")
        yield "Billing address", [self["is_same"], *self._parts("billing")]

    def _parts(self, place: str) -> list[forms.BoundField]:
        return [self[f"{place}_{name}"] for name in TEXTS]

    def field_at(self, path: Sequence[str]) -> str | None:
        place = path[0].removesuffix("Address") if path else ""
        name = f"{place}_{snake_case(path[-1])}"
        return name if name in self.fields else super().field_at(path)

    def perform(self, by: Any, key: str) -> Told:
        if not (changes := self._changes()):
            return "Nothing was changed.", messages.INFO
        aftersales.update_order(self.order, by=by, **changes)
        return "The order is changed.", messages.SUCCESS

    def _changes(self) -> dict[str, Any]:
        given, touched = self.cleaned_data, set(self.changed_data)
        changes: dict[str, Any] = {}
        if "email" in touched:
            changes["email"] = given["email"]
        for place in _PLACES:
            names = {name: f"{place}_{name}" for name in TEXTS}
            is_touched = bool(touched.intersection(names.values()))
            if place == "billing" and given["is_same"]:
                if "is_same" in touched:
                    changes["billing_address"] = None
            elif is_touched or (place == "billing" and "is_same" in touched):
                parts = {name: given[field] for name, field in names.items()}
                changes[f"{place}_address"] = parts
        return changes


class CancelForm(OrderForm):
    """Cancels the order as a whole."""

    label = "Cancel order"
    icon = "cancel"
    variant = "danger"
    fits = staticmethod(to_cancel)

    reason = _text("Reason", _REASON)
    restock = forms.BooleanField(
        label="Put the units back into stock",
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Off for goods that are lost or damaged: they are taken off the stock.",
    )
    confirm = confirmation("Cancel the whole order. It cannot be undone")

    @property
    def told(self) -> str:
        return (
            "Nothing of the order is shipped. What was paid is refunded, what was authorized is "
            "released, and the customer gets a mail."
        )

    def perform(self, by: Any, key: str) -> Told:
        given = self.cleaned_data
        aftersales.cancel(
            self.order, reason=given["reason"], restock=given["restock"], by=by, key=key
        )
        return "The order is cancelled; what was paid goes back.", messages.SUCCESS


class ParcelCorrection(OrderForm):
    """A form about one parcel of an order."""

    def __init__(
        self,
        data: Any = None,
        *,
        order: Order,
        parcel: Fulfillment,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, order=order, initial=initial)
        self.parcel = parcel

    @staticmethod
    def fits(order: Order) -> bool:
        return order.status in LIVE

    @property
    def told(self) -> str:
        return contents(self.parcel.lines.select_related("line").order_by("line__position"))


class TrackingForm(ParcelCorrection):
    """Corrects the tracking of a parcel."""

    label = "Edit tracking"
    submit = "Save changes"
    icon = "local_shipping"
    names: ClassVar[tuple[str, ...]] = ("carrier", "tracking_number", "tracking_url")

    carrier = _text("Carrier", show_hidden_initial=True)
    tracking_number = _text("Tracking number", show_hidden_initial=True)
    tracking_url = _text(
        "Tracking address",
        "Where to follow it: an http or https address. The customer gets a mail.",
        show_hidden_initial=True,
    )

    def __init__(self, data: Any = None, *, order: Order, parcel: Fulfillment) -> None:
        initial = {name: getattr(parcel, name) for name in self.names}
        super().__init__(data, order=order, parcel=parcel, initial=initial)

    def perform(self, by: Any, key: str) -> Told:
        changes = {
            name: self.cleaned_data[name] for name in self.names if name in self.changed_data
        }
        if not changes:
            return "Nothing was changed.", messages.INFO
        aftersales.update_fulfillment(self.parcel, by=by, **changes)
        return "The tracking is changed.", messages.SUCCESS


class UndoForm(ParcelCorrection):
    """Undoes a parcel that was recorded by mistake."""

    label = "Cancel parcel"
    icon = "undo"
    variant = "danger"

    reason = _text("Reason", _REASON)
    confirm = confirmation("The parcel was never shipped. Cancel it")

    def perform(self, by: Any, key: str) -> Told:
        reason = self.cleaned_data["reason"]
        aftersales.cancel_fulfillment(self.parcel, reason=reason, by=by, key=key)
        text = "The parcel is cancelled. Its units are on hand and to be shipped again."
        return text, messages.SUCCESS


FORMS: dict[str, type[LinesForm | DetailsForm | CancelForm]] = {
    "parcel": ParcelForm,
    "details": DetailsForm,
    "remove": RemoveForm,
    "refund": RefundForm,
    "return": ReturnForm,
    "cancel": CancelForm,
}
PARCEL_FORMS: dict[str, type[TrackingForm | UndoForm]] = {
    "tracking": TrackingForm,
    "undo": UndoForm,
}
