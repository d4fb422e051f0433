"""What a payment gateway does, and how it answers.

A gateway is called outside transactions: it talks to another machine, which may be slow, or gone.
Every request that moves money carries a key of ours; sent again under the same key it is done once.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shop.models import DisputeState


class Result(StrEnum):
    """What became of a payment, as its provider says."""

    REQUIRES_ACTION = "requires_action"  # The customer has something to do, such as 3-D Secure.
    PROCESSING = "processing"  # The provider knows it, and does not know yet.
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    UNKNOWN = "unknown"  # The provider has never heard of it.


class Failure(StrEnum):
    """Why a payment failed, in words of ours."""

    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    AUTHENTICATION = "authentication"
    INVALID_METHOD = "invalid_method"
    ABANDONED = "abandoned"
    WRONG_AMOUNT = "wrong_amount"
    AMOUNT_TOO_SMALL = "amount_too_small"
    REFUSED = "refused"


class DisputeReason(StrEnum):
    """Why a payment is disputed, in words of ours."""

    FRAUDULENT = "fraudulent"
    UNRECOGNIZED = "unrecognized"
    DUPLICATE = "duplicate"
    NOT_RECEIVED = "not_received"
    UNACCEPTABLE = "unacceptable"
    NOT_REFUNDED = "not_refunded"
    CANCELLED = "cancelled"
    NOT_AUTHORIZED = "not_authorized"
    OTHER = "other"


class Unavailable(Exception):
    """The provider did not answer in time, or not sensibly: nobody knows what it did."""


class Refused(Exception):
    """The provider answered that it will not do it; nothing was done.

    Attributes:
        failure: why.
    """

    def __init__(self, failure: Failure = Failure.REFUSED) -> None:
        self.failure = failure
        super().__init__(failure.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """A payment that is asked for.

    Attributes:
        key: ours; at most 64 characters.
        amount: minor units.
        currency: ISO 4217.
        method: what the customer's client got from the provider, such as a token; or empty.
        description: for the customer's statement, such as the order's number.
        reference: the provider's name for the payment where we know it already.
    """

    key: str
    amount: int
    currency: str
    method: str = ""
    description: str = ""
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a provider says of a payment.

    Attributes:
        reference: its name for the payment; None while it has none.
        amount: minor units that are authorized or captured; 0 otherwise.
        authorized: minor units that the customer authorized before some or all of them were
            captured; 0 where the provider does not tell.
        currency: of the amounts; empty without one.
        client_data: what the customer's client needs for the next step.
        failure: of those that were declined.
    """

    result: Result
    reference: str | None = None
    amount: int = 0
    authorized: int = 0
    currency: str = ""
    client_data: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOutcome:
    """What a provider says of a refund.

    Attributes:
        done: the money is on its way; None while the provider does not know yet; False when it
            will not go back.
        reference: its name for the refund.
        amount: minor units, where a refund was looked up; 0 otherwise.
        currency: of the amount.
        is_release: it released an authorization and moved no captured money.
    """

    done: bool | None
    reference: str = ""
    amount: int = 0
    currency: str = ""
    is_release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOutcome:
    """What a provider says of a dispute.

    Attributes:
        reference: its name for the dispute.
        amount: minor units of `currency`.
        is_withdrawn: whether the bank has the money.
        due_at: until when evidence is taken; None when none is asked for.
        opened_at: when it began.
        told_at: when the provider said so.
    """

    reference: str
    state: DisputeState
    reason: DisputeReason
    amount: int
    currency: str
    is_withdrawn: bool
    due_at: datetime | None
    opened_at: datetime
    told_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A verified message of a provider. Messages may come in any order, and more than once.

    Attributes:
        event_id: by which it is known again when it comes twice.
        kind: the provider's name for what happened.
        reference: the payment that it is about; None when it is about something else.
        key: our key of that payment, where the provider tells it.
        refund: the refund that it is about; None when it is about none.
        refund_key: our key of that refund; None when the shop did not ask for it.
        dispute: what the message says of a dispute of the payment; None when it is about none.
        outcome: what became of the payment, where the message tells it and nothing later can
            differ; None where the shop has to look it up.
    """

    event_id: str
    kind: str
    reference: str | None = None
    key: str | None = None
    refund: str | None = None
    refund_key: str | None = None
    dispute: DisputeOutcome | None = None
    outcome: Outcome | None = None


class Gateway(ABC):
    """One way to pay.

    Attributes:
        name: as stored with payments; at most 16 lower-case letters.
        by_hand: people move the money, so that nothing is captured before they say so.
        finds_after: seconds that a payment may take to be found by our key.

    Every method that talks to the provider may raise Unavailable (nobody knows) and Refused
    (nothing was done).
    """

    name: str
    finds_after = 0
    by_hand = False

    @abstractmethod
    def is_offered(self, currency: str) -> bool:
        """Whether the shop is set up for it, in this currency."""

    def takes(self, amount: int, currency: str) -> bool:
        """Whether it can move exactly `amount` minor units; some providers cannot move a fils."""
        return True

    def minimum(self, currency: str) -> int:
        """The smallest payment that it takes, in minor units; 0 where there is no minimum."""
        return 0

    def hangs(self) -> bool:
        """Whether calls that are under way hang, so that a further one is not worth its wait."""
        return False

    @abstractmethod
    def pay(self, request: PaymentRequest) -> Outcome:
        """Starts a payment, or finds the one with this key. Takes the money where it can."""

    @abstractmethod
    def look_up(self, request: PaymentRequest) -> Outcome:
        """What became of a payment, by its reference or else by its key. Moves no money."""

    @abstractmethod
    def capture(self, request: PaymentRequest) -> Outcome:
        """Takes the money that was authorized."""

    @abstractmethod
    def void(self, request: PaymentRequest) -> Outcome:
        """Gives up a payment of which nothing was captured.

        VOIDED says that no money will come by this key, not even by a request that is still on its
        way. The outcome may be CAPTURED all the same: then the customer was quicker.
        """

    @abstractmethod
    def refund(self, request: PaymentRequest, *, key: str, amount: int) -> RefundOutcome:
        """Pays back `amount` minor units of a captured payment, once for each `key`."""

    @abstractmethod
    def look_up_refund(
        self, request: PaymentRequest, *, key: str, reference: str
    ) -> RefundOutcome | None:
        """What became of a refund; None when the provider has never heard of it.

        Args:
            reference: the provider's name for it; empty while we do not know it.
        """

    def notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        """Reads a message of the provider.

        Args:
            body: the bytes as they came.
            headers: of the request, whatever their case.

        Raises:
            Refused: it is not signed by the provider, was altered, or is too old.
        """
        raise Refused
