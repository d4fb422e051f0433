"""Draws the tables as an SVG picture that needs no program, script or font beyond a browser's."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from html import escape

from shop.management.erd.layout import (
    BOX,
    CORRIDOR,
    HEADER,
    WIDTH,
    Layout,
    Panel,
    column_x,
    height_of,
    links_of,
    place,
    row_line,
)
from shop.management.erd.routes import STUB, Cell, Route, Router
from shop.management.erd.tables import Column, Domain, Table

STEP = 9  # Pixels of a step of the layout: half a row.
_RADIUS, _DOT = 5, 2.6
_NAME_X, _KEY_X = 34, 8
# Where the marks of a line's end stand, in pixels from the box.
_FOOT, _RING, _BAR, _SECOND_BAR = 8, 11, 5, 9

# The background is drawn, so that the picture stays readable on a dark page.
_STYLE = """\
text { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; \
fill: #1f2933; }
.title { font-size: 17px; font-weight: 700; }
.domain { font-size: 13px; font-weight: 700; }
.name { font-size: 12px; font-weight: 700; fill: #fff; }
.key { font-size: 8.5px; font-weight: 700; fill: #7b8794; }
.type { fill: #697586; text-anchor: end; }
.primary { font-weight: 700; }
.line { fill: none; stroke-width: 1.4; }
.mark { fill: #fff; stroke-width: 1.4; }"""


def draw_picture(domains: list[Domain]) -> str:
    """The whole of `docs/erd.svg`."""
    layout = place(domains)
    tables = {table.name: table for domain in domains for table in domain.tables}
    colours = {
        table.name: _colour(index, 0.62, 0.36)
        for index, domain in enumerate(domains)
        for table in domain.tables
    }
    width, height = WIDTH * STEP, layout.height * STEP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="Entity-relationship diagram">',
        f"<style>\n{_STYLE}\n</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *_legend(),
    ]
    for index, domain in enumerate(domains):
        panel = next(panel for panel in layout.panels if panel.domain is domain)
        lines += _panel(panel, index)
    routes = Router(layout, tables).route(links_of(domains))
    for route in routes:
        lines += _route(route, layout, colours[route.link.target])
    for table in tables.values():
        lines += _box(table, layout.corners[table.name], colours[table.name])
    return "\n".join([*lines, "</svg>", ""])


def _colour(index: int, saturation: float, lightness: float) -> str:
    """Neighbouring domains get hues far apart, by the golden ratio."""
    hue = (0.58 + index * 0.618034) % 1
    rgb = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in rgb)


def _panel(panel: Panel, index: int) -> Iterator[str]:
    x = column_x(panel.column) * STEP - CORRIDOR // 2 * STEP + STEP // 2
    width = panel.columns * (BOX + CORRIDOR) * STEP - STEP
    y = panel.y * STEP + STEP // 2
    yield (
        f'<rect x="{x}" y="{y}" width="{width}" height="{panel.height * STEP}" rx="8" '
        f'fill="{_colour(index, 0.5, 0.965)}" stroke="{_colour(index, 0.4, 0.82)}"/>'
    )
    yield (
        f'<text class="domain" x="{column_x(panel.column) * STEP}" y="{y + 22}" '
        f'style="fill:{_colour(index, 0.62, 0.36)}">{escape(panel.domain.name)}</text>'
    )


def _box(table: Table, corner: Cell, colour: str) -> Iterator[str]:
    x, y = corner[0] * STEP, corner[1] * STEP
    width, height = BOX * STEP, height_of(table) * STEP
    yield f'<g id="{escape(table.name)}"><title>{escape(table.db_table)}</title>'
    yield (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="#fff" '
        f'stroke="{colour}"/>'
    )
    bar = HEADER * STEP
    yield (
        f'<path d="M{x} {y + bar}v{4 - bar}q0 -4 4 -4h{width - 8}q4 0 4 4v{bar - 4}z" '
        f'fill="{colour}"/>'
    )
    yield f'<text class="name" x="{x + _KEY_X}" y="{y + 18}">{escape(table.name)}</text>'
    for row, column in enumerate(table.columns):
        yield from _row(column, x, y + row_line(row) * STEP + 4)
    yield "</g>"


def _row(column: Column, x: int, y: int) -> Iterator[str]:
    keys = column.keys + (["gen"] if column.is_generated else [])
    if keys:
        yield f'<text class="key" x="{x + _KEY_X}" y="{y}">{keys[0]}</text>'
    weight = ' class="primary"' if column.is_primary else ""
    yield f'<text{weight} x="{x + _NAME_X}" y="{y}">{escape(column.name)}</text>'
    type_name = column.type + ("?" if column.is_null else "")
    yield f'<text class="type" x="{x + BOX * STEP - _KEY_X}" y="{y}">{escape(type_name)}</text>'


def _route(route: Route, layout: Layout, colour: str) -> Iterator[str]:
    start, side = _end(route.cells[0], layout.corners[route.link.source])
    points = [start, *((x * STEP, y * STEP) for x, y in route.cells)]
    if route.joins:
        x, y = points[-1]
        marks = [f'<circle cx="{x}" cy="{y}" r="{_DOT}" fill="{colour}"/>']
    else:
        end, end_side = _end(route.cells[-1], layout.corners[route.link.target])
        points.append(end)
        marks = [*_one(end, end_side, is_null=route.link.is_null)]
    yield f'<g stroke="{colour}"><path class="line" d="{_path(points)}"/>'
    yield from marks
    yield from _many(start, side, is_unique=route.link.is_unique)
    yield "</g>"


def _end(lane: Cell, corner: Cell) -> tuple[Cell, int]:
    """The point on the edge of a box that this cell of a lane leads to, and the side of it."""
    side = 1 if lane[0] > corner[0] else -1
    return ((lane[0] - side * STUB) * STEP, lane[1] * STEP), side


def _path(points: list[Cell]) -> str:
    """Straight lines with rounded corners."""
    corners = [points[0]]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        if (before[0] == here[0]) != (here[0] == after[0]):
            corners.append(here)
    corners.append(points[-1])
    path = f"M{corners[0][0]} {corners[0][1]}"
    for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
        (x1, y1), (x2, y2) = _towards(here, before), _towards(here, after)
        path += f"L{x1} {y1}Q{here[0]} {here[1]} {x2} {y2}"
    return path + f"L{corners[-1][0]} {corners[-1][1]}"


def _towards(corner: Cell, other: Cell) -> Cell:
    """The point on the way from a corner to another where the rounding ends."""

    def shift(a: int, b: int) -> int:
        return a + max(-_RADIUS, min(_RADIUS, b - a))

    return shift(corner[0], other[0]), shift(corner[1], other[1])


def _many(end: Cell, side: int, *, is_unique: bool) -> Iterator[str]:
    """Zero or many: a ring and a crow's foot. Of a unique foreign key: a ring and a bar."""
    x, y = end
    if is_unique:
        yield _bar(x + side * _BAR, y)
    else:
        tip = x + side * _FOOT
        yield f'<path class="line" d="M{x} {y - 5}L{tip} {y}L{x} {y + 5}"/>'
    yield _ring(x + side * _RING, y)


def _one(end: Cell, side: int, *, is_null: bool) -> Iterator[str]:
    """Exactly one: two bars. Of a foreign key that may be null: a ring and a bar."""
    x, y = end
    yield _bar(x + side * _BAR, y)
    yield _ring(x + side * _RING, y) if is_null else _bar(x + side * _SECOND_BAR, y)


def _bar(x: int, y: int) -> str:
    return f'<path class="line" d="M{x} {y - 5}V{y + 5}"/>'


def _ring(x: int, y: int) -> str:
    return f'<circle class="mark" cx="{x}" cy="{y}" r="3"/>'


def _legend() -> Iterator[str]:
    x, y = column_x(0) * STEP, 3 * STEP
    yield f'<text class="title" x="{x}" y="{y + 4}">Tables of the shop</text>'
    samples = (
        ("zero or many", _many((x + 210, y), 1, is_unique=False)),
        ("zero or one", _many((x + 335, y), 1, is_unique=True)),
        ("exactly one", _one((x + 450, y), 1, is_null=False)),
    )
    for (label, marks), offset in zip(samples, (210, 335, 450), strict=True):
        yield f'<g stroke="#52606d"><path class="line" d="M{x + offset} {y}h28"/>'
        yield from marks
        yield f'</g><text x="{x + offset + 34}" y="{y + 4}">{label}</text>'
    yield f'<circle cx="{x + 575}" cy="{y}" r="{_DOT}" fill="#52606d"/>'
    yield f'<text x="{x + 584}" y="{y + 4}">lines to the same table join</text>'
    end = (WIDTH - CORRIDOR // 2) * STEP
    yield (
        f'<text x="{end}" y="{y + 4}" text-anchor="end">PK primary key · FK foreign key · '
        "UK unique · gen generated · ? may be null</text>"
    )
