"""Descriptions are HTML from staff and files: cleaned on the way in, trusted on the way out."""

import re
from collections import Counter
from html.parser import HTMLParser

import nh3

from shop.errors import Invalid

# What a shop's description needs; scripts, styles, frames, forms and event handlers fall away.
_TAGS = frozenset(
    "a abbr b blockquote br caption code dd div dl dt em h2 h3 h4 h5 h6 hr i img li ol p pre q s "
    "small span strong sub sup table tbody td tfoot th thead tr u ul".split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})

DESCRIPTION_LENGTH = 100_000
# A tag as the cleaner writes it: attributes in double quotes.
_TAG = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>')
# Names that a message lists.
_SHOWN = 12


def clean_description(html: str | None) -> str:
    """`html` sanitised. Raises Invalid when it is longer than DESCRIPTION_LENGTH characters."""
    if len(html or "") > DESCRIPTION_LENGTH:
        raise Invalid("The description is too long.", field=["description"])
    return sanitise(html or "")


def sanitise(html: str) -> str:
    """`html` with only harmless tags and attributes; plain text passes, escaped as HTML.

    The name of the product is the page's first heading: `h1` becomes `h2`.
    """
    if not html:
        return ""
    cleaned = nh3.clean(
        html.replace("\x00", ""),
        tags={*_TAGS, "h1"},
        attributes=_ATTRIBUTES,
        url_schemes=set(_SCHEMES),
        link_rel="noopener nofollow",
    ).strip()
    # The cleaner writes tags in one way only, and "<" in a text never as itself.
    return _TAG.sub(_lower, cleaned) if "h1>" in cleaned else cleaned


def removed(html: str, cleaned: str) -> str:
    """For people: what `sanitise` took out of `html` to make `cleaned`; empty for nothing.

    Names of elements and attributes with how often they are gone, and headings that became lower.
    """
    if html == cleaned:
        return ""
    before, after = _Content(html), _Content(cleaned)
    headings = before.elements.pop("h1", 0)
    after.elements["h2"] -= headings
    parts = []
    for kind, gone in (
        ("removed {}", before.elements - after.elements),
        ("removed the attributes {}", before.attributes - after.attributes),
        ("removed {}", before.others - after.others),
    ):
        if gone:
            parts.append(kind.format(_listed(gone)))
    if headings:
        parts.append("h1 became h2")
    return "; ".join(parts)


def _lower(tag: re.Match[str]) -> str:
    return {"<h1>": "<h2>", "</h1>": "</h2>"}.get(tag[0], tag[0])


def _listed(names: Counter[str]) -> str:
    """The most frequent of `names`, for people."""
    shown = [
        f"{name[:40]} ({count:,} times)" if count > 1 else name[:40]
        for name, count in names.most_common(_SHOWN)
    ]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


class _Content(HTMLParser):
    """Counts what a piece of HTML has.

    Attributes:
        elements: by name.
        attributes: by name, of the elements that may stay.
        others: comments and declarations.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        # The name of a removed element says enough; "rel" is set anew on every link.
        if tag in _TAGS or tag == "h1":
            self.attributes.update({name for name, _ in attrs if name != "rel"})

    def handle_comment(self, data: str) -> None:
        self.others["a comment"] += 1

    def handle_decl(self, decl: str) -> None:
        self.others["a declaration"] += 1

    def unknown_decl(self, data: str) -> None:
        self.others["a declaration"] += 1

    def handle_pi(self, data: str) -> None:
        self.others["a processing instruction"] += 1
