"""Form fields for what the shop stores in its own ways: money and variant options."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html
from unfold.widgets import (
    UnfoldAdminSelect2Widget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from shop.actions.catalog.variants import Option
from shop.actions.customers import address_rules
from shop.models.catalog import shop_currency
from shop.money import format_minor, parse_minor

_EXAMPLE = 1250
_PERCENTAGE = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?\s*%?", re.ASCII)


def money(minor: int, currency: str) -> str:
    """An amount for people: "12.50 USD"."""
    return f"{format_minor(minor, currency)} {currency}"


def hundredths(basis_points: int) -> str:
    """Basis points as a percentage without its sign, and without zeros at the end: "7.25", "19"."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02}".rstrip("0") if part else str(whole)


def percentage(basis_points: int) -> str:
    """A rate for people: "7.25 %"."""
    return f"{hundredths(basis_points)} %"


def on_one_line(text: str) -> str:
    return format_html('<span style="white-space: nowrap">{}</span>', text)


def country_choices() -> list[tuple[str, str]]:
    return [(code, f"{name.title()} ({code})") for code, name in address_rules.countries().items()]


class CountryField(forms.ChoiceField):
    """A country, by its name. None is chosen before somebody chooses one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=lambda: [("", ""), *country_choices()],
            widget=UnfoldAdminSelect2Widget,
            **kwargs,
        )


class PriceField(forms.CharField):
    """Minor units, shown and entered as a decimal amount of `currency`."""

    currency: str | None = None

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault(
            "widget",
            UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "style": "min-width: 6rem"}),
        )
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return format_minor(value, self._currency) if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text or isinstance(value, int):
            return value if isinstance(value, int) else None
        try:
            return parse_minor(text, self._currency)
        except ValueError:
            example = format_minor(_EXAMPLE, self._currency)
            raise ValidationError(f"Enter an amount such as {example}.") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != initial
        except ValidationError:
            return True

    @property
    def _currency(self) -> str:
        return self.currency or shop_currency()


class PercentField(forms.CharField):
    """Basis points, shown and entered as a percentage: 725 is "7.25"."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault(
            "widget",
            UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "style": "min-width: 6rem"}),
        )
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return hundredths(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text or isinstance(value, int):
            return value if isinstance(value, int) else None
        found = _PERCENTAGE.fullmatch(text)
        if not found:
            raise ValidationError("Enter a percentage such as 7.25.")
        return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != initial
        except ValidationError:
            return True


class OptionsField(forms.CharField):
    """A variant's options, one "Name: value" a line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault(
            "widget",
            UnfoldAdminTextareaWidget(
                attrs={"rows": 2, "placeholder": "Size: M", "style": "min-width: 11rem"}
            ),
        )
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{option['name']}: {option['value']}" for option in value)

    def to_python(self, value: Any) -> list[Option]:  # type: ignore[override]
        options = []
        for line in (super().to_python(value) or "").splitlines():
            name, colon, choice = line.partition(":")
            if colon and name.strip() and choice.strip():
                options.append({"name": name.strip(), "value": choice.strip()})
            elif line.strip():
                raise ValidationError("Write one option a line, such as “Size: M”.")
        return options

    def has_changed(self, initial: Any, data: Any) -> bool:
        # Compared as shown, so that an option with a colon in its name survives other edits.
        shown = self.prepare_value(initial or []) or ""
        return (data or "").replace("\r\n", "\n").strip() != shown.strip()


def count_of(rows: models.QuerySet, field: str) -> models.expressions.Combinable:
    """A subquery: how many of `rows` point at the outer row with `field`."""
    matching = rows.filter(**{field: models.OuterRef("pk")}).order_by().values(field)
    counted = models.Subquery(matching.annotate(number=models.Count("pk")).values("number"))
    return models.functions.Coalesce(counted, 0)
