"""What tests of accounts share: short ways to call mutations and to look into mails."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shop.models import User

ALIVE = "a customer password"
GOOD = "ladles of clay 7"


class Say:
    """Calls mutations by name; the input is what is given by keyword."""

    def __init__(self, api: Callable[..., dict[str, Any]]) -> None:
        self._api = api

    def answer(
        self, mutation: str, viewer: User | None = None, selection: str = "", /, **values: Any
    ) -> dict[str, Any]:
        """The whole answer."""
        document = (
            f"mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ "
            f"{mutation}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
        )
        return self._api(document, viewer, input=values)

    def payload(
        self, mutation: str, selection: str, /, viewer: User | None = None, **values: Any
    ) -> dict[str, Any]:
        """The payload of a mutation that succeeds."""
        found = self.answer(mutation, viewer, selection, **values)["data"][mutation]
        assert found["userErrors"] == []
        return found

    def __call__(
        self, mutation: str, viewer: User | None = None, **values: Any
    ) -> list[dict[str, Any]]:
        """The user errors."""
        answer = self.answer(mutation, viewer, **values)
        assert "errors" not in answer, answer
        return answer["data"][mutation]["userErrors"]

    def code(self, mutation: str, viewer: User | None = None, **values: Any) -> str:
        """The code of the one error, wherever it stands."""
        answer = self.answer(mutation, viewer, **values)
        if "errors" in answer:
            return answer["errors"][0]["extensions"]["code"]
        (error,) = answer["data"][mutation]["userErrors"]
        return error["code"]


def token_in(mail: Any) -> str:
    """The token of the one link in a mail; text and HTML have the same."""
    (link,) = re.findall(r"https?://\S+token=\S+", mail.body)
    assert link in mail.alternatives[0].content
    return parse_qs(urlsplit(link).query)["token"][0]


def signed_in_by(client: Any, token: str) -> str | None:
    """Whom an access token signs in; None when it is refused."""
    answer = client.post(
        "/graphql/",
        {"query": "{ viewer { email } }"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    return answer["data"]["viewer"]["email"] if "data" in answer else None
