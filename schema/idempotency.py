"""The key by which a request that comes twice is known: an argument, or a header.

The header is that of https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.
"""

import graphene

from shop.errors import Invalid

KEY = graphene.String(
    description="Any text of up to 255 characters, new for each intention. Sent again under the "
    "same key, with the same input, the request is not done again: it gets the reply of the first. "
    "The header `Idempotency-Key` does the same."
)


def key_of(info: graphene.ResolveInfo, given: str | None) -> str | None:
    """The key of a request.

    Args:
        given: the argument.

    Raises:
        Invalid: the argument and the header differ.
    """
    header = info.context.headers.get("Idempotency-Key")
    if header is not None and len(header) >= 2 and header[0] == header[-1] == '"':
        # A string as structured fields write it (RFC 8941).
        header = header[1:-1]
    if given is not None and header is not None and given != header:
        raise Invalid("The argument and the header differ.", field=["idempotencyKey"])
    return header if given is None else given
