"""One contender in a process of its own, which answers orders over its standard streams.

    python -m contenders.worker ours

An order is a line of JSON, {"do": "run", "question": ..., "values": [...]}, and so is its answer:
the nanoseconds of each request. Processes of their own keep contenders from sharing garbage
collection, caches or graphene-django's registry, and let one of them have other packages.
"""

import contextlib
import gc
import importlib
import json
import os
import sys
import time
from importlib import metadata
from typing import Any

import django
from django.db import connection

from contenders.contender import Contender
from contenders.questions import Values

_PACKAGES = (
    *("django", "psycopg2-binary", "graphene", "graphene-django", "graphene-django-optimizer"),
    *("graphql-core", "strawberry-graphql", "strawberry-graphql-django", "orjson"),
)


def main() -> None:
    # Whatever else prints must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    django.setup()
    contender = importlib.import_module(f"contenders.{sys.argv[1]}").contender()
    answers.write('"ready"\n')
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        match order.pop("do"):
            case "check":
                answer: Any = check(contender, **order)
            case "run":
                answer = run(contender, **order)
            case "requests":
                answer = requests(contender, **order)
            case "versions":
                answer = versions()
            case _:
                answer = contender.remarks()
        answers.write(json.dumps(answer) + "\n")


def check(contender: Contender, question: str, values: Values) -> dict[str, Any]:
    """One answer in comparable form, with its size and number of SQL statements."""
    statements = 0

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    request = contender.request(question, values, "")
    with connection.execute_wrapper(count):
        response = contender.view(request)
    content = response.content
    return {
        "content": contender.plain(json.loads(content)),
        "bytes": len(content),
        "statements": statements,
    }


def run(contender: Contender, question: str, values: list[Values], tag: str) -> list[int]:
    """Nanoseconds of each request; the first one only warms up and is left out."""
    made = [
        contender.request(question, item, tag and f"{tag} {number}")
        for number, item in enumerate(values)
    ]
    view, clock, taken = contender.view, time.perf_counter_ns, []
    gc.collect()
    for request in made:
        start = clock()
        response = view(request)
        content = response.content
        taken.append(clock() - start)
        if response.status_code != 200 or content.startswith(b'{"errors"'):
            raise ValueError(f"{question}: {content[:300]!r}")
    return taken[1:]


def requests(contender: Contender, question: str, values: list[Values]) -> list[list[str]]:
    """Method, path and body of each request, for sending it over HTTP."""
    made = [contender.request(question, item, "") for item in values]
    return [[str(item.method), item.get_full_path(), item.body.decode()] for item in made]


def versions() -> dict[str, str]:
    """Versions of the packages that matter, as far as they are installed here."""
    found = {}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


if __name__ == "__main__":
    main()
