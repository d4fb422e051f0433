"""What the plain model of the shop is made of: numbers, texts and dicts, no database."""

from dataclasses import dataclass, field
from datetime import datetime

PENDING, CONFIRMED, COMPLETED = "pending", "confirmed", "completed"
CANCELLED, EXPIRED = "cancelled", "expired"
GIVEN_UP = (CANCELLED, EXPIRED)
LIVING = (PENDING, CONFIRMED, COMPLETED)

CREATED, REQUIRES_ACTION = "created", "requires_action"
AUTHORIZED, CAPTURED = "authorized", "captured"
PARTIALLY_REFUNDED, REFUNDED = "partially_refunded", "refunded"
FAILED, VOIDED = "failed", "voided"
OPEN = (CREATED, REQUIRES_ACTION)
ENDED = (FAILED, VOIDED)
TAKEN = (CAPTURED, PARTIALLY_REFUNDED, REFUNDED)


class Refused(Exception):
    """The shop has to refuse, with these codes, and to leave everything as it was."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        super().__init__(*codes)


class RefusedAmong(Refused):
    """The shop has to refuse with this code, and may report further errors of the same input."""


@dataclass
class Goods:
    """A variant and its stock; the tax in basis points."""

    product: str
    price: int | None
    tax: int
    on_hand: int
    reserved: int = 0
    backorder: bool = False

    @property
    def left(self) -> int | None:
        """Units that can be had; None is as many as one likes."""
        return None if self.backorder else max(self.on_hand - self.reserved, 0)

    def lacks(self, units: int) -> bool:
        return self.left is not None and units > self.left


@dataclass
class Rate:
    """A way to ship to Germany, from a value of the goods on."""

    price: int
    minimum: int = 0


@dataclass
class Voucher:
    """A code. `by` holds the e-mail keys of the customers of orders that have it now."""

    kind: str
    value: int = 0
    minimum: int = 0
    limit: int | None = None
    customer_limit: int | None = None
    ends_at: datetime | None = None
    active: bool = True
    # E-mail key and account of each order that uses it.
    by: list[tuple[str, int | None]] = field(default_factory=list)

    @property
    def used(self) -> int:
        return len(self.by)


@dataclass
class InCart:
    quantity: int
    seen: int | None


@dataclass
class Cart:
    """`owner` and `active_of` are keys of accounts; `lines` are by variant."""

    owner: int | None
    active_of: int | None
    email: str
    status: str = "active"
    version: int = 1
    lines: dict[int, InCart] = field(default_factory=dict)
    country: str = ""
    rate: int | None = None
    voucher: str | None = None
    token: str | None = None
    # Codes of notices about lines that are gone, until they are dismissed.
    gone: list[str] = field(default_factory=list)


@dataclass
class Line:
    """So many units of a variant as they were sold, and what became of them."""

    variant: int
    quantity: int
    unit_price: int
    subtotal: int
    discount: int
    tax: int
    total: int
    fulfilled: int = 0
    cancelled: int = 0
    returned: int = 0
    refunded: int = 0

    @property
    def unshipped(self) -> int:
        return self.quantity - self.fulfilled - self.cancelled

    @property
    def to_ship(self) -> int:
        """Without refunded units, of which some may have come back or been cancelled."""
        withheld = max(0, self.refunded - self.cancelled - self.returned)
        return max(0, self.unshipped - withheld)


@dataclass
class Price:
    """What a cart comes to. `voucher` says whether the one in the cart applies."""

    lines: list[Line]
    subtotal: int
    discount: int
    shipping: int
    shipping_discount: int
    shipping_tax: int
    tax: int
    total: int
    voucher: bool
    notices: list[str]
    rates: list[int]


@dataclass
class Charge:
    """What the books of the demo provider say of a payment."""

    state: str
    captured: int = 0
    refunds: list[int] = field(default_factory=list)


@dataclass
class Refund:
    """Money that is to go back; `there` says whether the provider has paid it."""

    amount: int
    state: str = "pending"
    due: datetime | None = None
    attempts: int = 0
    there: bool = False


@dataclass
class Payment:
    """`due` is when the shop asks the provider by itself; `charge` is in the provider's books."""

    provider: str
    method: str
    amount: int
    created_at: datetime
    due: datetime | None
    state: str = CREATED
    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    attempts: int = 0
    charge: Charge | None = None
    refunds: list[Refund] = field(default_factory=list)


@dataclass
class Order:
    """`promised` are units by variant that count as reserved for it; `confirmed`, ever."""

    cart: int
    user: int | None
    email: str
    price: Price
    lines: list[Line]
    expires_at: datetime
    voucher: str | None
    promised: dict[int, int]
    status: str = PENDING
    payment_status: str = "pending"
    fulfillment_status: str = "none"
    confirmed: bool = False
    # Whether its voucher counts it as one of those that have used it.
    redeemed: bool = False
    payment: Payment | None = None
    shipping_refunded: int = 0
    # Units by line of each parcel that was not cancelled.
    parcels: list[list[tuple[Line, int]]] = field(default_factory=list)
    # First line of the address.
    street: str = "Allee 2"
    # Whether there ever was a parcel.
    was_shipped: bool = False
    pk: int = 0

    @property
    def customer(self) -> tuple[str, int | None]:
        return self.email.casefold(), self.user
