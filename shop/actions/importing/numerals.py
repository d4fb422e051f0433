"""Numbers as spreadsheets of different countries write them, as plain decimal numbers."""

import re

# Thousands are separated by one sign throughout; spaces of all widths, and the Swiss apostrophe.
_GROUPED = re.compile(
    r"[+-]?[0-9]{1,3}(?P<sign>[ \u00a0\u2009\u202f'’])[0-9]{3}(?:(?P=sign)[0-9]{3})*(?:[.,][0-9]+)?"
)
_POINT_LAST = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]*|[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}")
_COMMA_LAST = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]*|[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}")
_ONE_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+|[+-]?[0-9]+,")
# "1,234" and "12.345": the sign may separate thousands, or decimals. "0,125" cannot be thousands.
_THREE_AFTER = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")


def plain(text: str, *, is_point_sure: bool = True) -> str:
    """`text` with a decimal point and no thousands separators; what is no number stays as it is.

    Args:
        is_point_sure: whether one point is always a decimal point. In files of spreadsheets that
            write decimal commas, "1.500" may be 1500.

    Raises:
        ValueError: it can be read as two numbers.
    """
    if _GROUPED.fullmatch(text):
        return re.sub(r"[ \u00a0\u2009\u202f'’]", "", text).replace(",", ".")
    if _POINT_LAST.fullmatch(text):
        return text.replace(",", "")
    if _COMMA_LAST.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    is_unsure = "," in text or not is_point_sure
    if is_unsure and _THREE_AFTER.fullmatch(text):
        sign = "," if "," in text else "."
        raise ValueError(
            f'"{text}" can be {text.replace(",", ".")} or {text.replace(sign, "")}; '
            "write it without a thousands separator and with a decimal point"
        )
    return text.replace(",", ".") if _ONE_COMMA.fullmatch(text) else text
