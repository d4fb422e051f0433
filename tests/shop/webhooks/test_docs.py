"""The samples in docs/webhooks.md run."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from schema.root import schema
from shop.actions.webhooks import sending
from shop.models import WebhookDelivery

TEXT = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"type":"product.updated","subject":"x","sequence":7,"data":{"é":1}}'


def sample(language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)[1]


@pytest.fixture
def headers() -> dict[str, str]:
    return sending.signed(WebhookDelivery(body=BODY), SECRET)


def test_documents_are_valid() -> None:
    documents = re.findall(r"```graphql\n(.*?)```", TEXT, re.DOTALL)
    assert len(documents) == 3
    for document in documents:
        assert validate(schema.graphql_schema, parse(document)) == []


def test_the_python_sample_takes_ours_once_and_refuses_others(
    headers: dict[str, str], capsys: Any
) -> None:
    names: dict[str, Any] = {}
    exec(sample("python"), names)
    receive = names["receive"]
    assert receive(SECRET, headers, BODY.encode()) == 204
    assert receive(SECRET, headers, BODY.encode()) == 204
    assert receive(SECRET, headers, BODY.replace("7", "8").encode()) == 400
    assert capsys.readouterr().out == "product.updated x 7\n"


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
@pytest.mark.parametrize(("change", "expected"), [({}, "7"), ({"webhook-timestamp": "1"}, "no")])
def test_the_node_sample_takes_ours_and_refuses_others(
    change: dict[str, str], expected: str, headers: dict[str, str]
) -> None:
    arguments = ", ".join(json.dumps(item) for item in (SECRET, headers | change, BODY))
    program = (
        f"{sample('js')}\n"
        f"try {{ console.log(verify({arguments}).sequence) }} catch {{ console.log('no') }}"
    )
    ran = subprocess.run(
        ["node", "-e", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert ran.stdout.strip() == expected
