"""The forms of an order: parcels, money that goes back, goods that come back.

Each is one action, whose refusal is shown in it. A form that is sent twice is done once: it has a
key in it, as the mutations have.
"""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.utils.html import format_html
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
    UnfoldBooleanWidget,
)

from shop.actions import aftersales
from shop.actions.aftersales import Back, Wanted
from shop.admin.fields import PriceField, money
from shop.admin.orders.moves import LIVE, to_ship
from shop.admin.orders.texts import address, name_of
from shop.admin.writing import RefusableForm
from shop.errors import IdempotencyConflict, ShopError, TryLater
from shop.models import (
    FulfillmentStatus,
    Order,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    Refund,
    RefundState,
)

# What is said when it went well or not, and how loud.
Told = tuple[str, int]
_REASON = "The customer can read it."


def _text(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=False, widget=UnfoldAdminTextInputWidget, help_text=help_text
    )


class LinesForm(RefusableForm, forms.Form):
    """Units of an order's lines, and what else an action wants to know.

    Attributes:
        permission: that it takes, as the mutation does.
        label: on the button, and above the form.
        icon: a name in Material Symbols.
        units: what the column of units is called.
        takes_all: whether all that is left is what is mostly wanted.
    """

    # The page of an order shows buttons of the classes themselves.
    do_not_call_in_templates = True

    permission: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    units: ClassVar[str]
    takes_all = False

    key = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, order: Order) -> None:
        super().__init__(data, initial={"key": secrets.token_hex(16)})
        self.order = order
        lines = order.lines.order_by("position")
        # One that somebody else has finished meanwhile may have been asked for, and is refused.
        self.lines = [line for line in lines if self.is_bound or self.left(line)]
        for line in self.lines:
            self.add_fields(line)

    def add_fields(self, line: OrderLine) -> None:
        left = self.left(line)
        widget = UnfoldAdminIntegerFieldWidget(
            attrs={
                "min": 0,
                "max": left,
                "aria-label": f"{self.units}: {name_of(line)}",
                "style": "min-width: 6rem; max-width: 10rem",
            }
        )
        initial = left if self.takes_all else None
        field = forms.IntegerField(required=False, initial=initial, widget=widget)
        self.fields[f"quantity_{line.pk}"] = field

    @staticmethod
    def fits(order: Order) -> bool:
        """Whether to show the button; the action has the last word."""
        raise NotImplementedError

    @staticmethod
    def left(line: OrderLine) -> int:
        """How many units of a line there may be."""
        raise NotImplementedError

    @property
    def chosen(self) -> dict[int, int]:
        """Units by the primary key of the line; nothing and 0 both stand for none."""
        given = {line.pk: self.cleaned_data[f"quantity_{line.pk}"] for line in self.lines}
        return {pk: units for pk, units in given.items() if units}

    def field_at(self, path: Sequence[str]) -> str | None:
        if len(path) > 1 and path[0] == "lines":
            return f"quantity_{list(self.chosen)[int(path[1])]}"
        return super().field_at(path)

    def write(self, by: Any) -> Told | None:
        """What to say when it is done; None when it was refused, which the form shows then.

        Args:
            by: the member of staff.
        """
        try:
            return self.perform(by, self.cleaned_data["key"])
        except IdempotencyConflict:
            # The browser's way back leads to a form that was sent, and may be filled in anew.
            typed = {name: self.data[name] for name in self.data}
            self.data = typed | {"key": secrets.token_hex(16)}
            self.add_error(
                None,
                "This form was sent before, with something else in it, and that is done. Look at "
                "the order; send it once more if you mean this as well.",
            )
        except ShopError as error:
            self.show(error)
        except TryLater as error:
            self.add_error(None, error.message)
        return None

    def perform(self, by: Any, key: str) -> Told:
        """Calls the action. Raises ShopError."""
        raise NotImplementedError

    # --- For the page -----------------------------------------------------------------------------

    @property
    def told(self) -> str:
        """What is good to know before."""
        raise NotImplementedError

    @property
    def table(self) -> dict[str, Any]:
        """The lines, for django-unfold's table."""
        shown = [line for line in self.lines if self.left(line) or self.units_of(line).value()]
        return {"headers": self.headers, "rows": [self.cells(line) for line in shown]}

    @property
    def headers(self) -> list[str]:
        return ["Product", "SKU", "Left", self.units]

    def cells(self, line: OrderLine) -> list[Any]:
        units = self.units_of(line)
        marked = format_html('<div class="errors group">{}</div>', units)
        return [name_of(line), line.sku or "–", self.left(line), marked if units.errors else units]

    @property
    def refusals(self) -> list[str]:
        """What is wrong with units, by line. On a narrow screen cells have no room for it."""
        return [
            f"{name_of(line)}: {error}"
            for line in self.lines
            for error in self.units_of(line).errors
        ]

    def units_of(self, line: OrderLine) -> forms.BoundField:
        return self[f"quantity_{line.pk}"]

    @property
    def others(self) -> Iterator[forms.BoundField]:
        """The fields that are no line's."""
        return (self[name] for name in self.base_fields)


