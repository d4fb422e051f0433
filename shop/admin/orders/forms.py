"""The forms of an order: parcels, units that are removed, refunds, returns.

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


def confirmation(label: str) -> forms.BooleanField:
    """A switch without which a form that cannot be undone does nothing."""
    return forms.BooleanField(
        label=label,
        widget=UnfoldBooleanSwitchWidget,
        error_messages={"required": "Nothing was done. Turn this on to confirm."},
    )


class OrderForm(RefusableForm, forms.Form):
    """A form on a page of its own that calls one action of an order.

    Attributes:
        permission: Django permission that it needs, the same as the mutation.
        label: text of the button that leads here, and title of the page.
        submit: text of the button that sends the form; empty for the label.
        icon: a name in Material Symbols.
        variant: of the button, in django-unfold.
        table: lines of the order, for django-unfold's table; None without any.
        refusals: errors that stand above the form.
    """

    # The page of an order shows buttons of the classes themselves.
    do_not_call_in_templates = True

    permission: ClassVar[str] = "shop.change_order"
    label: ClassVar[str]
    submit: ClassVar[str] = ""
    icon: ClassVar[str]
    variant: ClassVar[str] = "primary"
    table: dict[str, Any] | None = None
    refusals: Sequence[str] = ()

    key = forms.CharField(widget=forms.HiddenInput)

    def __init__(
        self, data: Any = None, *, order: Order, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial={"key": secrets.token_hex(16), **(initial or {})})
        self.order = order

    @staticmethod
    def fits(order: Order) -> bool:
        """Whether to show the button; the action has the last word."""
        raise NotImplementedError

    def write(self, by: Any) -> Told | None:
        """Returns the message of success; None when the action was refused and the form shows why.

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

    @property
    def told(self) -> str:
        """Text above the form."""
        raise NotImplementedError

    @property
    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """Titles with their fields, but those of lines."""
        yield "", [self[name] for name in self.base_fields if name in self.fields]


class LinesForm(OrderForm):
    """Units of an order's lines, and other input of an action.

    Attributes:
        units: title of the column of units.
        takes_all: whether all remaining units are filled in.
    """

    units: ClassVar[str]
    takes_all = False

    def __init__(self, data: Any = None, *, order: Order) -> None:
        super().__init__(data, order=order)
        lines = order.lines.order_by("position")
        # One that somebody else has finished meanwhile may have been asked for, and is refused.
        self.lines = [line for line in lines if self.is_bound or self.lists(line)]
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
    def left(line: OrderLine) -> int:
        """How many units of a line there may be."""
        raise NotImplementedError

    def lists(self, line: OrderLine) -> bool:
        """Whether the form shows a line."""
        return bool(self.left(line))

    @property
    def chosen(self) -> dict[int, int]:
        """Units by the primary key of the line; nothing and 0 both stand for none."""
        given = {line.pk: self.cleaned_data[f"quantity_{line.pk}"] for line in self.lines}
        return {pk: units for pk, units in given.items() if units}

    def field_at(self, path: Sequence[str]) -> str | None:
        if len(path) > 1 and path[0] == "lines":
            return f"quantity_{list(self.chosen)[int(path[1])]}"
        return super().field_at(path)

    # --- For the page -----------------------------------------------------------------------------

    @property
    def table(self) -> dict[str, Any]:  # type: ignore[override]
        """The lines, for django-unfold's table."""
        return {"headers": self.headers, "rows": [self.cells(line) for line in self.shown_lines]}

    @property
    def shown_lines(self) -> list[OrderLine]:
        return [line for line in self.lines if self.lists(line) or self.units_of(line).value()]

    @property
    def headers(self) -> list[str]:
        return ["Product", "SKU", "Left", self.units]

    def cells(self, line: OrderLine) -> list[Any]:
        units = self.units_of(line)
        marked = format_html('<div class="errors group">{}</div>', units)
        return [name_of(line), line.sku or "–", self.left(line), marked if units.errors else units]

    @property
    def refusals(self) -> list[str]:  # type: ignore[override]
        """What is wrong with units, by line. On a narrow screen cells have no room for it."""
        return [
            f"{name_of(line)}: {error}"
            for line in self.lines
            for error in self.units_of(line).errors
        ]

    def units_of(self, line: OrderLine) -> forms.BoundField:
        return self[f"quantity_{line.pk}"]


