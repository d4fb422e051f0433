"""Ways to pay, payments, refunds and disputes.

What a client needs for the next step is told at checkout.
"""

from typing import Any

import graphene

from schema.base import MoneyField, StaffNode
from schema.engine.connections import ComputedField, ConnectionField
from schema.engine.keyset import SortField
from schema.types.orders.access import VIEW_ORDERS, OrderNode
from schema.types.orders.lines import OrderLine
from schema.types.tax_lines import TaxLine, of_shipping
from shop import gateways, models

PaymentProvider = graphene.Enum(
    "PaymentProvider",
    [("MANUAL", "manual"), ("DEMO", "demo"), ("STRIPE", "stripe")],
    description=lambda member: {
        None: "A way to pay.",
        "MANUAL": "Bank transfer, cash and the like: the money comes after the order.",
        "DEMO": "Moves no money; for development.",
        "STRIPE": "Cards and wallets, by Stripe.",
    }[member and member.name],
)
PaymentState = graphene.Enum.from_enum(
    models.PaymentState,
    name="PaymentState",
    description=lambda member: {
        None: "How far a payment has come.",
        "CREATED": "The provider has not answered yet; the shop finds out by itself.",
        "REQUIRES_ACTION": "The customer has something to do, or has not done it yet.",
        "AUTHORIZED": "The money is promised; staff capture it.",
        "CAPTURED": "The money has come.",
        "PARTIALLY_REFUNDED": "Some of the money went back, or is on its way back.",
        "REFUNDED": "All of the money went back, or is on its way back.",
        "FAILED": "It failed; `failure` tells why.",
        "VOIDED": "It was given up before any money came.",
    }[member and member.name],
)
PaymentFailure = graphene.Enum.from_enum(
    gateways.Failure,
    name="PaymentFailure",
    description=lambda member: {
        None: "Why a payment came to nothing.",
        "DECLINED": "The bank declined, without saying why.",
        "INSUFFICIENT_FUNDS": "There is not enough money on the account.",
        "EXPIRED_CARD": "The card has expired.",
        "AUTHENTICATION": "The customer could not prove who they are.",
        "INVALID_METHOD": "There is no such card or account, or it was not entered right.",
        "ABANDONED": "The customer did not finish it, or the shop could not ask in time.",
        "WRONG_AMOUNT": "Another amount came than was to be paid; it goes back.",
        "AMOUNT_TOO_SMALL": "The amount is below the provider's minimum.",
        "REFUSED": "The provider does not do it.",
    }[member and member.name],
)
RefundState = graphene.Enum.from_enum(
    models.RefundState,
    name="RefundState",
    description=lambda member: {
        None: "How far a refund has come.",
        "PENDING": "On its way; the provider has not said yet that it was paid back.",
        "SUCCEEDED": "Paid back.",
        "FAILED": "The provider did not pay it back. It counts as refunded no more.",
    }[member and member.name],
)


DisputeState = graphene.Enum.from_enum(
    models.DisputeState,
    name="DisputeState",
    description=lambda member: {
        None: "How far a dispute has come. An inquiry is a question, which may become a dispute.",
        "INQUIRY": "The bank asks about the payment; answer it, or pay back.",
        "INQUIRY_ANSWERED": "The question was answered.",
        "INQUIRY_CLOSED": "The question came to nothing.",
        "PREVENTED": "It was settled before it began.",
        "NEEDS_RESPONSE": "Evidence can be handed in at the provider.",
        "UNDER_REVIEW": "Evidence was handed in; the bank decides.",
        "LOST": "The bank keeps the money.",
        "WON": "The shop has the money back.",
    }[member and member.name],
)
DisputeReason = graphene.Enum.from_enum(
    gateways.DisputeReason,
    name="DisputeReason",
    description=lambda member: {
        None: "Why a customer disputes a payment.",
        "FRAUDULENT": "They did not make the payment.",
        "UNRECOGNIZED": "They do not know what the payment is for.",
        "DUPLICATE": "They paid twice.",
        "NOT_RECEIVED": "Nothing arrived.",
        "UNACCEPTABLE": "What arrived is broken, or not what was promised.",
        "NOT_REFUNDED": "They sent it back or cancelled, and the money did not go back.",
        "CANCELLED": "They had ended a subscription.",
        "NOT_AUTHORIZED": "They did not allow the shop to debit their account.",
        "OTHER": "Another reason, which the provider tells.",
    }[member and member.name],
)


