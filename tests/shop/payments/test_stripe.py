"""The Stripe gateway against a fake that answers as Stripe's documentation says."""

import logging
import traceback
from typing import Any

import pytest

from shop.gateways import (
    Failure,
    PaymentRequest,
    RefundOutcome,
    Refused,
    Result,
    Unavailable,
    gateway_of,
    offered,
)
from shop.gateways.stripe.amounts import from_stripe, to_stripe
from tests.shop.payments.stripe_fake import KEY, SECRET, Fake

GATEWAY = gateway_of("stripe")
CREATE = ("POST", "/v1/payment_intents")
REFUND = ("POST", "/v1/refunds")


def request(**changed: Any) -> PaymentRequest:
    given = {"key": "a" * 32, "amount": 3840, "currency": "USD", "description": "Shop 1"}
    return PaymentRequest(**{**given, **changed})


def known(fake: Fake, **changed: Any) -> PaymentRequest:
    """The request for the one payment that the fake has."""
    (reference,) = fake.intents
    return request(reference=reference, **changed)


# --- Amounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "ours", "theirs"),
    [
        ("USD", 3840, 3840),
        ("JPY", 500, 500),
        ("KRW", 1, 1),
        ("KWD", 5120, 5120),
        ("KWD", 5124, None),
        ("BHD", 5, None),
        # Hundredths there, whole crowns here.
        ("ISK", 5, 500),
        # Hundredths here, whole ones there.
        ("MGA", 500, 5),
        ("MGA", 550, None),
        # Stripe's documentation contradicts itself.
        ("UGX", 5, None),
    ],
)
def test_amounts_are_told_exactly_or_not_at_all(
    currency: str, ours: int, theirs: int | None
) -> None:
    assert to_stripe(ours, currency) == theirs
    assert GATEWAY.takes(ours, currency) == (theirs is not None)
    if theirs is not None:
        assert from_stripe(theirs, currency) == ours


def test_an_amount_that_there_is_not_is_not_rounded() -> None:
    with pytest.raises(ValueError, match="ISK"):
        from_stripe(550, "ISK")


@pytest.mark.parametrize(("currency", "told"), [("JPY", 980), ("KWD", 980), ("ISK", 98_000)])
def test_stripe_is_told_its_own_units(currency: str, told: int, stripe: Fake) -> None:
    asked = request(amount=980, currency=currency, method="pm_card_visa")
    outcome = GATEWAY.pay(asked)
    (intent,) = stripe.intents.values()
    assert (intent["amount"], intent["currency"]) == (told, currency.lower())
    assert (outcome.amount, outcome.currency) == (980, currency)


def test_what_stripe_cannot_move_exactly_it_is_not_asked_to(stripe: Fake) -> None:
    with pytest.raises(Refused):
        GATEWAY.pay(request(amount=5124, currency="KWD"))
    assert stripe.calls == []


def test_it_is_offered_with_a_key_and_a_clear_currency(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    assert "stripe" not in offered("USD")
    settings.STRIPE_SECRET_KEY = KEY
    assert offered("USD")[0] == "stripe"
    assert "stripe" not in offered("UGX")


# --- Paying ---------------------------------------------------------------------------------------


def test_without_a_method_the_customers_client_confirms(stripe: Fake) -> None:
    outcome = GATEWAY.pay(request())
    (intent,) = stripe.intents.values()
    assert outcome.result == Result.REQUIRES_ACTION
    assert outcome.reference == intent["id"]
    assert outcome.client_data == {"clientSecret": intent["client_secret"]}
    assert intent["metadata"] == {"key": "a" * 32}
    assert intent["description"] == "Shop 1"
    stripe.customer_confirms(intent["id"])
    found = GATEWAY.look_up(known(stripe))
    assert (found.result, found.amount, found.currency) == (Result.CAPTURED, 3840, "USD")


def test_with_a_method_the_shop_confirms(stripe: Fake) -> None:
    outcome = GATEWAY.pay(request(method="pm_card_visa"))
    assert (outcome.result, outcome.amount, outcome.currency) == (Result.CAPTURED, 3840, "USD")
    assert stripe.calls == [CREATE]


def test_a_bank_may_ask_for_more(stripe: Fake) -> None:
    outcome = GATEWAY.pay(request(method="pm_card_authenticationRequired"))
    assert outcome.result == Result.REQUIRES_ACTION
    (intent,) = stripe.intents.values()
    assert outcome.client_data == {"clientSecret": intent["client_secret"]}
    stripe.customer_confirms(intent["id"], well=False)
    found = GATEWAY.look_up(known(stripe, method="pm_card_authenticationRequired"))
    assert (found.result, found.failure) == (Result.DECLINED, Failure.AUTHENTICATION)


def test_a_customer_who_fails_may_try_another_card(stripe: Fake) -> None:
    GATEWAY.pay(request())
    (intent,) = stripe.intents.values()
    stripe.customer_confirms(intent["id"], well=False)
    assert GATEWAY.look_up(known(stripe)).result == Result.REQUIRES_ACTION


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        ("pm_card_visa_chargeDeclined", Failure.DECLINED),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", Failure.INSUFFICIENT_FUNDS),
        ("pm_card_chargeDeclinedExpiredCard", Failure.EXPIRED_CARD),
    ],
)
def test_declines_are_told_in_words_of_ours(method: str, failure: Failure, stripe: Fake) -> None:
    outcome = GATEWAY.pay(request(method=method))
    (intent,) = stripe.intents.values()
    assert (outcome.result, outcome.failure) == (Result.DECLINED, failure)
    assert outcome.reference == intent["id"]
    assert GATEWAY.look_up(known(stripe, method=method)).failure == failure


