"""With DEBUG off the project starts with safe values only."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GOOD = {
    "DEBUG": "0",
    "SECRET_KEY": "a secret of our own, longer than 32 characters",
    "ALLOWED_HOSTS": "shop.example.org,www.example.org",
}
READ = """
import json
from shop import settings
print(json.dumps({name: getattr(settings, name) for name in NAMES}))
"""
SET_UP = "import django; django.setup()"
NAMES = [
    "DEBUG",
    "ALLOWED_HOSTS",
    "GRAPHQL_INTROSPECTION",
    "GRAPHQL_GRAPHIQL",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "CORS_ALLOWED_ORIGINS",
]


def start(script: str = READ, **values: str) -> subprocess.CompletedProcess[str]:
    """Loads the settings in a process of their own, with nothing but these values set."""
    kept = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "shop.settings"}
    kept["DATABASE_URL"] = "sqlite://:memory:"
    kept |= values
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script.replace("NAMES", repr(NAMES))],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"SECRET_KEY": "x" * 31}, "SECRET_KEY"),
        (
            {"SECRET_KEY": "development-only-secret-never-used-with-debug-off"},
            "SECRET_KEY",
        ),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "shop.example.org, * "}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "shop.example.org, "}, "ALLOWED_HOSTS"),
    ],
)
def test_refuses_to_start_with(change: dict[str, Any], name: str) -> None:
    process = start(**GOOD | change)
    assert process.returncode == 1
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: With DEBUG off, ")
    assert name in last


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"COST_BUCKET_ANONYMOUS": "49999"}, "COST_BUCKET_ANONYMOUS"),
        ({"COST_BUCKET_STAFF": "-1"}, "COST_BUCKET_STAFF"),
        ({"COST_RESTORE_CUSTOMER": "0"}, "COST_RESTORE_CUSTOMER"),
        ({"GRAPHQL_MAX_COST": "150000"}, "COST_BUCKET_ANONYMOUS"),
    ],
)
def test_refuses_buckets_that_do_not_hold_what_one_operation_may_cost(
    change: dict[str, str], name: str
) -> None:
    process = start(**GOOD | change)
    assert process.returncode == 1
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: COST_BUCKET_")
    assert name in last


def test_starts_with_good_values_and_everything_closed() -> None:
    process = start(READ + SET_UP, **GOOD)
    assert process.stderr == ""
    assert json.loads(process.stdout) == {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["shop.example.org", "www.example.org"],
        "GRAPHQL_INTROSPECTION": False,
        "GRAPHQL_GRAPHIQL": False,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "CORS_ALLOWED_ORIGINS": [],
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("GRAPHQL_TRUSTED_ONLY", "Anonymous"), ("GRAPHQL_TRUSTED_MANIFESTS", "/nowhere/own.json")],
)
def test_a_server_does_not_start_with_a_bad(name: str, value: str) -> None:
    process = start(f"{SET_UP}; import shop.urls", **GOOD | {name: value})
    assert process.returncode == 1
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: ")
    assert name in last or "nowhere/own.json" in last


@pytest.mark.parametrize(
    ("change", "is_there"),
    [
        ({}, False),
        ({"GRAPHQL_INTROSPECTION": "1"}, True),
        ({"GRAPHQL_INTROSPECTION": "1", "GRAPHQL_REFERENCE": "0"}, False),
        ({"GRAPHQL_REFERENCE": "1"}, True),
    ],
)
def test_the_reference_is_there_where_clients_may_ask_for_the_schema(
    change: dict[str, str], is_there: bool
) -> None:
    script = (
        SET_UP
        + """
from django.urls import is_valid_path
print([is_valid_path(path) is not False for path in ("/docs/", "/docs/objects/", "/docs/erd.svg")])
"""
    )
    process = start(script, **GOOD | change)
    assert process.stdout.strip() == str([is_there] * 3), process.stderr


def test_introspection_and_graphiql_can_be_opened_by_name() -> None:
    process = start(**GOOD, GRAPHQL_INTROSPECTION="1", GRAPHQL_GRAPHIQL="1")
    settings = json.loads(process.stdout)
    assert (settings["GRAPHQL_INTROSPECTION"], settings["GRAPHQL_GRAPHIQL"]) == (True, True)


def test_development_starts_with_nothing_set_but_debug() -> None:
    settings = json.loads(start(DEBUG="1").stdout)
    assert settings["DEBUG"] is True
    assert (settings["GRAPHQL_INTROSPECTION"], settings["GRAPHQL_GRAPHIQL"]) == (True, True)
    assert settings["SECURE_SSL_REDIRECT"] is False


def test_the_example_lists_every_variable_and_no_other() -> None:
    source = (ROOT / "shop/settings.py").read_text()
    example = (ROOT / ".env.example").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', source))
    listed = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    assert listed == read


@pytest.mark.parametrize(("value", "names"), [("1", ["api_docs"]), ("0", [])])
def test_swagger_ui_can_be_taken_away_and_its_document_stays(value: str, names: list[str]) -> None:
    process = start(
        f"{SET_UP}; from shop.urls import urlpatterns; import json; "
        "print(json.dumps([each.name for each in urlpatterns if hasattr(each, 'name')]))",
        **GOOD,
        API_DOCS=value,
    )
    served = json.loads(process.stdout.strip().splitlines()[-1])
    assert "openapi" in served
    assert [name for name in served if name == "api_docs"] == names
