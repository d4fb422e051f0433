"""Makes the requests of samples.json and keeps what comes back, but for what is secret."""

from __future__ import annotations

import json
import re
from base64 import b32decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core import mail
from django.test import Client
from django_otp.oath import totp

from schema.openapi.examples import Example
from schema.trusted import Operation

# Of answers: whoever holds them is let in.
_SECRETS = {"token", "refreshToken", "clientSecret", "secret", "recoveryCodes"}
_DOWNLOAD = re.compile(r"(?<=/downloads/)[^/]+")
_REFERENCE = re.compile(r"\$(\w+)((?:\.\w+)+)")
_LINK = re.compile(r"https?://\S+token=\S+")


class Recorder:
    """Makes requests one after the other, each of which may use what came of those before.

    Mails must go to Django's outbox: links in them lead on.

    Args:
        operations: by name.
    """

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self._operations = operations
        self._client = Client(SERVER_NAME="localhost")
        self._data: dict[str, Any] = {}
        self._placeholders: dict[str, str] = {}
        self.examples: dict[str, Example] = {}

    def run(self, sample: dict[str, Any]) -> Any:
        """Makes one request of samples.json, keeps it as an example, and returns the response.

        Raises:
            KeyError, IndexError, TypeError: it refers to what no earlier request was answered.
        """
        operation = self._operations[sample["operation"]]
        name = sample.get("name", operation.name)
        variables = self._filled(sample.get("variables", {}))
        method = "POST" if set(variables) & set(operation.secrets) else operation.methods[0]
        response = self._send(operation, method, variables, self._filled(sample.get("as")))
        answer = response.json()
        self._data[name] = answer.get("data")
        self._note(name, answer)
        # The first of several is the one to show; the others only bring things about.
        if name == operation.name:
            status = response.status_code
            kept = Example(method, self._masked(variables), status, self._masked(answer))
            self.examples[name] = kept
        return response

    def _send(
        self, operation: Operation, method: str, variables: dict[str, Any], token: str | None
    ) -> Any:
        address = f"/api/{operation.slug}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "GET":
            written = {name: _written(value) for name, value in variables.items()}
            return self._client.get(address, written, headers=headers)
        body = variables["input"] if operation.takes_input else variables
        return self._client.post(address, body, "application/json", headers=headers)

    def _filled(self, value: Any) -> Any:
        """`value` with its references replaced."""
        if isinstance(value, dict):
            return {key: self._filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner) for inner in value]
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        return value if found is None else self._found(found[1], found[2].split(".")[1:])

    def _found(self, name: str, steps: list[str]) -> Any:
        if name == "Mail":
            link = _LINK.findall(str(mail.outbox[-1].body))[-1]
            return self._secret(parse_qs(urlsplit(link).query)["token"][0], "token of a mail")
        if name == "Otp":
            key = b32decode(self._data["OtpBegin"]["otpBegin"]["secret"])
            return self._secret(f"{totp(key):06}", "code of the device")
        target = self._data[name]
        for step in steps:
            target = target[int(step) if step.isdigit() else step]
        return target

    def _note(self, name: str, value: Any, key: str = "") -> None:
        """Remembers secrets, so that they are masked here and wherever they are sent."""
        if isinstance(value, dict):
            for inner_key, inner in value.items():
                self._note(name, inner, inner_key)
        elif isinstance(value, list):
            for inner in value:
                self._note(name, inner, key)
        elif isinstance(value, str):
            if key in _SECRETS:
                self._secret(value, f"{key} of {name}")
            for token in _DOWNLOAD.findall(value):
                self._secret(token, "token")

    def _secret(self, value: str, what: str) -> str:
        self._placeholders.setdefault(value, f"<{what}>")
        return value

    def _masked(self, value: Any) -> Any:
        text = json.dumps(value)
        # The longest first: one may be part of another.
        for secret in sorted(self._placeholders, key=len, reverse=True):
            text = text.replace(secret, self._placeholders[secret])
        return json.loads(text)


def _written(value: Any) -> Any:
    """A variable as it stands in an address."""
    if isinstance(value, list) and not any(isinstance(item, dict) for item in value):
        return [_written(item) for item in value]
    return value if isinstance(value, str) else json.dumps(value)
