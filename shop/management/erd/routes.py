"""Finds a way for every foreign key through the lanes between the boxes.

Lines to one target join on the way and arrive together, so a table that everything refers to
stays readable. A target has two such trees: of the foreign keys that may be null, and of those
that may not, because their ends are drawn differently.
"""

from __future__ import annotations

import heapq
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from shop.management.erd.layout import (
    BOX,
    HEADER,
    LEFT,
    TOP,
    WIDTH,
    Layout,
    Link,
    column_x,
    height_of,
    row_line,
)
from shop.management.erd.tables import Table

Cell = tuple[int, int]
Tree = tuple[str, bool]  # The target, and whether the foreign keys may be null.
State = tuple[Cell, str, bool]  # A cell, the heading there, and whether the way ends.
End = tuple[str, int]  # The heading of arrival, and what the end costs.

STUB = 2  # Steps between a box and the first lane, which the crow's foot needs.
_MOVES: dict[str, Cell] = {"E": (1, 0), "N": (0, -1), "S": (0, 1), "W": (-1, 0)}
_BACK = {"E": "W", "N": "S", "S": "N", "W": "E"}
_HORIZONTAL, _VERTICAL = 1, 2
# In steps of line. An end at the header is for when the ends at the primary key are taken.
_BEND, _CROSSING, _OVERLAP = 4, 12, 400
_END_AT_KEY, _END_AT_HEADER = 6, 20
# Passing by the end of another line: its mark should stand free.
_NEAR_MARK, _ACROSS_MARK = 2, 30


@dataclass(frozen=True)
class Route:
    """The way of a link: cells from box to box, or to where it joins a line to the same target."""

    link: Link
    cells: tuple[Cell, ...]
    joins: bool