class ParcelForm(LinesForm):
    """Ships units as one parcel."""

    permission = "shop.change_order"
    label = "Ship a parcel"
    icon = "package_2"
    units = "In the parcel"
    fits = staticmethod(to_ship)
    left = staticmethod(aftersales.shippable)
    takes_all = True

    carrier = _text("Carrier")
    tracking_number = _text("Tracking number")
    tracking_url = _text("Tracking address", "Where to follow it: an http or https address.")

    @property
    def told(self) -> str:
        where = address(self.order.shipping_address)
        by = self.order.shipping_name
        return format_html('<div class="font-semibold">{}</div>{}', by, where)

    def perform(self, by: Any, key: str) -> Told:
        given = self.cleaned_data
        names = ("carrier", "tracking_number", "tracking_url")
        tracking = {name: given[name] for name in names}
        aftersales.fulfil(self.order, self.chosen, **tracking, by=by, key=key)
        return "The parcel is shipped.", messages.SUCCESS


class RefundForm(LinesForm):
    """Pays back units and the shipping, or an amount."""

    permission = "shop.add_refund"
    label = "Pay back"
    icon = "currency_exchange"
    units = "Paid back now"

    restock = forms.BooleanField(
        label="Take these units out of the order",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Before they are shipped: they are not shipped any more, and free for others.",
    )
    shipping = forms.BooleanField(
        label="The shipping", required=False, widget=UnfoldBooleanSwitchWidget
    )
    amount = PriceField(label="Or an amount", help_text="Instead of lines and shipping.")
    reason = _text("Reason", _REASON)

    def __init__(self, data: Any = None, *, order: Order) -> None:
        super().__init__(data, order=order)
        left = money(aftersales.shipping_left(order), order.currency)
        self.fields["shipping"].help_text = f"What is left of it: {left}."
        self.fields["amount"].currency = order.currency  # type: ignore[attr-defined]

    @staticmethod
    def fits(order: Order) -> bool:
        some = order.payment_status in (
            PaymentStatus.PARTIALLY_PAID,
            PaymentStatus.PAID,
            PaymentStatus.PARTIALLY_REFUNDED,
        )
        # Of an order whose money is gone, what is not shipped is taken out for nothing.
        is_gone = order.payment_status in (PaymentStatus.REFUNDED, PaymentStatus.VOIDED)
        return some or (is_gone and order.status == OrderStatus.CONFIRMED)

    @staticmethod
    def left(line: OrderLine) -> int:
        # What was paid back without being taken out of the order can yet be taken out.
        return max(aftersales.unrefunded(line), aftersales.unshipped(line))

    @property
    def told(self) -> str:
        payments = list(self.order.payments.all())
        paid = money(sum(payment.captured for payment in payments), self.order.currency)
        left = money(sum(payment.left for payment in payments), self.order.currency)
        told = f"{paid} were paid, of which {left} can still go back."
        if self.fits(self.order) and not any(payment.left for payment in payments):
            told += " What is not shipped can be taken out of the order."
        return told

    @property
    def headers(self) -> list[str]:
        return ["Product", "SKU", "Bought", "Paid", "To ship", "Left", self.units]

    def cells(self, line: OrderLine) -> list[Any]:
        product, sku, _, units = super().cells(line)
        paid, unshipped = money(line.total, line.currency), aftersales.unshipped(line)
        return [product, sku, line.quantity, paid, unshipped, aftersales.unrefunded(line), units]

    def perform(self, by: Any, key: str) -> Told:
        given = self.cleaned_data
        wanted = Wanted(
            lines=self.chosen,
            shipping=given["shipping"],
            amount=given["amount"],
            restock=given["restock"],
        )
        refund = aftersales.refund(self.order, wanted, reason=given["reason"], by=by, key=key)
        return _became_of(refund)


def _became_of(refund: Refund | None) -> Told:
    if refund is None:
        return "The units are taken out of the order; nothing was paid for them.", messages.SUCCESS
    amount = money(refund.amount, refund.currency)
    if refund.state == RefundState.FAILED:
        text = f"The provider does not pay {amount} back. It does not count as paid back."
        return text, messages.ERROR
    if refund.state == RefundState.PENDING:
        text = f"{amount} are on their way back; the provider has not answered yet."
        return text, messages.WARNING
    return f"{amount} went back.", messages.SUCCESS


class ReturnForm(LinesForm):
    """Takes back units that were shipped."""

    permission = "shop.add_return"
    label = "Take back"
    icon = "assignment_return"
    units = "Came back"
    left = staticmethod(aftersales.unreturned)

    reason = _text("Reason", _REASON)

    @staticmethod
    def fits(order: Order) -> bool:
        some = order.fulfillment_status in (FulfillmentStatus.PARTIAL, FulfillmentStatus.FULL)
        return some and order.status in LIVE

    @property
    def told(self) -> str:
        return "Money does not go back by it: pay it back before or after."

    def add_fields(self, line: OrderLine) -> None:
        super().add_fields(line)
        widget = UnfoldBooleanWidget(attrs={"aria-label": f"Sell again: {name_of(line)}"})
        field = forms.BooleanField(required=False, initial=True, widget=widget)
        self.fields[f"restock_{line.pk}"] = field

    @property
    def headers(self) -> list[str]:
        return [*super().headers, "Sell again"]

    def cells(self, line: OrderLine) -> list[Any]:
        return [*super().cells(line), self[f"restock_{line.pk}"]]

    def perform(self, by: Any, key: str) -> Told:
        given = self.cleaned_data
        back = {pk: Back(units, given[f"restock_{pk}"]) for pk, units in self.chosen.items()}
        aftersales.return_(self.order, back, reason=given["reason"], by=by, key=key)
        return "The goods are back.", messages.SUCCESS


FORMS: dict[str, type[LinesForm]] = {
    "parcel": ParcelForm,
    "refund": RefundForm,
    "return": ReturnForm,
}