def _failure(request: Any, failure: str) -> str | None:
    return failure or None


class RefundLine(OrderNode):
    """What a refund pays back of an order's line."""

    opened_lookup = "refund__payment__order_id"

    line = graphene.Field(OrderLine, required=True, description="Of which line.")
    quantity = graphene.Int(required=True, description="How many units.")
    amount = MoneyField(
        "amount",
        required=True,
        description="How much for all of them: after discounts, with tax.",
    )
    tax = MoneyField("tax", required=True, description="Tax within `amount`.")

    class Meta:
        model = models.RefundLine


class Refund(OrderNode):
    """Money of a payment that goes back. It counts as refunded unless it fails."""

    opened_lookup = "payment__order_id"

    state = graphene.Field(RefundState, required=True, description="How far it has come.")
    amount = MoneyField("amount", required=True, description="How much.")
    shipping = MoneyField(
        "shipping", required=True, description="How much of it is for the shipping."
    )
    shipping_tax_lines = ComputedField(
        graphene.List(graphene.NonNull(TaxLine)),
        columns=("shipping_taxes", "currency"),
        compute=of_shipping,
        required=True,
        description="Tax within `shipping` by rate; empty without shipping.",
    )
    reason = graphene.String(
        required=True, description="What staff wrote about it, for the customer too; or empty."
    )
    created_at = graphene.DateTime(required=True, description="When it was asked for.")
    lines = ConnectionField(
        RefundLine,
        link="refund_id",
        trusts_parent=True,
        description="Of which lines units are paid back; none where it is just an amount. Their "
        "amounts and `shipping` add up to `amount`.",
    )

    class Meta:
        model = models.Refund
        orderings = {"CREATED": SortField("created_at", "By time.")}
        default_order = ("CREATED", "asc")


class Dispute(StaffNode):
    """A customer's bank asks for a payment back, or asks about it. Answer at the provider."""

    permission = VIEW_ORDERS

    reference = graphene.String(
        required=True, description="What the provider calls it, such as on its dashboard."
    )
    state = graphene.Field(DisputeState, required=True, description="How far it has come.")
    reason = graphene.Field(DisputeReason, required=True, description="The customer's reason.")
    amount = MoneyField(
        "amount", required=True, description="How much is disputed; it may differ from the payment."
    )
    is_withdrawn = graphene.Boolean(
        required=True,
        description="Whether the bank has the money, so that it cannot be paid back as well.",
    )
    due_at = graphene.DateTime(
        description="Until when evidence is taken; null when none is asked for."
    )
    opened_at = graphene.DateTime(required=True, description="When it began.")
    closed_at = graphene.DateTime(description="When it ended; null while it is open.")

    class Meta:
        model = models.Dispute
        orderings = {"OPENED": SortField("opened_at", "By the time when they began.")}
        default_order = ("OPENED", "asc")


class Payment(OrderNode):
    """A payment of an order."""

    provider = graphene.Field(PaymentProvider, required=True, description="By which way.")
    state = graphene.Field(PaymentState, required=True, description="How far it has come.")
    amount = MoneyField("amount", required=True, description="What is to be paid.")
    authorized = MoneyField(
        "authorized",
        required=True,
        description="Authorized amount; after a partial capture, the captured amount.",
    )
    captured = MoneyField(
        "captured",
        required=True,
        description="Captured amount: less than `amount` after a partial capture.",
    )
    refunded = MoneyField(
        "refunded", required=True, description="What of it went back, or is on its way back."
    )
    failure = ComputedField(
        PaymentFailure,
        columns=("failure",),
        compute=_failure,
        description="Why it came to nothing; null for others.",
    )
    created_at = graphene.DateTime(required=True, description="When it was begun.")
    refunds = ConnectionField(
        Refund, link="payment_id", trusts_parent=True, description="What went back of it."
    )
    disputes = ConnectionField(
        Dispute, link="payment_id", description="Where banks ask for it back; for staff only."
    )

    class Meta:
        model = models.Payment
        orderings = {"CREATED": SortField("created_at", "By time.")}
        default_order = ("CREATED", "asc")
