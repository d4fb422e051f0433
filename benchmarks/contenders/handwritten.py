"""What a good engineer would write by hand for these pages: the measure of all others.

One statement per level, tuples instead of instances, joined to-one relations, children limited per
parent by a window, pages by keyset, orjson. Nothing is kept between requests.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from django.core.files.storage import default_storage
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpRequest, HttpResponse

from contenders.contender import Contender, rest_contender
from contenders.questions import IMAGES, VARIANTS
from shop.models import Category, Media, Product, ProductAttribute, Variant
from shop.money import format_minor

Dict = dict[str, Any]

_CARD = ("id", "name", "slug", "min_price", "currency")
_RELATED = (
    *("category_id", "category__name", "category__slug"),
    *("brand_id", "brand__name", "brand__slug"),
)


def contender() -> Contender:
    return rest_contender({f"/{question}/": view for question, view in views().items()})


def views() -> dict[str, Callable[[HttpRequest], HttpResponse]]:
    """The view of each question."""
    return {
        "nested": product_list,
        "flat": flat_list,
        "detail": product_detail,
        "deep": product_list,
        "subtree": product_list,
    }


def flat_list(request: HttpRequest) -> HttpResponse:
    size = int(request.GET["size"])
    rows = list(_page(request).values_list(*_CARD, "price_key")[: size + 1])
    return _json({"products": [_card(row) for row in rows[:size]], "next": _next(rows, size)})


def product_list(request: HttpRequest) -> HttpResponse:
    size = int(request.GET["size"])
    rows = list(_page(request).values_list(*_CARD, *_RELATED, "price_key")[: size + 1])
    kept = rows[:size]
    keys = [row[0] for row in kept]
    media = _first(Media.objects.filter(product__in=keys), IMAGES).values_list(
        "product_id", "id", "url", "file", "alt", "position"
    )
    media_of = _grouped((row[0], _picture(row[1:])) for row in media)
    variants = _first(Variant.objects.filter(product__in=keys), VARIANTS).values_list(
        "product_id", "id", "sku", "name", "position", "price", "currency"
    )
    variants_of = _grouped((row[0], _variant(row[1:])) for row in variants)
    products = [
        {
            **_card(row),
            **_related(row[5:11]),
            "media": media_of.get(row[0], []),
            "variants": variants_of.get(row[0], []),
        }
        for row in kept
    ]
    return _json({"products": products, "next": _next(rows, size)})


def product_detail(request: HttpRequest) -> HttpResponse:
    row = (
        Product.objects.published()
        .filter(slug=request.GET["slug"])
        .values_list(*_CARD, *_RELATED, "description", "max_price")
        .first()
    )
    if row is None:
        raise Http404
    key, currency = row[0], row[4]
    media = (
        Media.objects.filter(product=key)
        .order_by("position", "id")
        .values_list("id", "url", "file", "alt", "position")
    )
    variants = (
        Variant.objects.filter(product=key)
        .order_by("position", "id")
        .values_list(
            *("id", "sku", "name", "position", "price", "currency"),
            *("compare_at", "weight_grams", "barcode"),
        )
    )
    values = (
        ProductAttribute.objects.filter(product=key)
        .order_by("value__name_key", "value_id")
        .values_list(
            *("value_id", "value__name", "value__slug"),
            *("value__attribute_id", "value__attribute__name", "value__attribute__slug"),
        )
    )
    product = {
        **_card(row),
        **_related(row[5:11]),
        "description": row[11],
        "maxPrice": _money(row[12], currency),
        "media": [_picture(item) for item in media],
        "variants": [
            _variant(item)
            | {
                "compareAt": _money(item[6], item[5]),
                "weightGrams": item[7],
                "barcode": item[8],
            }
            for item in variants
        ],
        "attributeValues": [
            {
                "id": item[0],
                "name": item[1],
                "slug": item[2],
                "attribute": {"id": item[3], "name": item[4], "slug": item[5]},
            }
            for item in values
        ],
    }
    return _json({"product": product})


def _page(request: HttpRequest) -> QuerySet[Product]:
    rows = Product.objects.published().order_by("price_key", "id")
    values = request.GET
    if "price_min" in values:
        rows = rows.filter(price_key__gte=int(values["price_min"]))
    if "category" in values:
        rows = rows.filter(category__in=Category.objects.filter(ancestors__slug=values["category"]))
    if "price" in values:
        # The first condition lets the index find the place, the second one settles ties.
        price, key = int(values["price"]), int(values["key"])
        rows = rows.filter(
            Q(price_key__gt=price) | Q(price_key=price, id__gt=key), price_key__gte=price
        )
    return rows


def _first(children: QuerySet, limit: int) -> QuerySet:
    """The first children of each product, in order of position."""
    number = Window(RowNumber(), partition_by=F("product_id"), order_by=["position", "id"])
    return (
        children.annotate(number=number).filter(number__lte=limit).order_by("product_id", "number")
    )


def _grouped(pairs: Iterable[tuple[int, Dict]]) -> dict[int, list[Dict]]:
    groups = itertools.groupby(pairs, key=lambda pair: pair[0])
    return {key: [child for _, child in group] for key, group in groups}


def _card(row: tuple[Any, ...]) -> Dict:
    return {"id": row[0], "name": row[1], "slug": row[2], "minPrice": _money(row[3], row[4])}


def _related(row: tuple[Any, ...]) -> Dict:
    return {
        "category": row[0] and {"id": row[0], "name": row[1], "slug": row[2]},
        "brand": row[3] and {"id": row[3], "name": row[4], "slug": row[5]},
    }


def _picture(row: tuple[Any, ...]) -> Dict:
    url = row[1] or default_storage.url(row[2])
    return {"id": row[0], "url": url, "alt": row[3], "position": row[4]}


def _variant(row: tuple[Any, ...]) -> Dict:
    return {
        "id": row[0],
        "sku": row[1],
        "name": row[2],
        "position": row[3],
        "price": _money(row[4], row[5]),
    }


def _money(minor: int | None, currency: str) -> Dict | None:
    if minor is None:
        return None
    return {"amount": format_minor(minor, currency), "currency": currency}


def _next(rows: list[tuple[Any, ...]], size: int) -> str | None:
    """Where the next page begins; the last column is `price_key`."""
    return f"{rows[size - 1][-1]}-{rows[size - 1][0]}" if len(rows) > size else None


def _json(content: Dict) -> HttpResponse:
    return HttpResponse(orjson.dumps(content), content_type="application/json")
