"""The questions as GraphQL documents; dialects differ in arguments only."""

from contenders.questions import ALL, IMAGES, VARIANTS

_CARD = "id name slug minPrice { amount currency }"
_PAGE = "pageInfo { hasNextPage endCursor }"


def documents(
    *,
    lists: dict[str, tuple[str, str]],
    by_position: str = "",
    by_name: str = "",
    connections: bool = True,
) -> dict[str, str]:
    """The document of each question.

    Args:
        lists: for each question about a list, the variables' types and `products`' arguments.
        by_position: arguments that order variants and media by position.
        by_name: arguments that order attribute values by name.
        connections: whether children come in connections; else in plain lists.
    """

    def children(name: str, first: int, order: str, fields: str) -> str:
        wrapped = f"edges {{ node {{ {fields} }} }}" if connections else fields
        return f"{name}(first: {first} {order}) {{ {wrapped} }}"

    image, variant = "id url alt position", "id sku name position price { amount currency }"
    full = f"{variant} compareAt {{ amount currency }} weightGrams barcode"
    value = "id name slug attribute { id name slug }"
    nested = f"""
        {_CARD}
        category {{ id name slug }}
        brand {{ id name slug }}
        {children("media", IMAGES, by_position, image)}
        {children("variants", VARIANTS, by_position, variant)}
    """
    detail = f"""query ($slug: String!) {{
      product(slug: $slug) {{
        {_CARD} description maxPrice {{ amount currency }}
        category {{ id name slug }}
        brand {{ id name slug }}
        {children("media", ALL, by_position, image)}
        {children("variants", ALL, by_position, full)}
        {children("attributeValues", ALL, by_name, value)}
      }}
    }}"""
    found = {"detail": detail}
    for question, (types, arguments) in lists.items():
        fields = _CARD if question == "flat" else nested
        found[question] = f"""query ($size: Int!, {types}) {{
          products(first: $size, {arguments}) {{ {_PAGE} edges {{ node {{ {fields} }} }} }}
        }}"""
    return found