class ParcelForm(LinesForm):
    """Ships units as one parcel; refunded units only when a switch says so."""

    label = "Ship a parcel"
    icon = "package_2"
    units = "In the parcel"
    left = staticmethod(aftersales.shippable)
    takes_all = True

    carrier = _text("Carrier")
    tracking_number = _text("Tracking number")
    tracking_url = _text("Tracking address", "Where to follow it: an http or https address.")
    include_refunded = forms.BooleanField(
        label="Ship refunded units too",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="The customer keeps the refund. Off, only units that are left can be shipped.",
    )

    def __init__(self, data: Any = None, *, order: Order) -> None:
        super().__init__(data, order=order)
        # Shown where there are refunded units to ship.
        self.refunded = {
            line.pk: line.unshipped - line.to_ship
            for line in self.lines
            if line.unshipped > line.to_ship
        }
        is_gone = order.payment_status == PaymentStatus.REFUNDED
        if not self.refunded and not is_gone and not self.is_bound:
            del self.fields["include_refunded"]

    def add_fields(self, line: OrderLine) -> None:
        super().add_fields(line)
        self.fields[f"quantity_{line.pk}"].widget.attrs["max"] = line.unshipped

    @staticmethod
    def fits(order: Order) -> bool:
        if to_ship(order):
            return True
        # Refunded units may remain in an order that left the to-ship list.
        some = order.payment_status in (PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED)
        if not some or order.status != OrderStatus.CONFIRMED:
            return False
        return any(line.unshipped for line in order.lines.all())

    def lists(self, line: OrderLine) -> bool:
        return bool(line.unshipped)

    @property
    def headers(self) -> list[str]:
        names = super().headers
        return [*names[:-1], "Refunded", names[-1]] if self.refunded else names

    def cells(self, line: OrderLine) -> list[Any]:
        cells = super().cells(line)
        if not self.refunded:
            return cells
        return [*cells[:-1], self.refunded.get(line.pk, 0), cells[-1]]

    @property
    def told(self) -> str:
        where = address(self.order.shipping_address)
        by = self.order.shipping_name
        return format_html('<div class="font-semibold">{}</div>{}', by, where)

    def perform(self, by: Any, key: str) -> Told:
        given = self.cleaned_data
        names = ("carrier", "tracking_number", "tracking_url", "include_refunded")
        options = {name: given[name] for name in names}
        aftersales.fulfil(self.order, self.chosen, **options, by=by, key=key)
        return "The parcel is shipped.", messages.SUCCESS


class RemoveForm(LinesForm):
    """Removes units from an order that is not paid yet."""

    label = "Remove items"
    icon = "remove_shopping_cart"
    variant = "danger"
    units = "Removed now"
    left = staticmethod(aftersales.unshipped)

    reason = _text("Reason", _REASON)
    confirm = confirmation("Remove these units. They cannot be added again")

    @staticmethod
    def fits(order: Order) -> bool:
        return to_ship(order) and order.payment_status == PaymentStatus.AUTHORIZED

    @property
    def told(self) -> str:
        total = money(self.order.total, self.order.currency)
        return (
            f"The order comes to {total} and is not paid yet. It costs less by the price of these "
            "units, and so does what is captured. The customer gets a mail."
        )

    def perform(self, by: Any, key: str) -> Told:
        reason = self.cleaned_data["reason"]
        order = aftersales.cancel_lines(self.order, self.chosen, reason=reason, by=by, key=key)
        total = money(order.total, order.currency)
        return f"The units are removed. The order comes to {total} now.", messages.SUCCESS


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
