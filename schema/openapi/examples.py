"""Real requests with the answers that a sample shop gave, to show in the document.

`make openapi` makes the requests of samples.json, one after the other, and writes examples.json. In
samples.json, "$CartCreate.cartCreate.token" stands for what an earlier request was answered.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
EXAMPLES = _FOLDER / "examples.json"


@dataclass(frozen=True, slots=True)
class Example:
    """A request that was made, and what came back. Secrets are replaced by their names in <>.

    Attributes:
        method: of HTTP.
        variables: of the operation.
        status: of the answer.
        answer: its body.
    """

    method: str
    variables: dict[str, Any]
    status: int
    answer: dict[str, Any]


@cache
def committed() -> dict[str, Example]:
    """The examples that were written last, by operation."""
    found = json.loads(EXAMPLES.read_text())
    return {name: Example(**values) for name, values in found.items()}


def samples() -> list[dict[str, Any]]:
    """The requests to make.

    Each has an `operation`, `variables`, perhaps a `name` by which later ones refer to its answer
    instead of the operation's, and perhaps `as`: the access token of who makes it.
    """
    found: list[dict[str, Any]] = json.loads((_FOLDER / "samples.json").read_text())
    return found
