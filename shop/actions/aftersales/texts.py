"""What staff and customers write about orders: never too long, and links that are links."""

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from shop.errors import Invalid
from shop.text import is_blank

REASON = 500
NOTE = 2000
_is_link = URLValidator(schemes=["http", "https"])


def checked(text: str, field: str, *, longest: int) -> str:
    """`text` without blanks around it.

    Raises:
        Invalid: it has more than `longest` characters.
    """
    text = "" if is_blank(text) else text.strip()
    if len(text) > longest:
        raise Invalid(f"This has at most {longest} characters.", field=[field])
    return text


def checked_link(text: str, field: str, *, longest: int) -> str:
    """As `checked`, for an address of the web; it may be empty.

    Raises:
        Invalid: it is none, or too long.
    """
    text = checked(text, field, longest=longest)
    try:
        if text:
            _is_link(text)
    except ValidationError:
        raise Invalid("This is no http or https address.", field=[field]) from None
    return text