def test_a_method_that_there_is_not_is_refused(stripe: Fake) -> None:
    with pytest.raises(Refused) as refused:
        GATEWAY.pay(request(method="pm_of_nobody"))
    assert refused.value.failure == Failure.INVALID_METHOD
    assert stripe.intents == {}


def test_a_shop_may_capture_later(stripe: Fake, settings: Any) -> None:
    settings.STRIPE_CAPTURE_LATER = True
    outcome = GATEWAY.pay(request(method="pm_card_visa"))
    assert (outcome.result, outcome.amount) == (Result.AUTHORIZED, 3840)
    assert GATEWAY.look_up(known(stripe)).result == Result.AUTHORIZED
    for _ in range(2):
        captured = GATEWAY.capture(known(stripe))
        assert (captured.result, captured.amount) == (Result.CAPTURED, 3840)


def test_what_is_not_authorized_cannot_be_captured(stripe: Fake) -> None:
    GATEWAY.pay(request())
    with pytest.raises(Refused):
        GATEWAY.capture(known(stripe))
    assert GATEWAY.void(known(stripe)).result == Result.VOIDED
    assert GATEWAY.capture(known(stripe)).result == Result.VOIDED


def test_of_money_on_its_way_stripe_does_not_know_yet(stripe: Fake) -> None:
    GATEWAY.pay(request())
    (intent,) = stripe.intents.values()
    intent["status"] = "processing"
    assert GATEWAY.look_up(known(stripe)).result == Result.PROCESSING
    assert GATEWAY.void(known(stripe)).result == Result.PROCESSING
    intent["status"] = "a status of next year"
    with pytest.raises(Unavailable):
        GATEWAY.look_up(known(stripe))


# --- Answers that are lost ------------------------------------------------------------------------


def test_the_same_key_pays_once(stripe: Fake) -> None:
    outcomes = [GATEWAY.pay(request(method="pm_card_visa")) for _ in range(3)]
    assert len({outcome.reference for outcome in outcomes}) == 1
    assert len(stripe.intents) == 1


def test_a_connection_that_breaks_is_tried_once_more(stripe: Fake) -> None:
    stripe.lost = 1
    assert GATEWAY.pay(request(method="pm_card_visa")).result == Result.CAPTURED
    assert len(stripe.intents) == 1
    assert stripe.heard(*CREATE) == 2


@pytest.mark.parametrize("method", ["", "pm_card_visa"])
def test_what_an_answer_would_have_told_is_looked_up_by_our_key(method: str, stripe: Fake) -> None:
    stripe.lost = 2
    with pytest.raises(Unavailable):
        GATEWAY.pay(request(method=method))
    found = GATEWAY.look_up(request(method=method))
    assert found.result == (Result.CAPTURED if method else Result.REQUIRES_ACTION)
    assert list(stripe.intents) == [found.reference]


def test_what_never_got_there_is_unknown_and_voided_for_good(stripe: Fake) -> None:
    stripe.deaf = 2
    with pytest.raises(Unavailable):
        GATEWAY.pay(request(method="pm_card_visa"))
    assert GATEWAY.look_up(request(method="pm_card_visa")).result == Result.UNKNOWN
    assert stripe.intents == {}
    assert GATEWAY.void(request(method="pm_card_visa")).result == Result.VOIDED
    # Should the request come after all, it finds its key taken.
    with pytest.raises(Unavailable):
        GATEWAY.pay(request(method="pm_card_visa"))
    assert [intent["status"] for intent in stripe.intents.values()] == ["canceled"]


def test_what_cannot_be_found_yet_is_not_taken_for_unknown(stripe: Fake) -> None:
    stripe.lost, stripe.searchable = 2, False
    with pytest.raises(Unavailable):
        GATEWAY.pay(request(method="pm_card_visa"))
    assert GATEWAY.look_up(request(method="pm_card_visa")).result == Result.UNKNOWN
    with pytest.raises(Unavailable):
        GATEWAY.void(request(method="pm_card_visa"))
    (intent,) = stripe.intents.values()
    assert intent["status"] == "succeeded"
    stripe.searchable = True
    assert GATEWAY.void(request(method="pm_card_visa")).result == Result.CAPTURED


