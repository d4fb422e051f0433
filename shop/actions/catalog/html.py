"""Descriptions are HTML from staff and files: cleaned on the way in, trusted on the way out."""

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


def clean_description(html: str | None) -> str:
    """`html` sanitised. Raises Invalid when it is longer than DESCRIPTION_LENGTH characters."""
    if len(html or "") > DESCRIPTION_LENGTH:
        raise Invalid("The description is too long.", field=["description"])
    return sanitise(html or "")


def sanitise(html: str) -> str:
    """`html` with only harmless tags and attributes; plain text passes, escaped as HTML."""
    if not html:
        return ""
    return nh3.clean(
        html.replace("\x00", ""),
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=set(_SCHEMES),
        link_rel="noopener nofollow",
    ).strip()
