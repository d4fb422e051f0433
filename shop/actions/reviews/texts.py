"""What customers write: a rating, and plain text within bounds."""

import re
from typing import Any

from shop.errors import Invalid, Several, ShopError
from shop.text import is_blank

TITLE_LENGTH = 150
BODY_LENGTH = 5000
AUTHOR_LENGTH = 100
LOWEST, HIGHEST = 1, 5

# Control characters but the line break, and those that turn the direction of what follows: they
# would change the page around the text.
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# With these, tags and comments begin in HTML. "1 < 2" and "I <3 it" are plain text.
_MARKUP = re.compile("<[a-zA-Z/!?]")


def checked(*, rating: int, title: str = "", body: str = "", author: str = "") -> dict[str, Any]:
    """The columns of a review, tidied. Titles and authors have one line.

    Raises:
        Several: Invalid, each at its field: the rating is not one of 1 to 5, or a text is too long
            or holds HTML.
    """
    values: dict[str, Any] = {
        "rating": rating,
        "title": " ".join(title.split()),
        "body": body.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "),
        "author": " ".join(author.split()),
    }
    errors: list[ShopError] = []
    if not LOWEST <= rating <= HIGHEST:
        message = f"A rating is a whole number from {LOWEST} to {HIGHEST}."
        errors.append(Invalid(message, field=["rating"]))
    bounds = {"title": TITLE_LENGTH, "body": BODY_LENGTH, "author": AUTHOR_LENGTH}
    for name, longest in bounds.items():
        seen = _UNSEEN.sub("", values[name]).strip()
        values[name] = text = "" if is_blank(seen) else seen
        if len(text) > longest:
            errors.append(Invalid(f"It has at most {longest} characters.", field=[name]))
        elif _MARKUP.search(text):
            errors.append(Invalid("Write plain text, without HTML.", field=[name]))
    if errors:
        raise Several(errors)
    return values
