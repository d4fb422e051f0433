"""What every contender is asked, and with which values.

A question is a name and a few plain values; each contender asks it in its own dialect. Values come
from one list drawn with a fixed seed, the same for all contenders.
"""

import random
from dataclasses import dataclass
from typing import Any

Values = dict[str, Any]

SEED = 20_240_601
IMAGES = 3
VARIANTS = 5
# One page holds any product's variants, pictures and attribute values.
ALL = 100


@dataclass(frozen=True)
class Question:
    """One kind of request.

    Attributes:
        name: its key in results.
        title: for people.
        size: products on a page; cold requests vary it by a fifth. 0 for a single product.
    """

    name: str
    title: str
    size: int


QUESTIONS = (
    Question("nested", "Q1  20 products with category, brand, 3 images, 5 variants", 20),
    Question("flat", "Q2  50 products, flat", 50),
    Question("detail", "Q3  one product by slug, with everything", 0),
    Question("deep", "Q4  page 300: 20 products, nested as Q1", 20),
    Question("subtree", "Q5  20 products of a category's subtree, nested as Q1", 20),
)


@dataclass(frozen=True)
class Facts:
    """What of the catalog the values are drawn from.

    Attributes:
        places: (price_key, id) of every product, in order of price.
        slugs: of every product.
        categories: slugs of categories whose subtree fills a page.
    """

    places: list[tuple[int, int]]
    slugs: list[str]
    categories: list[str]


def cold_values(question: Question, facts: Facts, count: int) -> list[Values]:
    """`count` sets of values, all different in what can differ."""
    drawn = random.Random(f"{SEED} {question.name}")
    return [_draw(question, facts, drawn) for _ in range(count)]


def hot_values(question: Question, facts: Facts) -> Values:
    """The values that a hot request repeats."""
    values = _draw(question, facts, random.Random(f"{SEED} hot {question.name}"))
    return values | {"size": question.size} if question.size else values


def _draw(question: Question, facts: Facts, drawn: random.Random) -> Values:
    if question.name == "detail":
        return {"slug": drawn.choice(facts.slugs)}
    size = drawn.randint(question.size * 4 // 5, question.size * 6 // 5)
    values: Values = {"size": size}
    if question.name == "deep":
        # Around page 300 of the whole catalog; the same share of a smaller one.
        offset = len(facts.places) * drawn.randint(280, 330) // 1000
        price, key = facts.places[offset - 1]
        values |= {"offset": offset, "price": price, "key": key}
    elif question.name == "subtree":
        values["category"] = drawn.choice(facts.categories)
    else:
        # Among the cheapest, so that what is measured is the answer and not a long index scan.
        values["price_min"] = facts.places[drawn.randrange(len(facts.places) // 50)][0]
    return values
