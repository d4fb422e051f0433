"""How the screens of orders say what they show."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.html import format_html_join

from shop.actions.customers import address_rules
from shop.actions.customers.address_rules import TEXTS
from shop.models import OrderLine


def name_of(line: OrderLine) -> str:
    return f"{line.name} ({line.variant_name})" if line.variant_name else line.name


def contents(lines: Iterable[Any]) -> str:
    """Units of lines, as in a parcel."""
    told = ((line.quantity, name_of(line.line)) for line in lines)
    return format_html_join("", "<div>{} × {}</div>", told)


def address(parts: Mapping[str, str]) -> str:
    lines = address_rules.formatted({name: parts.get(name, "") for name in TEXTS})
    phone = parts.get("phone", "")
    shown = [line for line in (*lines, phone) if line]
    return format_html_join("", "<div>{}</div>", ((line,) for line in shown)) or "–"
