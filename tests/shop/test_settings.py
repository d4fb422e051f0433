"""With DEBUG off the project starts with safe values only."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).parents[2]
GOOD = {
    "DEBUG": "0",
    "SECRET_KEY": "a secret of our own, longer than 32 characters",
    "ALLOWED_HOSTS": "shop.example.org,www.example.org",
}
SET_UP = "import django; django.setup()"
URLS = """
import json
from django.urls import is_valid_path
from shop.urls import urlpatterns

print(json.dumps({
    "names": [each.name for each in urlpatterns if hasattr(each, "name")],
    "reference": [
        is_valid_path(path) is not False for path in ("/docs/", "/docs/objects/", "/docs/erd.svg")
    ],
}))
"""


def load(**values: str) -> dict[str, Any]:
    """The settings that these environment variables give.

    Runs the settings module in this process: a process of its own takes a hundred times longer.
    """
    given = {"PATH": os.environ["PATH"], "DATABASE_URL": "sqlite://:memory:", **values}
    with patch.dict(os.environ, given, clear=True):
        return runpy.run_path(str(ROOT / "shop/settings.py"))


def start(script: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in a process of its own, with nothing but these values set."""
    kept = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "shop.settings"}
    kept["DATABASE_URL"] = "sqlite://:memory:"
    kept |= values
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
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
    with pytest.raises(ImproperlyConfigured, match=rf"^With DEBUG off, .*{name}"):
        load(**GOOD | change)


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
    with pytest.raises(ImproperlyConfigured, match=r"^COST_BUCKET_") as refusal:
        load(**GOOD | change)
    assert name in str(refusal.value)


@pytest.mark.parametrize("zone", ["Berlin", "CET+1", "../etc/passwd", ""])
def test_refuses_a_time_zone_that_there_is_not(zone: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^SHOP_TIME_ZONE must be"):
        load(**GOOD, SHOP_TIME_ZONE=zone)


def test_refuses_another_rule_for_the_tax_on_the_postage() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^SHIPPING_TAX must be"):
        load(**GOOD, SHIPPING_TAX="proportional")


def test_starts_with_good_values_and_everything_closed() -> None:
    settings = load(**GOOD)
    closed = {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["shop.example.org", "www.example.org"],
        "GRAPHQL_INTROSPECTION": False,
        "GRAPHQL_GRAPHIQL": False,
        "GRAPHQL_REFERENCE": False,
        "API_DOCS": True,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "CORS_ALLOWED_ORIGINS": [],
    }
    assert {name: settings[name] for name in closed} == closed


def test_a_closed_server_serves_no_reference_and_no_graphiql() -> None:
    process = start(SET_UP + URLS, **GOOD, API_DOCS="0")
    assert process.stderr == ""
    served = json.loads(process.stdout)
    assert served["names"].count("openapi") == 1
    assert "api_docs" not in served["names"]
    assert served["reference"] == [False, False, False]


def test_an_open_server_serves_reference_and_swagger_ui() -> None:
    process = start(SET_UP + URLS, **GOOD, GRAPHQL_REFERENCE="1")
    served = json.loads(process.stdout)
    assert {"openapi", "api_docs"} <= set(served["names"])
    assert served["reference"] == [True, True, True]


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
        ({"GRAPHQL_INTROSPECTION": "1"}, True),
        ({"GRAPHQL_INTROSPECTION": "1", "GRAPHQL_REFERENCE": "0"}, False),
        ({"GRAPHQL_REFERENCE": "1"}, True),
    ],
)
def test_the_reference_is_there_where_clients_may_ask_for_the_schema(
    change: dict[str, str], is_there: bool
) -> None:
    assert load(**GOOD | change)["GRAPHQL_REFERENCE"] is is_there


def test_introspection_and_graphiql_can_be_opened_by_name() -> None:
    settings = load(**GOOD, GRAPHQL_INTROSPECTION="1", GRAPHQL_GRAPHIQL="1")
    assert (settings["GRAPHQL_INTROSPECTION"], settings["GRAPHQL_GRAPHIQL"]) == (True, True)


def test_development_starts_with_nothing_set_but_debug() -> None:
    settings = load(DEBUG="1")
    assert settings["DEBUG"] is True
    assert (settings["GRAPHQL_INTROSPECTION"], settings["GRAPHQL_GRAPHIQL"]) == (True, True)
    assert settings["SECURE_SSL_REDIRECT"] is False


def test_the_example_lists_every_variable_and_no_other() -> None:
    source = (ROOT / "shop/settings.py").read_text()
    example = (ROOT / ".env.example").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', source))
    listed = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    assert listed == read


def test_links_follow_the_port_of_the_development_server() -> None:
    assert load(DEBUG="1")["SITE_URL"] == "http://localhost:8000"
    found = load(DEBUG="1", PORT="9000")
    assert (found["SITE_URL"], found["STOREFRONT_URL"]) == ("http://localhost:9000", "")
    given = {"SITE_URL": "https://api.example.org/", "STOREFRONT_URL": "https://shop.example.org/"}
    found = load(**GOOD, PORT="9000", **given)
    assert found["SITE_URL"] == "https://api.example.org"
    assert found["STOREFRONT_URL"] == "https://shop.example.org"