def test_a_payment_that_waits_for_the_customer_is_voided_by_our_key(stripe: Fake) -> None:
    stripe.lost, stripe.searchable = 2, False
    with pytest.raises(Unavailable):
        GATEWAY.pay(request())
    assert GATEWAY.void(request()).result == Result.VOIDED
    assert [intent["status"] for intent in stripe.intents.values()] == ["canceled"]
    assert GATEWAY.void(known(stripe)).result == Result.VOIDED


def test_nothing_is_known_while_stripe_is_down(stripe: Fake) -> None:
    GATEWAY.pay(request(method="pm_card_visa"))
    asked = known(stripe)
    stripe.down = True
    for call in (
        lambda: GATEWAY.pay(request(key="b" * 32)),
        lambda: GATEWAY.look_up(asked),
        lambda: GATEWAY.look_up(request()),
        lambda: GATEWAY.capture(asked),
        lambda: GATEWAY.void(asked),
        lambda: GATEWAY.refund(asked, key="r", amount=1),
        lambda: GATEWAY.look_up_refund(asked, key="r", reference=""),
    ):
        with pytest.raises(Unavailable):
            call()


def test_a_server_that_is_not_there_is_unavailable(stripe: Fake, settings: Any) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(Unavailable):
        GATEWAY.pay(request())
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(Unavailable):
        GATEWAY.look_up(request())


def test_a_payment_of_another_account_is_unknown(stripe: Fake) -> None:
    elsewhere = request(reference="pi_of_somebody_else")
    assert GATEWAY.look_up(elsewhere).result == Result.UNKNOWN
    assert GATEWAY.void(elsewhere).result == Result.VOIDED


# --- Refunds --------------------------------------------------------------------------------------


def test_a_refund_goes_back_once_for_each_key(stripe: Fake) -> None:
    GATEWAY.pay(request(method="pm_card_visa"))
    first = GATEWAY.refund(known(stripe), key="r1", amount=1000)
    assert first.done is True
    assert GATEWAY.refund(known(stripe), key="r1", amount=1000) == first
    GATEWAY.refund(known(stripe), key="r2", amount=2840)
    assert [one["amount"] for one in stripe.refunds.values()] == [1000, 2840]
    with pytest.raises(Refused):
        GATEWAY.refund(known(stripe), key="r3", amount=1)


def test_more_than_was_paid_is_refused(stripe: Fake) -> None:
    GATEWAY.pay(request(method="pm_card_visa"))
    with pytest.raises(Refused):
        GATEWAY.refund(known(stripe), key="r1", amount=3841)
    assert stripe.refunds == {}


def test_a_refund_is_found_by_its_name_or_our_key(stripe: Fake) -> None:
    GATEWAY.pay(request(method="pm_card_visa"))
    made = [GATEWAY.refund(known(stripe), key=f"r{n}", amount=100) for n in range(5)]
    for number, outcome in enumerate(made):
        by_key = GATEWAY.look_up_refund(known(stripe), key=f"r{number}", reference="")
        by_name = GATEWAY.look_up_refund(
            known(stripe), key=f"r{number}", reference=outcome.reference
        )
        assert by_key == by_name == outcome
    assert GATEWAY.look_up_refund(known(stripe), key="r9", reference="") is None


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ("pending", None),
        ("requires_action", None),
        ("succeeded", True),
        ("failed", False),
        ("canceled", False),
    ],
)
def test_a_refund_may_take_its_time(status: str, done: bool | None, stripe: Fake) -> None:
    GATEWAY.pay(request(method="pm_card_visa"))
    stripe.refund_status = status
    outcome = GATEWAY.refund(known(stripe), key="r1", amount=100)
    (name,) = stripe.refunds
    assert outcome == RefundOutcome(done=done, reference=name, amount=100, currency="USD")


# --- Secrets --------------------------------------------------------------------------------------


def test_keys_are_told_nobody(
    stripe: Fake, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    wrong = "sk_live_which_somebody_mistyped"
    texts = []
    for key in (KEY, wrong):
        settings.STRIPE_SECRET_KEY = key
        stripe.down = key == KEY
        for call in (
            lambda: GATEWAY.pay(request(method="pm_card_visa")),
            lambda: GATEWAY.look_up(request(reference="pi_x")),
            lambda: GATEWAY.refund(request(reference="pi_x"), key="r", amount=1),
        ):
            with pytest.raises((Refused, Unavailable)) as raised:
                call()
            texts += traceback.format_exception(raised.value)
    told = caplog.text + "".join(texts)
    assert "AuthenticationError 401" in told
    assert "APIError 503" in told
    for secret in (KEY, wrong, SECRET, "a" * 32):
        assert secret not in told


def test_at_no_usual_level_the_library_writes_down_what_it_hears(
    stripe: Fake, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    outcome = GATEWAY.pay(request())
    told = caplog.text + "".join(capfd.readouterr())
    assert outcome.client_data["clientSecret"] not in told
    assert KEY not in told
    assert logging.getLogger("stripe").getEffectiveLevel() == logging.WARNING