class Router:
    """The lanes of a layout, and the lines that already run in them."""

    def __init__(self, layout: Layout, tables: dict[str, Table]) -> None:
        self._layout = layout
        self._tables = tables
        self._blocked: set[Cell] = set()
        self._lines: dict[Cell, dict[Tree, int]] = defaultdict(dict)
        self._marks: set[Cell] = set()
        self._starts: dict[Tree, set[Cell]] = defaultdict(set)
        for name, (x, y) in layout.corners.items():
            self._block(x - STUB + 1, y, BOX + 2 * STUB - 2, height_of(tables[name]))
            for row, column in enumerate(tables[name].columns):
                if column.keys:
                    self._marks |= self._sides(name, row_line(row)).keys()
        for panel in layout.panels:
            self._block(column_x(panel.column), panel.y + 1, len(panel.domain.name) + 1, 2)

    def route(self, links: list[Link]) -> list[Route]:
        """Routes short links first, then each tree again, now that the others are known."""
        trees: dict[Tree, list[Link]] = defaultdict(list)
        for link in sorted(links, key=lambda link: (self._length(link), link.source, link.row)):
            trees[link.target, link.is_null].append(link)
        routes: dict[Tree, list[Route]] = {}
        for _ in range(3):
            for tree, members in trees.items():
                self._erase(tree)
                routes[tree] = [self._add(tree, link) for link in members]
        return [route for members in routes.values() for route in members]

    def _add(self, tree: Tree, link: Link) -> Route:
        joints = {
            cell
            for cell, lines in self._lines.items()
            if lines.keys() == {tree} and cell not in self._starts[tree]
        }
        ends = self._ends(link.target)
        cells = self._search(self._sides(link.source, row_line(link.row)), ends, joints)
        route = Route(link, cells, joins=cells[-1] in joints)
        self._draw(tree, route)
        return route

    def _search(
        self, starts: dict[Cell, str], ends: dict[Cell, End], joints: set[Cell]
    ) -> tuple[Cell, ...]:
        """The A* algorithm over cells and headings; ties go to the smaller cell."""
        goals = ends.keys() | joints
        left, right = min(x for x, _ in goals), max(x for x, _ in goals)
        top, bottom = min(y for _, y in goals), max(y for _, y in goals)

        def ahead(cell: Cell) -> int:
            x, y = cell
            return max(left - x, 0, x - right) + max(top - y, 0, y - bottom)

        cheapest: dict[State, int] = {}
        came: dict[State, State | None] = {}
        queue: list[tuple[int, State]] = []

        def offer(cost: int, state: State, before: State | None) -> None:
            if cost < cheapest.get(state, sys.maxsize):
                cheapest[state], came[state] = cost, before
                heapq.heappush(queue, (cost + ahead(state[0]), state))

        for cell, heading in starts.items():
            offer(self._entering(cell, heading), (cell, heading, False), None)
        while queue:
            estimate, state = heapq.heappop(queue)
            cell, heading, is_done = state
            if is_done:
                return _trace(came, state)
            cost = cheapest[state]
            if estimate > cost + ahead(cell):
                continue
            for extra, following in self._steps(cell, heading, ends, joints):
                offer(cost + extra, following, state)
        raise ValueError("No way through the lanes of the diagram.")

    def _steps(
        self, cell: Cell, heading: str, ends: dict[Cell, End], joints: set[Cell]
    ) -> Iterator[tuple[int, State]]:
        if cell in joints:
            yield 0, (cell, heading, True)
            return
        bend = _BEND + (_OVERLAP if self._lines.get(cell) else 0)
        if cell in ends:
            inward, extra = ends[cell]
            yield extra + (0 if inward == heading else bend), (cell, inward, True)
        for turn, (dx, dy) in _MOVES.items():
            beyond = (cell[0] + dx, cell[1] + dy)
            if turn == _BACK[heading] or not self._is_free(beyond):
                continue
            extra = 1 if turn == heading else 1 + bend
            if beyond not in joints:
                extra += self._entering(beyond, turn)
            yield extra, (beyond, turn, False)

    def _entering(self, cell: Cell, heading: str) -> int:
        """What other lines make of this step: a crossing is straight, all else an overlap."""
        lines = self._lines.get(cell)
        near = cell in self._marks and heading in "NS"
        if not lines:
            return _NEAR_MARK if near else 0
        across = _VERTICAL if heading in "EW" else _HORIZONTAL
        cost = sum(_CROSSING if line == across else _OVERLAP for line in lines.values())
        return cost + (_ACROSS_MARK if near else 0)

    def _is_free(self, cell: Cell) -> bool:
        x, y = cell
        inside = LEFT <= x <= WIDTH - LEFT and TOP - 1 <= y < self._layout.height
        return inside and cell not in self._blocked

    def _sides(self, name: str, line: int) -> dict[Cell, str]:
        """The first lanes to both sides of a box, at this line of it, and the way out."""
        x, y = self._layout.corners[name]
        return {(x - STUB, y + line): "W", (x + BOX + STUB, y + line): "E"}

    def _ends(self, target: str) -> dict[Cell, End]:
        """Where lines to a table may arrive: at its primary key, else at its header."""
        key = row_line(self._tables[target].primary_row)
        return {
            cell: (_BACK[outward], cost)
            for line, cost in ((key, _END_AT_KEY), (HEADER - 1, _END_AT_HEADER))
            for cell, outward in self._sides(target, line).items()
        }

    def _draw(self, tree: Tree, route: Route) -> None:
        self._starts[tree].add(route.cells[0])
        for cell, following in pairwise(route.cells):
            axis = _HORIZONTAL if cell[1] == following[1] else _VERTICAL
            for each in (cell, following):
                self._lines[each][tree] = self._lines[each].get(tree, 0) | axis
        for cell in (route.cells[0], *(() if route.joins else route.cells[-1:])):
            self._lines[cell][tree] = self._lines[cell].get(tree, 0) | _HORIZONTAL

    def _erase(self, tree: Tree) -> None:
        self._starts[tree].clear()
        for lines in self._lines.values():
            lines.pop(tree, None)

    def _block(self, x: int, y: int, width: int, height: int) -> None:
        self._blocked |= {(i, j) for i in range(x, x + width + 1) for j in range(y, y + height + 1)}

    def _length(self, link: Link) -> int:
        (x, y), (to_x, to_y) = self._layout.corners[link.source], self._layout.corners[link.target]
        return abs(x - to_x) + abs(y + row_line(link.row) - to_y)


def _trace(came: dict[State, State | None], state: State | None) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    while state is not None:
        if state[0] not in cells[-1:]:
            cells.append(state[0])
        state = came[state]
    return tuple(reversed(cells))
