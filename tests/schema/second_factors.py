"""What tests of the second factor share: short ways to call mutations, and to see what is kept."""

import datetime
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from shop.models import OutboxEvent, User

PASSWORD = "a customer password"


class Call:
    """`call("otpBegin", user, "secret")`: the payload; errors as pairs of code and field."""

    def __init__(self, api: Callable[..., dict[str, Any]]) -> None:
        self._api = api

    def __call__(
        self, mutation: str, user: User | None, selection: str = "", **values: Any
    ) -> dict[str, Any]:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        answer = self._api(
            f"mutation($input: {kind}) {{ {mutation}(input: $input) "
            f"{{ {selection} userErrors {{ code field message }} }} }}",
            user,
            input=values,
        )
        if "errors" in answer:
            (error,) = answer["errors"]
            return {"error": error["extensions"]["code"]}
        payload = answer["data"][mutation]
        payload["refused"] = [(error["code"], error["field"]) for error in payload["userErrors"]]
        return payload


class SignIn:
    """`sign_in(otp)`: signs Ann in; the errors, empty when it was right."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __call__(
        self, otp: str | None = None, password: str = PASSWORD
    ) -> list[tuple[str, list[str]]]:
        given = {} if otp is None else {"otp": otp}
        payload = self._call(
            "tokenAuth", None, "token", email="ann@example.org", password=password, **given
        )
        assert (payload["token"] is None) == bool(payload["refused"])
        return payload["refused"]


def rows() -> list[Any]:
    """All that is kept of second factors."""
    models = (TOTPDevice, StaticDevice, StaticToken)
    return [list(model.objects.order_by("pk").values()) for model in models]


def forget_failures() -> None:
    """As much later that wrong codes slow nobody down any more."""
    later = timezone.now() - datetime.timedelta(hours=1)
    TOTPDevice.objects.exclude(throttling_failure_timestamp=None).update(
        throttling_failure_timestamp=later
    )


def failures() -> int:
    return TOTPDevice.objects.values_list("throttling_failure_count", flat=True).get()


def told() -> list[str]:
    """What became of second factors, by the events."""
    events = OutboxEvent.objects.filter(topic="user.second_factor_changed").order_by("pk")
    return [event.payload["what"] for event in events]
