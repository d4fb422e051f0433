"""Places the tables: domains as panels in a grid of columns, related tables near each other.

All lengths are in grid steps, so that rows, boxes and the lanes between them share one grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from shop.management.erd.tables import Domain, Table

HEADER, ROW = 3, 2
BOX, CORRIDOR = 22, 9  # The width of a box, and of the lanes between two columns.
COLUMNS = 5
TITLE, GAP, FOOT = 4, 4, 2  # Of a panel: above, between and below its boxes.
PANEL_HEIGHT = 75  # A domain that would be higher in one column takes several.
LEFT, TOP, BOTTOM = 1, 5, 2  # Margins of the picture.
WIDTH = LEFT + COLUMNS * (BOX + CORRIDOR) + LEFT

# What a step of the picture's height costs, and a box in the way, in steps of line.
_HEIGHT_COST, _DETOUR_COST = 6, 30
# How many first layouts are improved; one alone may lead to a poor place.
_STARTS = 6

# One domain's tables by column.
Columns = tuple[tuple[Table, ...], ...]


@dataclass(frozen=True)
class Panel:
    """A domain's place: its first column of the picture, its top, how many columns, how high."""

    domain: Domain
    column: int
    y: int
    columns: int
    height: int


@dataclass(frozen=True)
class Link:
    """A foreign key, from a row of its table to the primary key of the other."""

    source: str
    row: int
    target: str
    is_null: bool
    is_unique: bool


@dataclass(frozen=True)
class Layout:
    """The panels, and the upper left corner of every table."""

    panels: list[Panel]
    corners: dict[str, tuple[int, int]]
    height: int


def place(domains: list[Domain]) -> Layout:
    """The layout with the shortest lines, of those that several starts lead to."""
    links = links_of(domains)
    layouts = [_improve(domains, links, start) for start in range(_STARTS)]
    return min(layouts, key=lambda layout: _cost(layout, links))


def links_of(domains: Iterable[Domain]) -> list[Link]:
    return [
        Link(
            table.name,
            row,
            column.target,
            is_null=column.is_null,
            is_unique=column.is_unique or column.is_primary,
        )
        for domain in domains
        for table in domain.tables
        for row, column in enumerate(table.columns)
        if column.target
    ]


def height_of(table: Table) -> int:
    return HEADER + ROW * len(table.columns)


def row_line(row: int) -> int:
    """The middle of a row, below the top of its box."""
    return HEADER + ROW * row + 1


def column_x(column: int) -> int:
    """The left edge of the boxes in a column of the picture."""
    return LEFT + column * (BOX + CORRIDOR) + CORRIDOR // 2


def _improve(domains: list[Domain], links: list[Link], start: int) -> Layout:
    """Moves single tables, then swaps domains, for as long as that shortens the lines."""
    state = [_fill(domain, start) for domain in domains]
    order = list(range(len(domains)))

    def cost() -> int:
        return _cost(_pack([(domains[i], state[i]) for i in order]), links)

    best, before = cost(), None
    while best != before:
        before = best
        for i, domain in enumerate(domains):
            for table in domain.tables:
                for candidate in list(_moves(state[i], table)):
                    kept, state[i] = state[i], candidate
                    if (found := cost()) < best:
                        best = found
                    else:
                        state[i] = kept
        for a, b in combinations(range(len(order)), 2):
            order[a], order[b] = order[b], order[a]
            if (found := cost()) < best:
                best = found
            else:
                order[a], order[b] = order[b], order[a]
    return _pack([(domains[i], state[i]) for i in order])


def _fill(domain: Domain, start: int) -> Columns:
    """The tables in their order from `start` on, in as few columns as keep the panel low."""
    first = start % len(domain.tables)
    tables = domain.tables[first:] + domain.tables[:first]
    total = sum(height_of(table) + GAP for table in tables)
    count = min(COLUMNS, len(tables), -(-total // PANEL_HEIGHT))
    columns: list[list[Table]] = [[] for _ in range(count)]
    above = 0
    for table in tables:
        columns[min(count - 1, above * count // total)].append(table)
        above += height_of(table) + GAP
    return tuple(map(tuple, columns))


def _moves(columns: Columns, table: Table) -> Iterator[Columns]:
    """The table in every other place, and in exchange with every other table."""
    without = [[other for other in column if other is not table] for column in columns]
    for c, column in enumerate(without):
        for place in range(len(column) + 1):
            moved = [list(each) for each in without]
            moved[c].insert(place, table)
            yield tuple(map(tuple, moved))
    for other in (other for column in columns for other in column if other is not table):
        swap = {table.name: other, other.name: table}
        yield tuple(tuple(swap.get(each.name, each) for each in column) for column in columns)


def _pack(state: list[tuple[Domain, Columns]]) -> Layout:
    """Puts each panel in turn as high as it can stand, and then as far to the left."""
    floor = [TOP] * COLUMNS
    panels: list[Panel] = []
    corners: dict[str, tuple[int, int]] = {}
    for domain, columns in state:
        span = len(columns)
        y, first = min((max(floor[c : c + span]), c) for c in range(COLUMNS - span + 1))
        bottom = y
        for c, column in enumerate(columns, first):
            below = y + TITLE
            for table in column:
                corners[table.name] = (column_x(c), below)
                below += height_of(table) + GAP
            bottom = max(bottom, below - GAP + FOOT)
        panels.append(Panel(domain, first, y, span, bottom - y))
        floor[first : first + span] = [bottom + 1] * span
    return Layout(panels, corners, max(floor) + BOTTOM)


def _cost(layout: Layout, links: Iterable[Link]) -> int:
    cost = layout.height * _HEIGHT_COST
    for link in links:
        (x, y), (target_x, target_y) = layout.corners[link.source], layout.corners[link.target]
        between = max(0, abs(x - target_x) // (BOX + CORRIDOR) - 1)
        cost += abs(y + row_line(link.row) - target_y - HEADER)
        cost += between * (BOX + CORRIDOR + _DETOUR_COST)
    return cost
