"""One statement of raw SQL for each page; PostgreSQL makes the JSON. The floor under all others."""

from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from contenders.contender import Contender, rest_contender
from contenders.questions import IMAGES, VARIANTS


def _money(column: str, row: str) -> str:
    amount = f"to_char({row}.{column} / 100.0, 'FM999999999990.00')"
    built = f"json_build_object('amount', {amount}, 'currency', {row}.currency)"
    return f"CASE WHEN {row}.{column} IS NOT NULL THEN {built} END"


def _children(fields: str, table: str, limit: int | None) -> str:
    """A JSON array of a product's children, in order of position."""
    return f"""(
        SELECT coalesce(json_agg(json_build_object({fields}) ORDER BY r.position, r.id), '[]')
        FROM (
            SELECT * FROM {table} WHERE product_id = p.id ORDER BY position, id
            LIMIT {limit or "ALL"}
        ) r
    )"""


_CARD = f"'id', p.id, 'name', p.name, 'slug', p.slug, 'minPrice', {_money('min_price', 'p')}"
_RELATED = """
    'category', CASE WHEN c.id IS NOT NULL THEN
        json_build_object('id', c.id, 'name', c.name, 'slug', c.slug) END,
    'brand', CASE WHEN b.id IS NOT NULL THEN
        json_build_object('id', b.id, 'name', b.name, 'slug', b.slug) END
"""
_PICTURE = "'id', r.id, 'url', r.url, 'alt', r.alt, 'position', r.position"
_VARIANT = f"""
    'id', r.id, 'sku', r.sku, 'name', r.name, 'position', r.position,
    'price', {_money("price", "r")}
"""
_FULL_VARIANT = f"""
    {_VARIANT}, 'compareAt', {_money("compare_at", "r")}, 'weightGrams', r.weight_grams,
    'barcode', r.barcode
"""
_JOINS = """
    LEFT JOIN shop_category c ON c.id = p.category_id LEFT JOIN shop_brand b ON b.id = p.brand_id
"""
_PUBLISHED = "p.status = 'published' AND p.published_at <= statement_timestamp()"
_NESTED = f"""
    {_CARD}, {_RELATED}, 'media', {_children(_PICTURE, "shop_media", IMAGES)},
    'variants', {_children(_VARIANT, "shop_variant", VARIANTS)}
"""
_CONDITIONS = {
    "nested": "p.price_key >= %(price_min)s",
    "flat": "p.price_key >= %(price_min)s",
    "deep": "(p.price_key, p.id) > (%(price)s, %(key)s)",
    "subtree": """p.category_id IN (
        SELECT node.id FROM shop_category node JOIN shop_category top
        ON node.path >= top.path AND node.path < top.path || '~' WHERE top.slug = %(category)s
    )""",
}


def _list(question: str) -> str:
    fields, joins = (_CARD, "") if question == "flat" else (_NESTED, _JOINS)
    return f"""
        WITH page AS (
            SELECT p.*, row_number() OVER (ORDER BY p.price_key, p.id) AS n FROM shop_product p
            WHERE {_PUBLISHED} AND {_CONDITIONS[question]}
            ORDER BY p.price_key, p.id LIMIT %(size)s + 1
        )
        SELECT json_build_object(
            'products', (
                SELECT coalesce(json_agg(json_build_object({fields}) ORDER BY p.n), '[]')
                FROM page p {joins} WHERE p.n <= %(size)s
            ),
            'next', (
                SELECT price_key || '-' || id FROM page
                WHERE n = %(size)s AND (SELECT count(*) FROM page) > %(size)s
            )
        )::text
    """


_VALUES = """(
    SELECT coalesce(json_agg(json_build_object(
        'id', v.id, 'name', v.name, 'slug', v.slug,
        'attribute', json_build_object('id', a.id, 'name', a.name, 'slug', a.slug)
    ) ORDER BY v.name_key, v.id), '[]')
    FROM shop_productattribute link JOIN shop_attributevalue v ON v.id = link.value_id
    JOIN shop_attribute a ON a.id = v.attribute_id WHERE link.product_id = p.id
)"""
_DETAIL = f"""
    SELECT json_build_object('product', json_build_object(
        {_CARD}, {_RELATED}, 'description', p.description, 'maxPrice', {_money("max_price", "p")},
        'media', {_children(_PICTURE, "shop_media", None)},
        'variants', {_children(_FULL_VARIANT, "shop_variant", None)},
        'attributeValues', {_VALUES}
    ))::text
    FROM shop_product p {_JOINS} WHERE {_PUBLISHED} AND p.slug = %(slug)s
"""
_STATEMENTS = {question: _list(question) for question in _CONDITIONS} | {"detail": _DETAIL}
_TEXTS = {"slug", "category"}


def contender() -> Contender:
    return rest_contender({f"/{question}/": _view(sql) for question, sql in _STATEMENTS.items()})


def _view(sql: str) -> Any:
    def view(request: HttpRequest) -> HttpResponse:
        values = {
            name: value if name in _TEXTS else int(value) for name, value in request.GET.items()
        }
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return HttpResponse(cursor.fetchone()[0], content_type="application/json")

    return view
