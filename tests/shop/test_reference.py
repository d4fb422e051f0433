"""The reference at /docs/: of today's schema, whole, and with nothing from elsewhere."""

import gzip
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from schema.root import schema
from shop import reference

ROOT = Path(__file__).parents[2]
SCHEMA = schema.graphql_schema


@pytest.fixture(autouse=True)
def _fresh() -> None:
    reference._page.cache_clear()


def test_it_is_built_from_the_committed_schema_and_changelog() -> None:
    for name, path in (("sdl", "schema/schema.graphql"), ("changes", "docs/schema-changelog.md")):
        digest = hashlib.sha256((ROOT / path).read_bytes()).hexdigest()
        assert reference.built()[name] == digest, "run `make reference`"


def test_everything_in_the_schema_has_a_place(client: Any) -> None:
    kinds = ("queries", "mutations", "objects", "inputs", "values")
    text = "".join(client.get(f"/docs/{kind}/").content.decode() for kind in kinds)
    places = set(re.findall(r'<section id="([^"]+)"', text))
    roots = {SCHEMA.query_type.name, SCHEMA.mutation_type.name}
    expected = {f"query-{name}" for name in SCHEMA.query_type.fields}
    expected |= {f"mutation-{name}" for name in SCHEMA.mutation_type.fields}
    expected |= {f"definition-{name}" for name in SCHEMA.type_map if not name.startswith("__")}
    assert expected - {f"definition-{name}" for name in roots} <= places
    assert "Puts variants in a cart." in text


@pytest.mark.parametrize("name", ["", *reference.TITLES])
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(
    name: str, client: Any
) -> None:
    response = client.get(f"/docs/{name}/" if name else "/docs/")
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == reference.POLICY
    assert "unsafe" not in reference.POLICY
    text = response.content.decode()
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="([^"]*)"', text)
    assert loaded
    assert all(address.startswith(("/static/", "/docs/")) for address in loaded)
    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=\"", text) == []


def test_links_between_pages_lead_somewhere(client: Any) -> None:
    pages = {name: client.get(f"/docs/{name}/").content.decode() for name in reference.TITLES}
    for name, text in pages.items():
        for page, place in re.findall(r'href="(?:/docs/([a-z]+)/)?#([^"]+)"', text):
            assert f'id="{place}"' in pages[page or name], f"{name}: {page}#{place}"


def test_a_page_is_compressed_and_sent_once(client: Any) -> None:
    response = client.get("/docs/objects/", headers={"Accept-Encoding": "gzip"})
    assert len(response.content) < 100_000
    assert b"<section" in gzip.decompress(response.content)
    again = client.get("/docs/objects/", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_picture_is_the_one_that_is_committed(client: Any) -> None:
    response = client.get("/docs/erd.svg")
    assert response.content == (ROOT / "docs" / "erd.svg").read_bytes()
    assert response.headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize("path", ["/docs/nothing/", "/docs/built.json", "/docs/../settings.py"])
def test_nothing_else_is_served(path: str, client: Any) -> None:
    assert client.get(path, follow=True).status_code == 404


def test_only_reading_is_possible(client: Any) -> None:
    assert client.post("/docs/").status_code == 405
    assert client.head("/docs/").status_code == 200


@pytest.mark.parametrize("is_on", [True, False])
def test_the_front_page_leads_to_graphiql_where_there_is_one(
    is_on: bool, client: Any, settings: Any
) -> None:
    settings.GRAPHQL_GRAPHIQL = is_on
    assert (b'href="/graphql/"' in client.get("/docs/").content) is is_on
