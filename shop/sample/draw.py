#!/usr/bin/env python3
"""Draw the pictures of the sample catalog.

A standalone development script: the shop itself never imports it. Every picture is a small flat
illustration, put together below as SVG and saved as a 640 x 640 WebP file named after the product
(``<handle>.webp``, ``<handle>-2.webp`` or ``<handle>-<colour>.webp``). The same script always
draws the same pictures: nothing in it is random.

How to run it, from the root of the repository::

    python -m pip install resvg-py Pillow
    python shop/sample/draw.py              # draw everything into shop/static/sample/
    python shop/sample/draw.py morning-mug  # only the pictures whose name has "morning-mug"
    python shop/sample/draw.py --sheet /tmp/sheet.png   # also save one contact sheet
    python shop/sample/draw.py --check      # draw nothing; compare with catalog.csv

``resvg-py`` renders the SVG, ``Pillow`` writes the WebP.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
CATALOG = HERE / "catalog.csv"
TARGET = HERE.parent / "static" / "sample"
SIZE = 640
QUALITY = 80

# --- colours ---------------------------------------------------------------------------------

PALETTE = {
    # product colours
    "moss": "#6f8158",
    "sage": "#a3b899",
    "fern": "#4f7a55",
    "pine": "#2f5d50",
    "rust": "#c0613a",
    "terracotta": "#d07a55",
    "brick": "#b3473b",
    "red": "#d9534a",
    "blush": "#e9b3a6",
    "plum": "#7c4a67",
    "mustard": "#e0a93b",
    "honey": "#efc25b",
    "sand": "#dcc7a1",
    "oat": "#e9dcc3",
    "cream": "#f7efdf",
    "white": "#fffdf8",
    "sky": "#8fbcd4",
    "teal": "#3f8a8c",
    "ink": "#2e3f5c",
    "navy": "#33476b",
    "denim": "#5b7ba3",
    "slate": "#66747f",
    "stone": "#b9b4a9",
    "charcoal": "#3e4347",
    "black": "#2a2c2e",
    "steel": "#c3cad0",
    "brass": "#c9a14e",
    "wood": "#d3a36b",
    "oak": "#c08f57",
    "walnut": "#85583a",
    "leather": "#a46a3c",
    "straw": "#d9b878",
    "leaf": "#6a9a5b",
    "glass": "#dcecee",
    "water": "#b5d9e2",
    "flame": "#f7a531",
    "glow": "#ffe39a",
    # backgrounds
    "mist": "#dfe8e4",
    "dew": "#e3ecd9",
    "lilac": "#e5dfec",
    "haze": "#dbe6ee",
    "peach": "#fae1d0",
    "butter": "#faeccb",
    "linen": "#f0e8da",
    "rose": "#f6dcd8",
    "mint": "#d6ebe2",
    "fog": "#e6e6e3",
    "night": "#3b4a63",
}


def col(name: str) -> str:
    """The hex value of a palette name; anything else is taken as it is."""
    return PALETTE.get(name, name)


def mix(first: str, second: str, part: float) -> str:
    """A colour ``part`` of the way from the first to the second."""
    one, two = col(first).lstrip("#"), col(second).lstrip("#")
    pairs = [(int(one[i : i + 2], 16), int(two[i : i + 2], 16)) for i in (0, 2, 4)]
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def dark(name: str, part: float = 0.22) -> str:
    """A darker, slightly bluish shade of a colour."""
    return mix(name, "#1d2433", part)


def light(name: str, part: float = 0.3) -> str:
    """A lighter tint of a colour."""
    return mix(name, "#ffffff", part)


# --- SVG pieces ------------------------------------------------------------------------------


def _paint(fill: str, stroke: str, width: float, opacity: float) -> str:
    text = f'fill="{col(fill)}"'
    if stroke:
        text += (
            f' stroke="{col(stroke)}" stroke-width="{width:g}"'
            ' stroke-linecap="round" stroke-linejoin="round"'
        )
    return text + (f' opacity="{opacity:g}"' if opacity < 1 else "")


def path(d: str, fill: str = "none", stroke: str = "", width: float = 6, opacity: float = 1) -> str:
    """A path."""
    return f'<path d="{d}" {_paint(fill, stroke, width, opacity)}/>'


def line(d: str, stroke: str, width: float = 6, opacity: float = 1) -> str:
    """A path that is only stroked."""
    return path(d, "none", stroke, width, opacity)


def rect(
    x: float, y: float, w: float, h: float, fill: str, r: float = 0, opacity: float = 1
) -> str:
    """A rectangle with rounded corners."""
    paint = _paint(fill, "", 0, opacity)
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{r:g}" {paint}/>'


def oval(
    cx: float,
    cy: float,
    rx: float,
    ry: float,
    fill: str,
    stroke: str = "",
    width: float = 6,
    opacity: float = 1,
) -> str:
    """An ellipse."""
    paint = _paint(fill, stroke, width, opacity)
    return f'<ellipse cx="{cx:g}" cy="{cy:g}" rx="{rx:g}" ry="{ry:g}" {paint}/>'


def disc(
    cx: float,
    cy: float,
    r: float,
    fill: str,
    stroke: str = "",
    width: float = 6,
    opacity: float = 1,
) -> str:
    """A circle."""
    return oval(cx, cy, r, r, fill, stroke, width, opacity)


def move(art: str, dx: float = 0, dy: float = 0, scale: float = 1, turn: float = 0) -> str:
    """Shift, scale and turn a drawing about the middle of the picture."""
    how = f"translate({320 + dx:g} {320 + dy:g}) rotate({turn:g}) scale({scale:g})"
    return f'<g transform="{how} translate(-320 -320)">{art}</g>'


def clip(d: str, inside: str) -> str:
    """Show ``inside`` only within the path ``d``."""
    key = f"k{zlib.crc32((d + inside).encode()):08x}"
    return f'<clipPath id="{key}"><path d="{d}"/></clipPath><g clip-path="url(#{key})">{inside}</g>'


def solid(d: str, fill: str, left: float, right: float, extra: str = "") -> str:
    """A filled shape with a light strip on its left and shade on its right."""
    span = right - left
    strips = (
        extra
        + rect(left + span * 0.10, -40, span * 0.09, 720, "#ffffff", opacity=0.22)
        + rect(left + span * 0.70, -40, span * 0.40, 720, "#1d2433", opacity=0.11)
    )
    return path(d, fill) + clip(d, strips)


def shadow(cx: float, cy: float, rx: float, ry: float = 16, opacity: float = 0.26) -> str:
    """A soft shadow on the ground."""
    return (
        f'<ellipse cx="{cx:g}" cy="{cy:g}" rx="{rx:g}" ry="{ry:g}" fill="#1d2433"'
        f' opacity="{opacity:g}" filter="url(#soft)"/>'
    )


def box(x: float, y: float, w: float, h: float, r: float = 0) -> str:
    """The path of a rounded rectangle."""
    return (
        f"M{x + r:g} {y:g} H{x + w - r:g} Q{x + w:g} {y:g} {x + w:g} {y + r:g}"
        f" V{y + h - r:g} Q{x + w:g} {y + h:g} {x + w - r:g} {y + h:g} H{x + r:g}"
        f" Q{x:g} {y + h:g} {x:g} {y + h - r:g} V{y + r:g} Q{x:g} {y:g} {x + r:g} {y:g} Z"
    )


def taper(top: float, bottom: float, y0: float, y1: float, r: float = 20) -> str:
    """The path of a cup seen from the side, ``top`` and ``bottom`` wide, about x = 320."""
    a, b = top / 2, bottom / 2
    return (
        f"M{320 - a:g} {y0:g} H{320 + a:g} L{320 + b:g} {y1 - r:g}"
        f" Q{320 + b:g} {y1:g} {320 + b - r:g} {y1:g} H{320 - b + r:g}"
        f" Q{320 - b:g} {y1:g} {320 - b:g} {y1 - r:g} Z"
    )


def star(cx: float, cy: float, r: float, fill: str, points: int = 5) -> str:
    """A star."""
    at = []
    for i in range(points * 2):
        far = r if i % 2 == 0 else r * 0.45
        angle = math.pi * i / points - math.pi / 2
        at.append(f"{cx + far * math.cos(angle):.1f} {cy + far * math.sin(angle):.1f}")
    return path("M" + " L".join(at) + " Z", fill, fill, r * 0.2)


def flame(x: float, y: float, size: float = 1) -> str:
    """A candle flame whose foot is at (x, y)."""
    s = size
    outer = f"M{x} {y - 62 * s} Q{x + 30 * s} {y - 20 * s} {x} {y} Q{x - 30 * s} {y - 20 * s} {x}"
    inner = f"M{x} {y - 34 * s} Q{x + 14 * s} {y - 12 * s} {x} {y - 2} Q{x - 14 * s} {y - 12 * s}"
    return (
        disc(x, y - 26 * s, 52 * s, "glow", opacity=0.45)
        + path(f"{outer} {y - 62 * s} Z", "flame")
        + path(f"{inner} {x} {y - 34 * s} Z", "#fff3c4")
    )


def steam(x: float, y: float) -> str:
    """Two curls of steam."""
    return "".join(
        line(f"M{x + d} {y} q-22 -30 0 -56 q22 -26 0 -52", "#ffffff", 10, 0.75) for d in (-26, 26)
    )


def leaf(x: float, y: float, length: float, turn: float, fill: str) -> str:
    """A leaf growing from (x, y)."""
    half = length * 0.24
    d = f"M0 0 Q{half:g} {-length / 2:g} 0 {-length:g} Q{-half:g} {-length / 2:g} 0 0 Z"
    vein = line(f"M0 0 V{-length * 0.8:g}", dark(fill, 0.16), 3)
    return f'<g transform="translate({x:g} {y:g}) rotate({turn:g})">{path(d, fill)}{vein}</g>'


# --- backgrounds, one for each brand ---------------------------------------------------------


def _scene(ground: str, back: str, art: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">'
        '<defs><filter id="soft" x="-30%" y="-150%" width="160%" height="400%">'
        '<feGaussianBlur stdDeviation="9"/></filter></defs>'
        f"{rect(0, 0, SIZE, SIZE, ground)}{back}{art}</svg>"
    )


def hills(ground: str, art: str) -> str:
    """Rolling hills: Fernhollow."""
    back = (
        disc(500, 130, 54, light(ground, 0.6))
        + path("M0 420 Q160 330 340 410 T640 380 V640 H0 Z", mix(ground, "fern", 0.16))
        + path("M0 500 Q220 430 420 480 T640 470 V640 H0 Z", mix(ground, "fern", 0.28))
    )
    return _scene(ground, back, art)


def peaks(ground: str, art: str) -> str:
    """A mountain range: Tarnfell."""
    back = (
        path("M-40 520 L170 210 L290 380 L400 250 L680 520 Z", mix(ground, "slate", 0.16))
        + path("M170 210 L214 272 L172 262 L128 272 Z", light(ground, 0.7))
        + rect(0, 490, SIZE, 150, mix(ground, "slate", 0.24))
    )
    return _scene(ground, back, art)


def shelf(ground: str, art: str) -> str:
    """A kitchen shelf: Kettlewick."""
    back = rect(0, 470, SIZE, 170, mix(ground, "wood", 0.42)) + rect(
        0, 470, SIZE, 10, mix(ground, "wood", 0.62)
    )
    return _scene(ground, back, art)


def arch(ground: str, art: str) -> str:
    """An alcove: Ladlemoor."""
    back = path("M110 640 V310 A210 210 0 0 1 530 310 V640 Z", light(ground, 0.55)) + rect(
        0, 500, SIZE, 140, dark(ground, 0.10)
    )
    return _scene(ground, back, art)


def paper(ground: str, art: str) -> str:
    """Squared paper: Quillmere."""
    dots = "".join(
        disc(x, y, 3, dark(ground, 0.16)) for x in range(40, 640, 56) for y in range(40, 640, 56)
    )
    return _scene(ground, dots, art)


def rings(ground: str, art: str) -> str:
    """Rings of light: Lumenby."""
    back = "".join(
        disc(320, 300, r, light(ground, 0.22 + i * 0.13)) for i, r in enumerate((290, 220, 150))
    )
    return _scene(ground, back + rect(0, 520, SIZE, 120, dark(ground, 0.12)), art)


def sun(ground: str, art: str) -> str:
    """A large low sun: Duskwool."""
    back = disc(320, 310, 240, light(ground, 0.5)) + rect(0, 520, SIZE, 120, dark(ground, 0.08))
    return _scene(ground, back, art)


def party(ground: str, art: str) -> str:
    """Scattered shapes: Pipkin Row."""
    tone = ("red", "sky", "mustard", "leaf", "plum")
    back = ""
    for i in range(18):
        x, y = 30 + (i * 211) % 600, 34 + (i * 137) % 430
        fill = mix(ground, tone[i % 5], 0.3)
        back += disc(x, y, 11, fill) if i % 3 else rect(x - 10, y - 10, 20, 20, fill, 4)
    return _scene(ground, back + rect(0, 505, SIZE, 135, dark(ground, 0.10)), art)


def comb(ground: str, art: str) -> str:
    """Honeycomb cells: Hivenell."""
    back = ""
    for cx, cy in ((90, 90), (194, 90), (142, 180), (38, 180), (550, 130), (498, 40), (602, 40)):
        at = [
            f"{cx + 54 * math.sin(math.pi * k / 3):.1f} {cy + 54 * math.cos(math.pi * k / 3):.1f}"
            for k in range(6)
        ]
        back += path("M" + " L".join(at) + " Z", mix(ground, "honey", 0.42))
    return _scene(ground, back + rect(0, 500, SIZE, 140, mix(ground, "honey", 0.5)), art)


def wall(ground: str, art: str) -> str:
    """A panelled wall and floor: Rushgate."""
    back = "".join(rect(x, 0, 40, 500, light(ground, 0.32)) for x in range(20, 640, 80))
    return _scene(ground, back + rect(0, 500, SIZE, 140, dark(ground, 0.14)), art)


# --- second pictures -------------------------------------------------------------------------


def close(art: str, x: float = 320, y: float = 300, scale: float = 1.75) -> str:
    """A detail: the drawing enlarged about (x, y)."""
    return f'<g transform="translate(320 320) scale({scale}) translate({-x} {-y})">{art}</g>'


def pair(first: str, second: str, gap: float = 140, scale: float = 0.66) -> str:
    """Two drawings side by side on the same ground."""
    drop = (1 - scale) * 190
    return move(first, -gap, drop - 26, scale) + move(second, gap, drop + 14, scale)


def trio(first: str, second: str, third: str, scale: float = 0.54) -> str:
    """Three drawings, the middle one in front."""
    drop = (1 - scale) * 190
    return (
        move(first, -180, drop - 30, scale)
        + move(third, 180, drop - 30, scale)
        + move(second, 0, drop + 30, scale)
    )


# --- outdoor ---------------------------------------------------------------------------------


def tent(a: str, b: str = "cream") -> str:
    """A two-person ridge tent."""
    return (
        shadow(335, 505, 260)
        + line("M292 172 L60 470 M486 206 L608 470", mix(a, "cream", 0.5), 4)
        + path("M292 170 L486 204 L590 492 L408 508 Z", dark(a, 0.2))
        + path("M389 187 L502 500 L486 502 L373 184 Z", dark(a, 0.32))
        + path("M292 170 L96 500 L408 508 Z", a)
        + path("M292 196 L204 503 L352 507 Z", dark(a, 0.62))
        + path("M292 196 L204 503 L250 504 Q300 380 292 196 Z", b)
        + path("M292 170 L96 500 L112 500 L292 196 Z", light(a, 0.25))
        + line("M292 160 V176", "charcoal", 8)
    )


def tunnel(a: str, b: str = "cream") -> str:
    """A family tunnel tent."""
    hull = "M60 500 Q66 250 220 226 H440 Q580 250 588 500 Z"
    bands = "".join(
        line(f"M{x} 226 Q{x + d} 340 {x + d} 500", dark(a, 0.25), 7)
        for x, d in ((300, 36), (440, 60))
    )
    return (
        shadow(325, 506, 275)
        + solid(hull, a, 60, 588, bands)
        + path("M60 500 Q66 250 220 226 Q300 300 306 500 Z", light(a, 0.22))
        + path("M112 500 Q118 320 206 296 Q262 350 266 500 Z", dark(a, 0.6))
        + path("M112 500 Q118 320 206 296 Q150 380 152 500 Z", b)
        + path("M392 330 h66 q14 40 18 76 h-76 Z", b)
        + line("M400 368 h72", dark(a, 0.25), 4)
        + line("M220 226 L30 486 M440 226 L624 486", mix(a, "white", 0.6), 4)
    )


def tarp(a: str, b: str = "walnut") -> str:
    """A tarp stretched between two trees."""
    trees = "".join(
        rect(x, 70, 26, 430, b, 8) + rect(x + 16, 70, 10, 430, dark(b), 5) for x in (84, 530)
    )
    return (
        shadow(320, 506, 250)
        + trees
        + line("M108 170 L534 170 M120 380 L60 500 M520 380 L584 500", "cream", 5)
        + path("M150 170 H490 L540 390 Q430 352 320 376 Q210 400 100 384 Z", a)
        + path("M150 170 H490 L496 198 H143 Z", light(a, 0.25))
        + line("M320 172 V374", dark(a, 0.2), 4)
        + disc(106, 382, 8, "brass")
        + disc(534, 386, 8, "brass")
        + rect(236, 470, 168, 30, "mustard", 14)
        + disc(240, 478, 24, dark("mustard", 0.1))
        + disc(240, 478, 11, "mustard")
    )


def mummy(a: str, b: str = "mustard") -> str:
    """A mummy sleeping bag."""
    d = (
        "M320 70 Q420 80 430 190 Q446 260 430 350 Q414 480 384 542 Q350 572 320 572"
        " Q290 572 256 542 Q226 480 210 350 Q194 260 210 190 Q220 80 320 70 Z"
    )
    quilt = "".join(
        line(f"M190 {y} Q320 {y + 40} 450 {y}", dark(a, 0.16), 5) for y in range(250, 560, 52)
    )
    return (
        shadow(330, 330, 150, 220, 0.2)
        + solid(d, a, 204, 436, quilt)
        + oval(320, 166, 76, 62, dark(b, 0.25))
        + oval(320, 178, 66, 48, b)
        + line("M262 206 q58 34 116 0", dark(b, 0.2), 5)
        + line("M392 214 Q400 380 366 520", light(a, 0.5), 5)
        + disc(392, 216, 8, b)
    )


def matroll(a: str, b: str = "charcoal") -> str:
    """A rolled foam mat."""
    spiral = "".join(disc(200, 400, r, "none", dark(a, 0.28), 5) for r in (84, 62, 40, 18))
    return (
        shadow(340, 506, 230)
        + path("M200 300 H500 Q560 300 560 400 T500 500 H200 Z", a)
        + path("M200 440 H550 Q536 500 500 500 H200 Z", dark(a, 0.18))
        + path("M200 320 H520 V338 H200 Z", light(a, 0.35))
        + path("M330 300 h26 v200 h-26 Z M440 300 h26 v200 h-26 Z", b)
        + rect(326, 380, 34, 26, "brass", 5)
        + rect(436, 380, 34, 26, "brass", 5)
        + disc(200, 400, 100, light(a, 0.2))
        + spiral
    )


PILLOW = (
    "M120 250 Q320 210 520 250 Q548 252 546 282 Q532 380 546 466 Q548 496 520 496"
    " Q320 526 120 496 Q92 496 94 466 Q108 380 94 282 Q92 252 120 250 Z"
)


def camppillow(a: str, b: str = "mustard") -> str:
    """A camp pillow and its stuff sack."""
    sack = "M430 400 q52 -24 104 0 q34 66 6 132 q-58 20 -116 0 q-28 -66 6 -132 Z"
    return (
        shadow(320, 524, 240)
        + move(
            solid(PILLOW, a, 94, 546, line("M130 280 Q320 246 510 280", light(a, 0.4), 6)),
            -40,
            -30,
            0.9,
        )
        + solid(sack, b, 410, 556)
        + path("M438 404 q44 -52 88 0 q-44 16 -88 0 Z", dark(b, 0.15))
        + line("M430 410 q52 18 104 0", "charcoal", 6)
        + line("M500 416 q10 40 24 46", "charcoal", 5)
    )


def lantern(a: str, b: str = "glow") -> str:
    """A camping lantern."""
    return (
        shadow(320, 530, 130)
        + line("M222 250 Q220 80 320 80 T418 250", dark(a, 0.4), 12)
        + disc(320, 340, 190, b, opacity=0.28)
        + path("M256 170 H384 L404 232 H236 Z", a)
        + rect(290, 146, 60, 30, dark(a), 10)
        + rect(244, 232, 152, 190, light(b, 0.35), 14)
        + rect(278, 250, 84, 160, b, 40)
        + rect(304, 270, 32, 126, "white", 16)
        + line("M262 234 V420 M378 234 V420", dark(a, 0.35), 8)
        + solid(taper(196, 220, 416, 526, 22), a, 210, 430)
        + disc(320, 474, 20, "cream")
        + disc(320, 474, 10, dark(a, 0.4))
    )


def fairy(a: str = "charcoal", b: str = "glow") -> str:
    """A string of small lights with its reel."""
    cable = "M-20 150 Q140 330 320 220 T660 170"
    at = ((64, 222), (150, 262), (240, 252), (330, 216), (430, 172), (524, 152))
    bulbs = "".join(
        disc(x, y + 40, 50, b, opacity=0.35)
        + rect(x - 10, y - 4, 20, 24, a, 5)
        + path(f"M{x - 10} {y + 20} q-16 22 -8 40 q18 22 36 0 q8 -18 -8 -40 Z", b)
        + disc(x - 4, y + 42, 7, "white")
        for x, y in at
    )
    reel = (
        shadow(320, 520, 130)
        + disc(320, 430, 92, "mustard")
        + disc(320, 430, 72, dark("mustard", 0.3))
        + "".join(disc(320, 430, r, "none", a, 6) for r in (64, 52, 40))
        + disc(320, 430, 30, "mustard")
        + disc(320, 430, 11, dark("mustard", 0.3))
    )
    return line(cable, a, 7) + bulbs + reel


def torch(a: str, b: str = "glow") -> str:
    """A pocket torch, switched on."""
    art = (
        path("M470 250 L720 120 V520 L470 390 Z", b, opacity=0.5)
        + path("M470 276 L720 210 V430 L470 364 Z", "white", opacity=0.5)
        + solid(box(110, 276, 270, 88, 22), a, 60, 420)
        + "".join(rect(x, 276, 8, 88, dark(a, 0.25)) for x in range(150, 250, 22))
        + path(
            "M372 276 L416 246 H462 Q474 246 474 258 V382 Q474 394 462 394 H416 L372 364 Z",
            dark(a, 0.2),
        )
        + rect(452, 252, 22, 136, "steel", 8)
        + rect(288, 262, 54, 24, "brick", 10)
        + line("M112 320 q-50 0 -46 52 q6 46 34 60", "leather", 7)
    )
    return shadow(270, 470, 190) + move(art, 0, 0, 1, -14)


def headtorch(a: str, b: str = "charcoal") -> str:
    """A head torch."""
    return (
        shadow(320, 510, 190)
        + oval(320, 330, 210, 150, "none", dark(a, 0.35), 44)
        + path("M116 366 Q120 482 320 482 T524 366", "none", a, 46)
        + line("M118 372 Q126 480 320 480 T522 372", light(a, 0.45), 5)
        + rect(216, 398, 208, 128, b, 30)
        + rect(228, 408, 184, 46, light(b, 0.16), 20)
        + disc(290, 462, 46, "steel")
        + disc(290, 462, 36, "glow")
        + disc(280, 452, 12, "white")
        + disc(376, 462, 22, "brick")
        + rect(296, 386, 48, 20, "mustard", 8)
    )


def stove(a: str = "steel") -> str:
    """A pocket twig stove with a small fire."""
    holes = "".join(disc(x, 470, 12, dark(a, 0.6)) for x in (250, 296, 344, 390))
    slots = "".join(disc(x, 430, 8, dark(a, 0.5)) for x in (262, 301, 339, 378))
    return (
        shadow(320, 532, 150)
        + line("M150 262 L330 330 M470 236 L330 330", "walnut", 18)
        + path(
            "M320 110 Q420 230 392 300 Q370 340 320 340 Q268 340 248 296 Q232 246 276 200"
            " Q284 240 300 244 Q290 176 320 110 Z",
            "flame",
        )
        + path(
            "M322 200 Q370 270 350 310 Q336 334 318 334 Q290 330 284 302 Q282 270 322 200 Z",
            "#fff0b8",
        )
        + solid(taper(196, 240, 316, 528, 10), a, 200, 440, slots + holes)
        + rect(262, 490, 116, 38, dark(a, 0.65), 6)
        + rect(214, 306, 212, 20, dark(a, 0.2), 6)
        + rect(232, 292, 16, 24, dark(a, 0.2), 3)
        + rect(392, 292, 16, 24, dark(a, 0.2), 3)
    )


def billy(a: str = "steel", b: str = "walnut") -> str:
    """Two nesting camp pots."""

    def pot(w: float, top: float, foot: float) -> str:
        return solid(taper(w, w - 8, top, foot, 26), a, 320 - w / 2, 320 + w / 2) + rect(
            320 - w / 2 - 8, top - 8, w + 16, 18, light(a, 0.3), 9
        )

    return (
        shadow(330, 524, 220)
        + line("M130 300 Q130 110 250 110 T370 300", dark(a, 0.4), 8)
        + rect(212, 96, 76, 24, b, 12)
        + move(pot(250, 300, 520), -70)
        + rect(146, 262, 208, 34, dark(a, 0.12), 14)
        + disc(250, 250, 16, b)
        + line("M392 420 Q400 300 462 300 T532 420", dark(a, 0.4), 7)
        + move(pot(170, 410, 526), 142)
    )


def cutlery(a: str, b: str = "steel") -> str:
    """A fork, a knife and a spoon."""
    handles = "".join(
        solid(box(x - 22, 356, 44, 190, 20), a, x - 22, x + 22) + disc(x, 518, 7, "cream")
        for x in (190, 320, 450)
    )
    fork = path(
        "M178 380 V270 Q142 250 142 200 V110 h18 v82 h18 v-82 h24 v82 h18 v-82 h18 v90"
        " Q238 250 202 270 V380 Z",
        b,
    )
    knife = path("M306 380 V110 Q358 130 356 270 V380 Z", b)
    spoon = path(
        "M438 380 V250 Q396 230 398 176 Q402 104 450 104 T502 176 Q504 230 462 250 V380 Z", b
    )
    gleam = oval(450, 172, 26, 44, dark(b, 0.12)) + path("M318 130 V360 h8 V140 Z", light(b, 0.5))
    return shadow(320, 556, 190) + fork + knife + spoon + gleam + handles


def backpack(a: str, b: str = "leather") -> str:
    """A day pack."""
    body = "M196 230 Q196 110 320 110 T444 230 V488 Q444 530 402 530 H238 Q196 530 196 488 Z"
    return (
        shadow(320, 534, 170)
        + line("M278 118 Q278 70 320 70 T362 118", dark(a, 0.35), 14)
        + path("M200 250 Q142 290 150 430 Q156 490 200 500 Z", dark(a, 0.3))
        + path("M440 250 Q498 290 490 430 Q484 490 440 500 Z", dark(a, 0.38))
        + solid(body, a, 196, 444)
        + line("M222 246 Q226 158 320 156 T418 246", dark(a, 0.28), 6)
        + solid(box(230, 356, 180, 148, 26), light(a, 0.12), 230, 410)
        + line("M246 388 H394", dark(a, 0.35), 6)
        + rect(384, 384, 10, 34, b, 4)
        + rect(276, 222, 88, 62, b, 8)
        + line("M286 253 H354", dark(b, 0.3), 4)
        + rect(304, 240, 32, 26, light(b, 0.5), 4)
    )


def trekpack(a: str, b: str = "mustard") -> str:
    """A large trekking pack."""
    return (
        shadow(320, 548, 170)
        + rect(200, 70, 240, 66, b, 32)
        + disc(212, 103, 33, dark(b, 0.15))
        + disc(212, 103, 16, b)
        + path("M204 280 Q152 300 158 420 V480 Q170 510 206 506 Z", dark(a, 0.3))
        + path("M436 280 Q488 300 482 420 V480 Q470 510 434 506 Z", dark(a, 0.38))
        + solid(box(200, 190, 240, 350, 44), a, 200, 440)
        + solid(
            "M190 226 Q190 128 320 128 T450 226 Q450 254 420 254 H220 Q190 254 190 226 Z",
            dark(a, 0.14),
            190,
            450,
        )
        + line("M258 150 V330 M382 150 V330", "charcoal", 12)
        + rect(244, 300, 28, 34, "cream", 6)
        + rect(368, 300, 28, 34, "cream", 6)
        + solid(box(240, 356, 160, 150, 26), light(a, 0.14), 240, 400)
        + line("M256 392 H384", dark(a, 0.35), 6)
        + line("M286 420 l68 56 M354 420 l-68 56", b, 5)
    )


def rolltop(a: str, b: str = "leather") -> str:
    """A roll-top pack."""
    return (
        shadow(320, 540, 160)
        + path("M206 280 Q158 320 166 440 Q172 490 206 500 Z", dark(a, 0.3))
        + path("M434 280 Q482 320 474 440 Q468 490 434 500 Z", dark(a, 0.36))
        + solid(
            "M212 150 H428 Q442 300 442 500 Q442 534 408 534 H232 Q198 534 198 500"
            " Q198 300 212 150 Z",
            a,
            198,
            442,
        )
        + rect(200, 108, 240, 56, dark(a, 0.18), 26)
        + line("M216 136 H424", light(a, 0.25), 5)
        + rect(308, 96, 26, 236, b, 6)
        + rect(298, 270, 46, 42, "brass", 8)
        + rect(308, 280, 26, 22, b, 3)
        + solid(box(234, 372, 172, 128, 14), light(a, 0.12), 234, 406)
        + path("M234 386 Q234 372 248 372 H392 Q406 372 406 386 V414 H234 Z", dark(a, 0.15))
    )


def kidpack(a: str, b: str = "cream") -> str:
    """A small child's pack with a fox face."""
    return (
        shadow(320, 524, 150)
        + line("M284 176 Q284 126 320 126 T356 176", dark(a, 0.35), 13)
        + path("M206 200 L214 112 L288 168 Z", a)
        + path("M434 200 L426 112 L352 168 Z", a)
        + path("M222 180 L226 138 L262 166 Z", "blush")
        + path("M418 180 L414 138 L378 166 Z", "blush")
        + path("M196 300 Q150 330 160 440 Q168 480 206 480 Z", dark(a, 0.3))
        + path("M444 300 Q490 330 480 440 Q472 480 434 480 Z", dark(a, 0.36))
        + solid(
            "M190 280 Q190 158 320 158 T450 280 V470 Q450 520 400 520 H240 Q190 520 190 470 Z",
            a,
            190,
            450,
        )
        + path(
            "M190 300 Q250 290 320 372 Q390 290 450 300 V470 Q450 520 400 520 H240"
            " Q190 520 190 470 Z",
            b,
        )
        + disc(254, 282, 14, "charcoal")
        + disc(386, 282, 14, "charcoal")
        + oval(320, 366, 22, 17, "charcoal")
        + line("M236 440 H404", dark(b, 0.3), 6)
        + rect(392, 436, 10, 32, a, 4)
    )


def drybag(a: str, b: str = "charcoal") -> str:
    """A roll-top dry bag."""
    return (
        shadow(320, 544, 130)
        + line("M232 186 Q320 40 408 186", b, 14)
        + rect(296, 92, 48, 34, dark(a, 0.4), 8)
        + solid(
            "M226 210 H414 Q432 360 424 512 Q420 542 390 542 H250 Q220 542 216 512"
            " Q208 360 226 210 Z",
            a,
            212,
            428,
        )
        + rect(218, 168, 204, 56, dark(a, 0.16), 22)
        + line("M232 196 H408", light(a, 0.3), 5)
        + rect(300, 300, 40, 180, light(a, 0.45), 20)
        + rect(312, 380, 16, 88, dark(a, 0.3), 8)
    )


def washbag(a: str, b: str = "leather") -> str:
    """A boxy wash bag."""
    return (
        shadow(320, 500, 220)
        + solid(
            "M120 300 Q120 250 180 244 H460 Q520 250 520 300 V454 Q520 494 480 494 H160"
            " Q120 494 120 454 Z",
            a,
            120,
            520,
        )
        + path("M120 300 Q120 250 180 244 H460 Q520 250 520 300 V316 H120 Z", light(a, 0.2))
        + line("M136 304 H504", "brass", 8)
        + line("M136 304 H504", dark("brass", 0.3), 2)
        + rect(480, 296, 44, 18, b, 8)
        + path("M96 330 h44 v76 h-44 q-20 -38 0 -76 Z", b)
        + rect(280, 390, 80, 48, b, 6)
        + line("M292 414 H348", dark(b, 0.3), 4)
    )


def tote(a: str, b: str = "leather") -> str:
    """A canvas tote."""
    return (
        shadow(320, 530, 180)
        + line("M236 290 Q224 90 320 90 T404 290", dark(b, 0.25), 18)
        + solid("M158 230 H482 L506 490 Q508 528 468 528 H172 Q132 528 134 490 Z", a, 134, 506)
        + path("M146 398 H498 L506 490 Q508 528 468 528 H172 Q132 528 134 490 Z", dark(a, 0.25))
        + line("M236 300 Q228 130 320 130 T404 300", b, 18)
        + rect(222, 290, 30, 80, b, 6)
        + rect(390, 290, 30, 80, b, 6)
        + disc(237, 310, 6, "brass")
        + disc(405, 310, 6, "brass")
        + line("M158 244 H482", light(a, 0.35), 5)
    )


# --- drinkware -------------------------------------------------------------------------------


def enamel(a: str, b: str = "ink") -> str:
    """A speckled enamel mug."""
    specks = "".join(
        disc(206 + (i * 67) % 216, 252 + (i * 101) % 250, 3 + i % 3, light(a, 0.6))
        for i in range(26)
    )
    return (
        shadow(330, 516, 170)
        + path("M424 290 Q540 280 534 376 Q524 462 416 452", "none", dark(a, 0.1), 24)
        + solid(taper(248, 228, 226, 512, 18), a, 196, 444, specks)
        + oval(320, 226, 128, 26, b)
        + oval(320, 226, 116, 20, light(a, 0.75))
        + oval(320, 232, 104, 14, dark(a, 0.1))
    )


def mug(a: str, b: str = "sand", wide: float = 236) -> str:
    """A stoneware mug with an unglazed foot."""
    half = wide / 2
    return (
        steam(320, 190)
        + shadow(340, 516, half + 50)
        + path(
            f"M{320 + half - 10} 292 Q{320 + half + 106} 280 {320 + half + 100} 372"
            f" Q{320 + half + 88} 448 {320 + half - 20} 446",
            "none",
            dark(a, 0.14),
            30,
        )
        + solid(
            f"M{320 - half} 230 H{320 + half} V430 Q{320 + half} 512 {320 + half - 74} 512"
            f" H{320 - half + 74} Q{320 - half} 512 {320 - half} 430 Z",
            a,
            320 - half,
            320 + half,
            rect(0, 468, 640, 60, b) + line("M60 466 q60 -16 130 0 t130 0 t130 0 t130 0", a, 14),
        )
        + oval(320, 230, half, 26, light(a, 0.25))
        + oval(320, 234, half - 14, 18, "#6b4630")
    )


def espresso(a: str, b: str = "cream", c: str = "terracotta", d: str = "ink") -> str:
    """Four small cups, stacked two and two."""

    def cup(x: float, y: float, tone: str) -> str:
        art = (
            path("M388 380 q60 -4 54 44 q-8 40 -66 34", "none", dark(tone, 0.12), 16)
            + solid(taper(146, 108, 356, 500, 34), tone, 247, 393)
            + oval(320, 356, 73, 15, light(tone, 0.3))
            + oval(320, 358, 62, 10, dark(tone, 0.35))
        )
        return move(art, x, y)

    return (
        shadow(320, 520, 220)
        + cup(-130, 10, a)
        + cup(-130, -116, b)
        + cup(100, 10, c)
        + cup(100, -116, d)
    )


def tumbler(a: str, b: str = "leather") -> str:
    """A travel cup with a lid and a sleeve."""
    return (
        shadow(320, 536, 130)
        + solid(
            taper(220, 150, 180, 534, 20),
            a,
            216,
            424,
            rect(0, 290, 640, 120, b)
            + rect(0, 290, 640, 6, dark(b, 0.2))
            + rect(0, 404, 640, 6, dark(b, 0.2)),
        )
        + rect(200, 150, 240, 42, dark(a, 0.35), 14)
        + path("M220 152 Q224 110 256 110 H384 Q416 110 420 152 Z", dark(a, 0.28))
        + rect(340, 100, 46, 18, dark(a, 0.5), 8)
    )


def bottle(a: str, b: str = "charcoal", short: bool = False) -> str:
    """An insulated bottle."""
    top = 250 if short else 196
    return (
        shadow(320, 556, 110)
        + line(f"M276 {top - 90} Q276 {top - 150} 320 {top - 150} T364 {top - 90}", b, 16)
        + rect(264, top - 100, 112, 74, b, 16)
        + rect(264, top - 66, 112, 8, light(b, 0.25))
        + solid(
            f"M278 {top - 30} H362 Q364 {top} 392 {top + 26} Q412 {top + 46} 412 {top + 80}"
            f" V520 Q412 552 380 552 H260 Q228 552 228 520 V{top + 80}"
            f" Q228 {top + 46} 248 {top + 26} Q276 {top} 278 {top - 30} Z",
            a,
            228,
            412,
        )
        + rect(228, 524, 184, 28, dark(a, 0.3), 14)
        + path("M320 372 q34 42 0 66 q-34 -24 0 -66 Z", light(a, 0.6))
    )


def kidbottle(a: str, b: str = "mustard") -> str:
    """A child's bottle with a straw lid and stars."""
    stars = star(280, 380, 24, b) + star(362, 440, 20, "white") + star(286, 486, 17, "white")
    return (
        shadow(320, 552, 110)
        + path("M330 140 Q330 92 384 92", "none", light(b, 0.3), 20)
        + line("M236 224 Q176 150 262 132", dark(b, 0.2), 14)
        + path("M244 236 Q244 148 320 148 T396 236 Z", b)
        + rect(232, 228, 176, 40, dark(b, 0.2), 12)
        + solid(box(226, 262, 188, 286, 44), a, 226, 414, stars + star(360, 326, 15, "white"))
    )


def flask(a: str, b: str = "steel") -> str:
    """A vacuum flask with a cup lid."""
    return (
        shadow(335, 558, 130)
        + path("M398 270 q84 0 80 70 v60 q-4 66 -84 62", "none", "charcoal", 22)
        + solid(box(222, 190, 196, 364, 26), a, 222, 418)
        + rect(222, 190, 196, 20, b)
        + rect(222, 520, 196, 34, b, 14)
        + solid("M240 96 Q240 80 260 80 H380 Q400 80 400 96 L412 190 H228 Z", b, 228, 412)
        + rect(270, 330, 100, 60, light(a, 0.2), 8)
        + line("M286 372 l24 -28 l16 18 l12 -12 l20 22", "cream", 5)
    )


def carafe(a: str = "glass", b: str = "oak") -> str:
    """A glass carafe of water with a tumbler."""
    body = (
        "M270 150 H370 Q372 240 400 300 Q440 360 440 450 Q440 540 350 540 H290"
        " Q200 540 200 450 Q200 360 240 300 Q268 240 270 150 Z"
    )
    cup = "M440 400 H556 L546 520 Q544 540 524 540 H472 Q452 540 450 520 Z"
    return (
        shadow(360, 544, 200)
        + path(body, a, light(a, 0.5), 7, 0.85)
        + clip(body, rect(0, 356, 640, 300, "water") + rect(0, 350, 640, 10, light("water", 0.5)))
        + line("M232 400 Q224 470 252 506", "white", 10, 0.8)
        + path("M266 156 L274 96 Q276 84 290 84 H350 Q364 84 366 96 L374 156 Z", b)
        + line("M282 122 H358", dark(b, 0.2), 4)
        + path(cup, a, light(a, 0.5), 6, 0.9)
        + clip(cup, rect(430, 450, 140, 100, "water"))
        + line("M466 430 L472 504", "white", 7, 0.8)
        + disc(314, 420, 6, "white", opacity=0.8)
        + disc(346, 462, 5, "white", opacity=0.8)
    )


def teapot(a: str, b: str = "oak") -> str:
    """A round teapot."""
    return (
        shadow(320, 514, 210)
        + path("M452 300 Q590 270 580 376 Q566 454 440 448", "none", dark(a, 0.16), 26)
        + path(
            "M200 440 Q120 430 104 330 L72 296 Q66 276 92 278 L140 290 Q160 350 210 356 Z",
            dark(a, 0.1),
        )
        + solid(
            "M170 390 Q170 240 320 240 T470 390 Q470 512 360 512 H280 Q170 512 170 390 Z",
            a,
            170,
            470,
            rect(0, 478, 640, 50, mix(a, "sand", 0.75)),
        )
        + path("M240 262 Q250 206 320 206 T400 262 Q320 282 240 262 Z", light(a, 0.18))
        + solid(box(296, 166, 48, 46, 18), b, 296, 344)
        + line("M238 262 Q320 284 402 262", dark(a, 0.25), 5)
    )


def dripper(a: str, b: str = "glass") -> str:
    """A pour-over coffee cone on its server."""
    jug = "M244 360 H396 Q440 420 440 480 Q440 532 390 532 H250 Q200 532 200 480 Q200 420 244 360 Z"
    return (
        steam(320, 136)
        + shadow(330, 534, 170)
        + path("M426 400 q90 -10 84 54 q-8 50 -80 44", "none", light("sky", 0.2), 18)
        + path(jug, b, light(b, 0.5), 7, 0.9)
        + clip(jug, rect(0, 446, 640, 100, "#5b3a26") + rect(0, 440, 640, 9, "#7b5238"))
        + line("M232 440 Q222 480 240 506", "white", 8, 0.7)
        + path("M214 176 L244 148 H396 L426 176 Z", "white")
        + path("M440 220 q60 0 52 46 q-10 34 -72 28", "none", dark(a, 0.15), 16)
        + solid(
            "M190 176 H450 L370 326 H270 Z",
            a,
            190,
            450,
            "".join(
                line(f"M{x} 170 L{320 + (x - 320) * 0.3:g} 330", dark(a, 0.16), 5)
                for x in range(220, 450, 40)
            ),
        )
        + rect(226, 322, 188, 26, dark(a, 0.12), 12)
        + rect(240, 346, 160, 18, "wood", 6)
    )


def kettle(a: str, b: str = "oak") -> str:
    """A stove-top kettle."""
    return (
        shadow(320, 520, 210)
        + line("M206 262 Q190 100 320 100 T434 262", dark(a, 0.4), 16)
        + rect(262, 82, 116, 34, b, 17)
        + path(
            "M446 380 Q500 360 520 280 L560 262 Q582 262 574 284 Q556 420 452 470 Z", dark(a, 0.2)
        )
        + solid(
            "M196 290 Q210 230 320 230 T444 290 L482 470 Q486 518 440 518 H200 Q154 518 158 470 Z",
            a,
            158,
            482,
        )
        + rect(158, 486, 324, 32, dark(a, 0.22), 14)
        + path("M236 244 Q244 208 320 208 T404 244 Q320 258 236 244 Z", light(a, 0.2))
        + disc(320, 200, 18, b)
    )


def press(a: str = "steel", b: str = "oak") -> str:
    """A cafetiere."""
    glass = box(220, 210, 200, 310, 16)
    return (
        shadow(330, 538, 150)
        + path("M424 260 q94 -6 90 80 v60 q-4 76 -92 70", "none", b, 24)
        + path(glass, "glass", light("glass", 0.5), 6, 0.9)
        + clip(glass, rect(0, 300, 640, 300, "#5b3a26") + rect(0, 294, 640, 12, "#8a6144"))
        + rect(232, 320, 14, 170, "white", 7, 0.35)
        + rect(208, 196, 224, 24, dark(a, 0.1), 8)
        + path("M222 198 Q226 150 320 150 T418 198 Z", a)
        + rect(314, 84, 12, 76, dark(a, 0.25))
        + disc(320, 84, 24, b)
        + rect(208, 410, 224, 16, a, 6)
        + line("M214 200 V530 M426 200 V530", a, 12)
        + rect(206, 512, 228, 24, dark(a, 0.1), 10)
    )


# --- cookware --------------------------------------------------------------------------------


def skillet(a: str = "charcoal", b: str = "mustard") -> str:
    """A skillet from above, with an egg."""
    art = (
        path("M420 356 L594 484 Q616 506 598 526 Q578 544 556 522 L388 420 Z", dark(a, 0.15))
        + oval(582, 506, 15, 10, light("dew", 0.2))
        + disc(280, 280, 200, dark(a, 0.3))
        + disc(280, 280, 192, a)
        + disc(280, 280, 160, dark(a, 0.2))
        + path("M90 300 l-26 -20 l18 -34 Z", a)
        + path(
            "M196 262 Q200 190 274 202 Q352 186 366 258 Q398 330 326 352 Q250 386 214 336"
            " Q180 306 196 262 Z",
            "white",
        )
        + disc(280, 276, 46, b)
        + disc(266, 262, 13, light(b, 0.6))
    )
    return shadow(310, 340, 230, 210, 0.22) + art


def casserole(a: str, b: str = "brass") -> str:
    """A lidded casserole."""
    return (
        shadow(320, 512, 240)
        + path(
            "M140 340 Q74 330 78 376 Q84 414 146 404 Z M500 340 Q566 330 562 376"
            " Q556 414 494 404 Z",
            dark(a, 0.28),
        )
        + solid("M132 300 H508 V440 Q508 510 440 510 H200 Q132 510 132 440 Z", a, 132, 508)
        + line("M140 322 H500", light(a, 0.3), 5)
        + solid(
            "M122 296 Q140 214 320 206 Q500 214 518 296 Q518 306 506 306 H134 Q122 306 122 296 Z",
            light(a, 0.08),
            122,
            518,
        )
        + rect(300, 180, 40, 30, dark(b, 0.2), 6)
        + rect(276, 164, 88, 26, b, 13)
    )


def saucepan(a: str = "steel", b: str = "oak") -> str:
    """A milk pan with a wooden handle."""
    return (
        steam(250, 250)
        + shadow(270, 512, 190)
        + rect(390, 330, 70, 26, dark(a, 0.3), 8)
        + solid(box(440, 322, 176, 40, 20), b, 400, 640)
        + disc(592, 342, 8, dark(b, 0.4))
        + solid("M96 290 H404 V440 Q404 510 336 510 H164 Q96 510 96 440 Z", a, 96, 404)
        + path("M84 276 H112 L100 320 Z", a)
        + oval(250, 290, 154, 26, light(a, 0.4))
        + oval(250, 294, 140, 18, "cream")
    )


def wok(a: str = "charcoal", b: str = "oak") -> str:
    """A wok with vegetables in it."""
    greens = "".join(
        leaf(170 + i * 52, 300, 88 + (i % 3) * 22, -50 + i * 20, ("leaf", "fern", "rust")[i % 3])
        for i in range(6)
    )
    return (
        shadow(300, 508, 190)
        + greens
        + rect(470, 276, 150, 34, b, 17)
        + disc(600, 293, 7, dark(b, 0.4))
        + solid("M90 290 H510 Q496 506 300 506 Q104 506 90 290 Z", a, 90, 510)
        + rect(78, 280, 444, 20, light(a, 0.15), 10)
        + path("M84 290 Q40 286 44 320 Q50 344 96 330 Z", dark(a, 0.2))
    )


def board(a: str = "oak") -> str:
    """A chopping board."""
    grain = "".join(
        line(f"M{x} 90 Q{x + 16} 260 {x - 6} 330 T{x + 4} 560", dark(a, 0.12), 4)
        for x in range(180, 480, 46)
    )
    return (
        shadow(334, 340, 170, 230, 0.24)
        + solid(box(164, 80, 312, 480, 44), a, 164, 476, grain)
        + rect(268, 112, 104, 34, dark("linen", 0.05), 17)
        + line("M268 122 Q272 112 285 112 H355", dark(a, 0.3), 5)
        + disc(270, 420, 54, "red")
        + disc(270, 420, 44, light("red", 0.35))
        + "".join(
            oval(270 + 22 * math.cos(k * 1.26), 420 + 22 * math.sin(k * 1.26), 9, 9, "red")
            for k in range(5)
        )
        + disc(372, 458, 46, "red")
        + disc(372, 458, 37, light("red", 0.35))
        + "".join(
            oval(
                372 + 18 * math.cos(k * 1.26 + 0.5),
                458 + 18 * math.sin(k * 1.26 + 0.5),
                8,
                8,
                "red",
            )
            for k in range(5)
        )
    )


def cheeseboard(a: str = "walnut") -> str:
    """A round serving board with cheese and a knife."""
    return (
        shadow(330, 340, 240, 200, 0.24)
        + rect(290, 40, 60, 130, a, 28)
        + disc(320, 66, 11, light("peach", 0.2))
        + disc(320, 350, 214, a)
        + disc(320, 350, 214, "none", dark(a, 0.2), 8)
        + "".join(
            line(
                f"M{150 + i * 14} {260 + i * 60} Q320 {236 + i * 60} {490 - i * 14} {262 + i * 60}",
                dark(a, 0.12),
                4,
            )
            for i in range(4)
        )
        + path("M210 390 L370 300 Q410 330 402 392 Z", "honey")
        + path("M210 390 H402 V430 H210 Z", dark("honey", 0.12))
        + disc(330, 352, 13, dark("honey", 0.14))
        + disc(366, 374, 9, dark("honey", 0.14))
        + oval(290, 412, 12, 9, dark("honey", 0.25))
        + "".join(
            disc(x, y, 20, "plum") + disc(x - 6, y - 6, 5, light("plum", 0.5))
            for x, y in ((240, 300), (272, 272), (232, 262), (262, 232))
        )
        + move(
            path("M300 180 Q346 200 340 330 L300 330 Z", "steel")
            + rect(304, 326, 32, 130, "oak", 14),
            120,
            60,
            0.75,
            20,
        )
    )


def knife(a: str = "walnut", b: str = "steel") -> str:
    """A cook's knife."""
    art = (
        path("M60 300 Q210 400 392 396 V282 H120 Q80 284 60 300 Z", b)
        + path("M60 300 Q210 400 392 396 V374 Q210 372 60 300 Z", light(b, 0.5))
        + rect(388, 276, 24, 124, dark(b, 0.25), 5)
        + solid("M410 284 H560 Q606 288 606 330 Q604 366 576 362 Q520 340 410 352 Z", a, 400, 640)
        + "".join(disc(x, 316, 8, "brass") for x in (446, 500, 554))
    )
    return shadow(330, 420, 250, 26, 0.2) + move(art, 0, 0, 1, -22)


def spoons(a: str = "oak") -> str:
    """Wooden spoons in a crock."""
    tools = (
        move(
            rect(306, 120, 26, 300, a, 12)
            + oval(319, 116, 48, 70, a)
            + oval(319, 120, 32, 50, dark(a, 0.16)),
            -76,
            20,
            1,
            -14,
        )
        + move(
            rect(308, 110, 26, 300, dark(a, 0.1), 12)
            + path("M282 40 H360 V170 Q360 200 321 200 Q282 200 282 170 Z", dark(a, 0.1))
            + rect(304, 66, 10, 96, dark(a, 0.35), 5)
            + rect(328, 66, 10, 96, dark(a, 0.35), 5),
            4,
            24,
        )
        + move(
            rect(308, 120, 26, 300, light(a, 0.12), 12)
            + path("M276 60 Q372 40 366 130 Q360 190 321 190 Q284 188 276 60 Z", light(a, 0.12)),
            84,
            28,
            1,
            13,
        )
    )
    return (
        shadow(320, 546, 150)
        + tools
        + solid(
            taper(232, 204, 320, 544, 30),
            "cream",
            204,
            436,
            rect(0, 400, 640, 26, "denim") + rect(0, 436, 640, 8, "denim"),
        )
        + rect(196, 308, 248, 30, "white", 15)
    )


def pin(a: str = "wood") -> str:
    """A rolling pin over a rolled-out sheet of dough."""
    art = (
        rect(40, 302, 120, 36, dark(a, 0.25), 18)
        + rect(480, 302, 120, 36, dark(a, 0.25), 18)
        + path(box(130, 268, 380, 104, 22), a)
        + rect(130, 268, 380, 24, light(a, 0.35), 12)
        + rect(130, 338, 380, 34, dark(a, 0.14), 14)
    )
    dough = (
        "M110 330 Q90 190 240 180 Q330 130 440 190 Q570 230 536 360 Q540 500 400 506"
        " Q250 550 170 480 Q100 430 110 330 Z"
    )
    cut = disc(250, 420, 40, dark("cream", 0.14)) + star(400, 430, 36, dark("cream", 0.14))
    return (
        shadow(330, 360, 230, 190, 0.16)
        + path(dough, "cream")
        + cut
        + shadow(330, 350, 200, 24, 0.25)
        + move(art, 0, -20, 1, -24)
    )


def towel(a: str, b: str = "white") -> str:
    """A pair of tea towels on a rail."""

    def one(x: float, low: float, tone: str, stripe: str) -> str:
        d = f"M{x} 150 H{x + 190} V{low} H{x} Z"
        bars = "".join(rect(x, low - 40 - k * 30, 190, 14, stripe) for k in range(3))
        bars += rect(x + 24, 150, 8, 500, stripe) + rect(x + 158, 150, 8, 500, stripe)
        return solid(d, tone, x, x + 190, bars)

    return (
        shadow(330, 330, 210, 180, 0.16)
        + rect(50, 134, 540, 22, "oak", 11)
        + disc(60, 145, 17, dark("oak"))
        + disc(580, 145, 17, dark("oak"))
        + one(112, 470, b, a)
        + one(336, 520, light(a, 0.1), b)
    )


def apron(a: str, b: str = "leather") -> str:
    """A bib apron."""
    return (
        shadow(330, 350, 170, 210, 0.18)
        + line("M256 160 Q250 50 320 50 T384 160", b, 13)
        + line("M168 330 Q100 360 110 450 M472 330 Q540 360 530 450", b, 11)
        + solid(
            "M238 150 H402 Q410 260 480 312 V530 Q480 560 450 560 H190 Q160 560 160 530 V312"
            " Q230 260 238 150 Z",
            a,
            160,
            480,
        )
        + path(box(226, 366, 188, 116, 18), light(a, 0.14), dark(a, 0.25), 4)
        + line("M320 368 V480", dark(a, 0.25), 4)
        + line("M250 172 H390", dark(a, 0.25), 4)
        + disc(252, 166, 9, "brass")
        + disc(388, 166, 9, "brass")
        + rect(238, 340, 12, 90, "oak", 6)
        + oval(244, 336, 17, 24, "oak")
    )


def bowls(a: str, b: str = "sage", c: str = "blush") -> str:
    """A nest of three mixing bowls."""

    def bowl(w: float, y: float, tone: str) -> str:
        h = w / 2
        return (
            solid(
                f"M{320 - h} {y} H{320 + h} Q{320 + h - 10} {y + h * 0.92} {320 + h * 0.35}"
                f" {y + h * 0.92} H{320 - h * 0.35} Q{320 - h + 10} {y + h * 0.92} {320 - h} {y}"
                " Z",
                tone,
                320 - h,
                320 + h,
            )
            + oval(320, y, h, h * 0.13, light(tone, 0.3))
            + oval(320, y + 3, h - 14, h * 0.09, dark(tone, 0.14))
        )

    return (
        shadow(320, 530, 170)
        + bowl(250, 190, c)
        + bowl(340, 240, b)
        + bowl(440, 322, a)
        + rect(240, 518, 160, 14, dark(a, 0.15), 6)
    )


# --- living ----------------------------------------------------------------------------------


def cushion(a: str, b: str = "", kind: str = "plain") -> str:
    """A square cushion, plain, checked or striped."""
    d = (
        "M120 140 Q320 104 520 140 Q540 142 540 162 Q566 320 540 500 Q538 518 520 520"
        " Q320 552 120 520 Q102 518 100 500 Q74 320 100 162 Q100 142 120 140 Z"
    )
    tone = b or light(a, 0.5)
    if kind == "check":
        inside = "".join(rect(x, 60, 44, 520, tone, opacity=0.5) for x in range(96, 560, 96))
        inside += "".join(rect(60, y, 520, 44, tone, opacity=0.5) for y in range(124, 540, 96))
        inside += "".join(line(f"M{x} 60 V600", dark(a, 0.35), 3) for x in range(166, 560, 96))
    elif kind == "stripe":
        inside = "".join(rect(x, 60, 36, 520, tone) for x in range(112, 560, 76))
    else:
        inside = line("M60 300 Q320 270 600 300", dark(a, 0.06), 40)
    buttons = disc(320, 326, 15, dark(a, 0.25)) if kind == "plain" else ""
    return (
        shadow(330, 544, 220)
        + solid(d, a, 84, 556, inside)
        + path(d, "none", dark(a, 0.25), 6)
        + (
            line("M320 326 q40 -50 110 -70 M320 326 q-50 40 -110 50", dark(a, 0.14), 5)
            if kind == "plain"
            else ""
        )
        + buttons
    )


def pouf(a: str, b: str = "cream") -> str:
    """A round floor cushion."""
    ribs = "".join(
        line(f"M320 268 Q{320 + k * 70} 300 {320 + k * 62} 520", dark(a, 0.2), 5)
        for k in range(-3, 4)
    )
    return (
        shadow(320, 512, 240)
        + solid(
            "M110 390 Q110 266 320 262 Q530 266 530 390 Q530 510 320 510 Q110 510 110 390 Z",
            a,
            110,
            530,
            ribs,
        )
        + oval(320, 296, 150, 34, light(a, 0.14), dark(a, 0.2), 4)
        + disc(320, 294, 15, b)
        + path("M500 336 q56 10 44 70", "none", "leather", 14)
    )


def throw(a: str, b: str = "cream") -> str:
    """A folded throw with a fringe."""

    def fold(y: float, tone: str) -> str:
        return solid(
            box(120, y, 400, 78, 36),
            tone,
            120,
            520,
            rect(170, y, 20, 78, b) + rect(206, y, 8, 78, b) + rect(420, y, 20, 78, b),
        )

    fringe = "".join(
        line(f"M{x} 470 q{-6 + x % 13} 24 0 46", light(a, 0.2), 7) for x in range(136, 512, 17)
    )
    return (
        shadow(320, 516, 230)
        + fringe
        + fold(400, a)
        + fold(326, light(a, 0.1))
        + fold(252, a)
        + path(
            "M120 290 Q118 210 200 196 H440 Q520 200 520 290 Q520 300 490 300 Q320 280 150 300"
            " Q120 300 120 290 Z",
            light(a, 0.18),
        )
        + line("M150 262 Q320 236 490 262", b, 8)
    )


def picnic(a: str, b: str = "cream") -> str:
    """A rolled picnic blanket in a carrying strap."""
    checks = "".join(rect(x, 200, 30, 320, b, opacity=0.55) for x in range(120, 560, 66))
    checks += "".join(rect(80, y, 520, 26, b, opacity=0.55) for y in (318, 376, 434))
    return (
        shadow(330, 506, 240)
        + line("M230 320 Q230 130 330 130 T430 320", dark("leather", 0.2), 18)
        + solid("M170 300 H520 Q576 300 576 400 T520 500 H170 Z", a, 80, 600, checks)
        + rect(224, 300, 26, 200, "leather")
        + rect(414, 300, 26, 200, "leather")
        + rect(218, 386, 38, 32, "brass", 5)
        + rect(408, 386, 38, 32, "brass", 5)
        + disc(168, 400, 100, light(a, 0.12))
        + "".join(disc(168, 400, r, "none", mix(a, b, 0.6), 7) for r in (86, 62, 38, 14))
    )


def waffle(a: str, b: str = "") -> str:
    """A stack of waffle blankets."""
    tone = b or dark(a, 0.12)

    def layer(y: float, base: str) -> str:
        grid = "".join(
            line(f"M{x} {y} V{y + 92}", dark(base, 0.12), 4) for x in range(110, 540, 22)
        )
        grid += "".join(line(f"M100 {y + k} H540", dark(base, 0.12), 4) for k in (22, 44, 66))
        return solid(box(104, y, 432, 92, 30), base, 104, 536, grid)

    return (
        shadow(320, 512, 235)
        + layer(420, tone)
        + layer(332, a)
        + layer(244, light(a, 0.15))
        + line("M320 240 V516", "straw", 9)
        + path(
            "M320 240 q-60 -50 -74 -8 q10 30 74 8 q64 22 74 -8 q-14 -42 -74 8 Z", "none", "straw", 8
        )
    )


def mushroom(a: str, b: str = "cream") -> str:
    """A dome-shaped table lamp."""
    return (
        shadow(320, 534, 130)
        + disc(320, 330, 210, "glow", opacity=0.3)
        + solid("M288 290 H352 Q352 440 376 490 H264 Q288 440 288 290 Z", b, 264, 376)
        + solid(
            "M224 520 Q224 484 264 484 H376 Q416 484 416 520 Q416 532 400 532 H240"
            " Q224 532 224 520 Z",
            b,
            224,
            416,
        )
        + oval(320, 312, 130, 20, "glow")
        + solid(
            "M140 306 Q144 130 320 126 Q496 130 500 306 Q500 320 484 320 H156 Q140 320 140 306 Z",
            a,
            140,
            500,
        )
    )


def tablelamp(a: str, b: str = "oat") -> str:
    """A ceramic lamp with a linen shade."""
    return (
        shadow(320, 544, 130)
        + disc(320, 210, 200, "glow", opacity=0.3)
        + rect(308, 290, 24, 60, "brass")
        + solid(
            "M288 346 H352 Q356 366 400 396 Q428 430 408 490 Q394 528 370 540 H270"
            " Q246 528 232 490 Q212 430 240 396 Q284 366 288 346 Z",
            a,
            222,
            418,
            "".join(
                line(f"M200 {y} Q320 {y + 18} 440 {y}", light(a, 0.25), 5) for y in (420, 446, 472)
            ),
        )
        + solid("M222 90 H418 L476 304 H164 Z", b, 164, 476)
        + rect(160, 296, 320, 14, dark(b, 0.14), 7)
        + rect(218, 82, 204, 14, dark(b, 0.14), 7)
        + line("M404 310 V372", "brass", 4)
        + disc(404, 378, 7, "brass")
    )


def globe(a: str = "white", b: str = "oak") -> str:
    """A paper globe lamp on three legs."""
    ribs = "".join(oval(320, 270, 168, abs(r), "none", dark(a, 0.13), 3) for r in (36, 78, 120))
    ribs += line("M152 270 H488", dark(a, 0.13), 3)
    return (
        shadow(320, 546, 150)
        + disc(320, 270, 230, "glow", opacity=0.35)
        + line("M290 424 L220 540 M350 424 L420 540 M320 430 V546", b, 16)
        + rect(262, 418, 116, 20, dark(b, 0.15), 8)
        + solid(
            "M320 102 A168 168 0 0 1 320 438 A168 168 0 0 1 320 102 Z",
            light("glow", 0.55),
            152,
            488,
            ribs,
        )
        + rect(290, 96, 60, 14, b, 7)
    )


def pillars(a: str = "honey") -> str:
    """Three beeswax pillar candles."""

    def one(x: float, top: float, w: float) -> str:
        cells = "".join(
            path(f"M{cx} {cy} l14 8 v16 l-14 8 l-14 -8 v-16 Z", "none", dark(a, 0.13), 3)
            for k, cy in enumerate(range(int(top) + 20, 520, 27))
            for cx in range(int(x - w / 2) + (0 if k % 2 else 15), int(x + w / 2) + 14, 30)
        )
        return (
            flame(x, top - 12)
            + rect(x - 3, top - 24, 6, 24, "charcoal")
            + solid(box(x - w / 2, top, w, 530 - top, 12), a, x - w / 2, x + w / 2, cells)
            + oval(x, top + 6, w / 2, 12, light(a, 0.4))
        )

    return shadow(320, 532, 230) + one(180, 330, 118) + one(322, 200, 118) + one(464, 390, 118)


def jar(a: str, b: str = "cream") -> str:
    """A scented candle in a jar."""
    return (
        shadow(320, 520, 160)
        + flame(320, 236, 1.15)
        + path(box(186, 200, 268, 314, 36), "glass", light("glass", 0.5), 6, 0.8)
        + solid(box(196, 260, 248, 244, 30), b, 196, 444)
        + oval(320, 262, 122, 18, light(b, 0.5))
        + rect(316, 226, 8, 36, "charcoal")
        + path(box(226, 330, 188, 120, 10), a)
        + line("M262 370 H378 M282 394 H358", "cream", 6)
        + disc(320, 424, 9, "cream")
        + rect(204, 220, 14, 250, "white", 7, 0.6)
    )


def tapers(a: str, b: str = "brass") -> str:
    """Two dinner candles in holders."""

    def one(x: float, top: float) -> str:
        return (
            flame(x, top - 8)
            + rect(x - 3, top - 16, 6, 20, "charcoal")
            + solid(
                f"M{x - 14} {top + 6} Q{x} {top - 8} {x + 14} {top + 6} L{x + 22} 470 H{x - 22} Z",
                a,
                x - 22,
                x + 22,
            )
            + rect(x - 32, 456, 64, 42, b, 8)
            + rect(x - 44, 456, 88, 14, light(b, 0.3), 7)
            + solid(
                f"M{x - 84} 516 Q{x - 84} 494 {x - 40} 494 H{x + 40} Q{x + 84} 494 {x + 84} 516"
                f" Q{x + 84} 528 {x + 60} 528 H{x - 60} Q{x - 84} 528 {x - 84} 516 Z",
                b,
                x - 84,
                x + 84,
            )
        )

    return shadow(320, 530, 210) + one(222, 150) + one(424, 196)


def diffuser(a: str, b: str = "leather") -> str:
    """A reed diffuser."""
    reeds = "".join(
        line(f"M320 470 L{x} {y}", "straw", 7)
        for x, y in ((208, 96), (268, 70), (330, 62), (390, 76), (444, 104))
    )
    bottle_d = (
        "M286 250 H354 V300 Q440 316 440 390 V490 Q440 524 406 524 H234 Q200 524 200 490"
        " V390 Q200 316 286 300 Z"
    )
    return (
        shadow(320, 526, 150)
        + reeds
        + path(bottle_d, mix(a, "glass", 0.45), light(a, 0.5), 6, 0.82)
        + clip(bottle_d, rect(0, 410, 640, 200, a, opacity=0.8))
        + rect(278, 236, 84, 26, "brass", 8)
        + path(box(252, 386, 136, 94, 6), "cream")
        + line("M278 420 H362 M292 444 H348", b, 6)
        + rect(214, 366, 12, 120, "white", 6, 0.6)
    )


def basket(a: str = "straw", b: str = "cream") -> str:
    """A woven basket with two handles."""
    d = "M150 260 H490 L456 494 Q452 524 420 524 H220 Q188 524 184 494 Z"
    weave = ""
    for row, y in enumerate(range(266, 530, 30)):
        for x in range(120 + (row % 2) * 26, 520, 52):
            weave += rect(x, y, 40, 22, dark(a, 0.14), 10)
    return (
        shadow(320, 526, 190)
        + path("M180 264 Q180 170 240 170 T300 264", "none", dark(a, 0.3), 18)
        + path("M340 264 Q340 170 400 170 T460 264", "none", dark(a, 0.3), 18)
        + solid(
            d,
            a,
            150,
            490,
            weave
            + rect(0, 420, 640, 120, b)
            + "".join(rect(x, 424, 40, 20, dark(b, 0.08), 10) for x in range(150, 500, 52))
            + "".join(rect(x, 456, 40, 20, dark(b, 0.08), 10) for x in range(124, 500, 52))
            + "".join(rect(x, 488, 40, 20, dark(b, 0.08), 10) for x in range(150, 500, 52)),
        )
        + rect(140, 246, 360, 28, dark(a, 0.18), 14)
    )


def logs(a: str = "oak") -> str:
    """A willow log basket."""

    def log(x: float, y: float, r: float) -> str:
        return (
            disc(x, y, r, "walnut")
            + disc(x, y, r - 9, "sand")
            + disc(x, y, r * 0.42, "none", dark("sand", 0.2), 4)
        )

    d = "M110 330 H530 Q520 520 440 520 H200 Q120 520 110 330 Z"
    weave = "".join(
        line(
            f"M90 {y} q25 -14 50 0 t50 0 t50 0 t50 0 t50 0 t50 0 t50 0 t50 0 t50 0",
            dark(a, 0.25),
            6,
        )
        for y in range(356, 520, 24)
    )
    return (
        shadow(320, 522, 220)
        + path("M130 330 Q140 90 320 90 T510 330", "none", dark(a, 0.3), 24)
        + line("M130 330 Q140 92 320 92", light(a, 0.1), 6)
        + log(210, 300, 54)
        + log(430, 298, 56)
        + log(320, 270, 60)
        + log(266, 330, 40)
        + log(378, 332, 42)
        + solid(d, a, 110, 530, weave)
        + rect(96, 320, 448, 30, dark(a, 0.2), 15)
    )


def crates(a: str, b: str, c: str) -> str:
    """Three stacking crates."""

    def crate(x: float, y: float, tone: str) -> str:
        slots = "".join(
            rect(sx, sy, 34, 54, dark(tone, 0.28), 10)
            for sx in range(int(x) + 24, int(x) + 250, 52)
            for sy in (y + 62,)
        )
        return (
            solid(box(x, y, 280, 150, 16), tone, x, x + 280, slots)
            + rect(x - 8, y, 296, 30, light(tone, 0.15), 10)
            + rect(x + 104, y + 8, 72, 15, dark(tone, 0.35), 7)
        )

    return shadow(320, 526, 240) + crate(92, 372, a) + crate(268, 222, b) + crate(120, 72, c)


def pot(a: str = "terracotta", plant: str = "fern") -> str:
    """A clay pot with a leafy plant."""
    leaves = "".join(
        leaf(320, 340, 180 - abs(t) * 0.7, t, plant if k % 2 else light(plant, 0.2))
        for k, t in enumerate((-78, -52, 76, 50, -26, 28, 0))
    )
    return (
        shadow(320, 536, 150)
        + leaves
        + solid(taper(218, 160, 372, 534, 10), a, 211, 429)
        + solid(box(196, 326, 248, 56, 8), light(a, 0.1), 196, 444)
        + line("M212 384 H428", dark(a, 0.25), 5)
    )


def planter(a: str, b: str = "leaf") -> str:
    """A glazed planter on a saucer with a snake plant."""
    blades = "".join(
        path(
            f"M{x - 22} 360 Q{x + t * 0.4 - 26} 220 {x + t} {y} Q{x + t * 0.4 + 30} 230 {x + 22}"
            " 360 Z",
            tone,
        )
        for x, t, y, tone in (
            (250, -50, 150, dark(b, 0.2)),
            (390, 50, 160, dark(b, 0.2)),
            (290, -16, 84, b),
            (350, 20, 110, light(b, 0.15)),
        )
    )
    return (
        shadow(320, 540, 180)
        + blades
        + solid(
            "M186 340 H454 Q460 440 420 510 H220 Q180 440 186 340 Z",
            a,
            184,
            456,
            line("M170 400 H470 M170 420 H470", light(a, 0.4), 6),
        )
        + rect(176, 326, 288, 28, light(a, 0.16), 14)
        + solid("M170 504 H470 L450 536 H190 Z", dark(a, 0.12), 170, 470)
    )


def can(a: str, b: str = "oak") -> str:
    """A watering can."""
    drops = "".join(
        path(f"M{x} {y} q12 18 0 26 q-12 -8 0 -26 Z", "water")
        for x, y in ((62, 276), (88, 306), (48, 322), (74, 350))
    )
    return (
        shadow(370, 524, 190)
        + path("M290 420 L128 240 L150 224 L300 350 Z", dark(a, 0.15))
        + path("M94 268 L164 202 L176 220 L116 282 Z", dark(a, 0.28))
        + drops
        + path("M500 310 Q610 310 596 410 Q580 486 500 470", "none", b, 20)
        + path("M310 270 Q320 150 400 150 T490 270", "none", dark(a, 0.25), 18)
        + solid("M290 264 H510 V480 Q510 522 468 522 H332 Q290 522 290 480 Z", a, 290, 510)
        + rect(280, 254, 240, 26, light(a, 0.2), 13)
        + path("M376 430 q-6 -60 50 -74 q10 60 -50 74 Z", light(a, 0.4))
    )


# --- desk ------------------------------------------------------------------------------------


def notebook(a: str, b: str = "mustard") -> str:
    """A cloth-bound notebook."""
    return (
        shadow(334, 330, 170, 230, 0.26)
        + rect(186, 92, 300, 470, "cream", 14)
        + line("M480 110 V546 M472 110 V546", dark("cream", 0.14), 3)
        + solid(
            "M164 96 Q164 80 180 80 H450 Q466 80 466 96 V536 Q466 552 450 552 H180"
            " Q164 552 164 536 Z",
            a,
            164,
            466,
        )
        + rect(164, 80, 44, 472, dark(a, 0.16), 12)
        + rect(412, 80, 14, 472, b)
        + path(box(252, 176, 120, 76, 6), "cream")
        + line("M270 204 H354 M284 226 H340", dark(a, 0.1), 5)
        + path("M300 550 v54 l12 -14 l12 14 v-54 Z", b)
    )


def booklets(a: str, b: str, c: str) -> str:
    """Three pocket notebooks, fanned."""

    def one(tone: str) -> str:
        return (
            solid(box(210, 130, 230, 340, 16), tone, 210, 440)
            + line("M232 134 V466", dark(tone, 0.25), 4)
            + path(box(274, 200, 120, 60, 6), "cream")
            + line("M290 230 H378", dark(tone, 0.1), 5)
        )

    return (
        shadow(330, 380, 220, 170, 0.2)
        + move(one(a), -90, 30, 1, -16)
        + move(one(b), 0, 10, 1, 0)
        + move(one(c), 96, 46, 1, 16)
    )


def sketchbook(a: str = "charcoal", b: str = "mustard") -> str:
    """An open sketchbook with a pencil."""
    return (
        shadow(330, 360, 260, 170, 0.22)
        + rect(58, 150, 524, 366, a, 16)
        + path("M320 170 Q200 140 76 166 V496 Q200 474 320 504 Z", "white")
        + path("M320 170 Q440 140 564 166 V496 Q440 474 320 504 Z", "cream")
        + line("M320 170 V504", dark("cream", 0.25), 4)
        + path("M104 430 L180 300 L226 372 L256 330 L300 440 Z", "none", "slate", 6)
        + disc(250, 246, 24, "none", "slate", 6)
        + line("M110 452 q40 -14 80 0 t100 2", "slate", 5)
        + line("M376 236 q60 -40 110 0 t40 70", "sage", 7)
        + line("M370 300 q70 -30 150 30", "blush", 7)
        + move(
            rect(312, 150, 26, 250, b)
            + rect(312, 130, 26, 26, "brick", 8)
            + path("M312 400 H338 L325 446 Z", "sand")
            + path("M320 428 h10 l-5 18 Z", "black"),
            130,
            70,
            0.9,
            34,
        )
    )


def planner(a: str, b: str = "cream") -> str:
    """A ring-bound week planner."""
    rows = ""
    for i in range(7):
        y = 236 + i * 42
        rows += rect(166, y, 34, 30, light(a, 0.2 if i < 5 else 0.55), 6)
        rows += line(f"M216 {y + 26} H474", dark(b, 0.14), 3)
    notes = line("M222 254 H350 M222 338 H410 M222 380 H320", "slate", 6, 0.6)
    loops = "".join(rect(x, 80, 12, 48, "steel", 6) for x in range(170, 480, 38))
    return (
        shadow(332, 340, 190, 220, 0.24)
        + rect(136, 106, 368, 450, dark(a, 0.2), 18)
        + rect(136, 100, 368, 446, b, 18)
        + path("M136 118 Q136 100 154 100 H486 Q504 100 504 118 V196 H136 Z", a)
        + line("M170 160 H300", "cream", 10)
        + rows
        + notes
        + star(446, 348, 17, "mustard")
        + loops
    )


def rollerball(a: str = "brass", b: str = "charcoal") -> str:
    """A metal pen lying beside its cap."""
    art = (
        solid(box(120, 288, 330, 58, 26), a, 60, 520)
        + path("M446 290 L520 306 Q534 317 520 328 L446 344 Z", dark(a, 0.2))
        + rect(524, 311, 24, 12, b, 6)
        + rect(270, 288, 12, 58, dark(a, 0.3))
        + rect(120, 296, 330, 10, light(a, 0.6), 5)
    )
    cap = (
        solid(box(200, 400, 190, 66, 28), a, 160, 430)
        + rect(206, 409, 170, 10, light(a, 0.6), 5)
        + rect(228, 386, 130, 14, dark(a, 0.25), 7)
        + rect(372, 400, 12, 66, dark(a, 0.3))
    )
    return (
        shadow(330, 400, 230, 40, 0.16)
        + line("M70 500 q50 -60 90 0 t90 0 t90 -10 t90 10", "ink", 7)
        + move(art, 0, -60, 1, -24)
        + move(cap, 60, 0, 1, -24)
    )


def fountain(a: str, b: str = "brass") -> str:
    """A fountain pen writing a line."""
    art = (
        rect(296, 20, 48, 40, dark(a, 0.2), 20)
        + solid(box(288, 36, 64, 300, 22), a, 288, 352)
        + rect(288, 196, 64, 14, b)
        + rect(338, 60, 13, 130, b, 6)
        + path("M298 330 H342 L336 410 H304 Z", dark(a, 0.35))
        + path("M300 408 H340 Q344 450 320 510 Q296 450 300 408 Z", b)
        + line("M320 440 V506", dark(b, 0.5), 3)
        + disc(320, 440, 6, dark(b, 0.5))
    )
    return (
        shadow(380, 380, 150, 160, 0.14)
        + line("M70 530 q34 -80 66 0 q26 -60 50 -4 t56 0", a, 8)
        + move(art, 66, 6, 1.05, 28)
    )


def pencils(tones: tuple[str, ...]) -> str:
    """A row of pencils."""
    art = ""
    for i, tone in enumerate(tones):
        x = 320 + (i - (len(tones) - 1) / 2) * 62
        top = 120 + (i % 2) * 28
        art += (
            rect(x - 22, top, 44, 34, "blush", 10)
            + rect(x - 22, top + 26, 44, 26, "brass")
            + solid(
                f"M{x - 22} {top + 52} H{x + 22} V{top + 330} H{x - 22} Z", tone, x - 22, x + 22
            )
            + path(f"M{x - 22} {top + 330} q11 14 22 0 q11 14 22 0 L{x} {top + 404} Z", "sand")
            + path(f"M{x - 7} {top + 382} h14 L{x} {top + 404} Z", dark(tone, 0.3))
        )
    return shadow(330, 340, 220, 200, 0.15) + art


def tin(a: str) -> str:
    """An open tin of coloured pencils."""
    tones = (
        "red",
        "rust",
        "mustard",
        "honey",
        "leaf",
        "fern",
        "teal",
        "sky",
        "denim",
        "plum",
        "blush",
        "walnut",
    )
    row = ""
    for i, tone in enumerate(tones):
        x = 92 + i * 38
        row += (
            rect(x, 356, 30, 148, tone, 3)
            + path(f"M{x} 356 H{x + 30} L{x + 15} 312 Z", "sand")
            + path(f"M{x + 9} 330 H{x + 21} L{x + 15} 310 Z", tone)
        )
    return (
        shadow(320, 530, 260)
        + solid(box(66, 100, 508, 180, 22), a, 66, 574)
        + rect(90, 122, 460, 136, light(a, 0.18), 14)
        + path("M120 250 L210 160 L270 220 L330 150 L430 250 Z", light(a, 0.5))
        + disc(470, 172, 24, "honey")
        + solid(box(66, 282, 508, 246, 22), dark(a, 0.18), 66, 574)
        + rect(82, 298, 476, 214, dark(a, 0.45), 12)
        + row
        + rect(82, 470, 476, 42, a, 10)
    )


def tidy(a: str = "oak") -> str:
    """A desk tidy with pens."""
    return (
        shadow(320, 526, 220)
        + move(
            rect(306, 150, 28, 260, "mustard") + path("M306 152 L320 112 L334 152 Z", "sand"),
            -118,
            20,
            1,
            -8,
        )
        + move(rect(308, 150, 24, 260, "ink", 10) + rect(326, 170, 8, 70, "brass", 4), -76, 6, 1, 6)
        + move(
            rect(306, 150, 28, 260, "red") + path("M306 152 L320 112 L334 152 Z", "sand"),
            -150,
            40,
            1,
            -16,
        )
        + move(
            rect(302, 160, 34, 240, "steel", 4)
            + "".join(rect(302, y, 14, 4, "slate") for y in range(180, 400, 20)),
            118,
            60,
            1,
            8,
        )
        + rect(400, 330, 96, 60, "cream", 4)
        + rect(408, 320, 96, 60, "honey", 4)
        + solid(box(120, 330, 130, 194, 14), a, 120, 250)
        + solid(
            box(240, 372, 290, 152, 14),
            light(a, 0.08),
            240,
            530,
            "".join(
                line(f"M230 {y} q80 -12 160 0 t160 0", dark(a, 0.1), 4) for y in (410, 446, 486)
            ),
        )
        + path(box(282, 440, 206, 62, 10), dark(a, 0.18))
        + disc(385, 470, 12, "brass")
    )


def trays(a: str, b: str = "cream") -> str:
    """Two stacked letter trays."""

    def tray(y: float, tone: str) -> str:
        return (
            path(f"M150 {y} H490 L540 {y + 70} H100 Z", dark(tone, 0.35))
            + path(f"M176 {y - 16} H470 L512 {y + 60} H132 Z", b)
            + line(f"M196 {y + 6} H440 M184 {y + 26} H400", dark(b, 0.2), 5)
            + solid(box(96, y + 62, 448, 62, 14), tone, 96, 544)
            + rect(250, y + 62, 140, 24, dark(tone, 0.35), 12)
        )

    return (
        shadow(320, 522, 240)
        + rect(106, 270, 20, 200, dark(a, 0.25), 8)
        + rect(514, 270, 20, 200, dark(a, 0.25), 8)
        + tray(396, a)
        + tray(220, a)
    )


def deskmat(a: str, b: str = "leather") -> str:
    """A felt desk mat from above, with a mug and a notebook."""
    return (
        shadow(326, 350, 270, 180, 0.2)
        + rect(50, 160, 540, 340, a, 18)
        + path(box(62, 172, 516, 316, 12), "none", light(a, 0.25), 3)
        + rect(50, 440, 540, 60, b, 14)
        + rect(50, 440, 540, 20, b)
        + path(box(110, 220, 250, 160, 8), "cream")
        + line("M136 260 H330 M136 290 H330 M136 320 H270", dark("cream", 0.2), 5)
        + disc(478, 276, 62, dark(a, 0.25), opacity=0.5)
        + disc(470, 268, 58, "white")
        + disc(470, 268, 44, "#6b4630")
        + path("M516 300 q44 30 14 48", "none", "white", 14)
        + rect(380, 372, 140, 14, "mustard", 7)
    )


def armlamp(a: str, b: str = "brass") -> str:
    """A jointed desk lamp."""
    return (
        path("M150 300 L360 220 L420 560 L60 560 Z", "glow", opacity=0.4)
        + shadow(430, 536, 140)
        + line("M430 500 L500 310 L300 160", dark(a, 0.35), 16)
        + disc(500, 310, 19, b)
        + disc(302, 162, 17, b)
        + solid(
            "M316 508 Q316 486 346 486 H514 Q544 486 544 508 V520 Q544 534 528 534 H332"
            " Q316 534 316 520 Z",
            a,
            316,
            544,
        )
        + rect(416, 466, 30, 28, b, 6)
        + move(
            solid(
                "M282 96 H358 Q372 96 376 112 L424 250 H216 L264 112 Q268 96 282 96 Z", a, 216, 424
            )
            + oval(320, 252, 104, 18, "glow")
            + rect(296, 74, 48, 26, b, 8),
            -70,
            52,
            0.95,
            24,
        )
    )


def cliplamp(a: str, b: str = "oak") -> str:
    """A clip-on reading lamp."""
    return (
        path("M180 240 L330 210 L400 470 L90 470 Z", "glow", opacity=0.45)
        + shadow(410, 548, 150)
        + rect(60, 470, 520, 40, b, 8)
        + rect(60, 500, 520, 12, dark(b, 0.25), 6)
        + path("M470 430 Q520 260 400 200 Q340 168 280 190", "none", dark(a, 0.4), 14)
        + solid(box(412, 420, 116, 44, 12), a, 412, 528)
        + path("M424 512 H516 L500 552 H440 Z", a)
        + rect(500, 430, 34, 104, dark(a, 0.25), 14)
        + move(
            solid("M250 190 Q254 100 320 100 T390 190 L404 226 H236 Z", a, 236, 404)
            + oval(320, 228, 84, 15, "glow"),
            -72,
            34,
            1,
            14,
        )
    )


# --- kids ------------------------------------------------------------------------------------


def rainbow(tones: tuple[str, ...]) -> str:
    """A wooden rainbow stacker."""
    art = ""
    for i, tone in enumerate(tones):
        r = 230 - i * 42
        d = (
            f"M{320 - r} 512 A{r} {r} 0 0 1 {320 + r} 512 H{320 + r - 36}"
            f" A{r - 36} {r - 36} 0 0 0 {320 - r + 36} 512 Z"
        )
        art += solid(d, tone, 320 - r, 320 + r)
    return shadow(320, 516, 250) + move(art, 0, 0)


def blocks(tones: tuple[str, ...]) -> str:
    """A small tower of building blocks."""

    def cube(x: float, y: float, tone: str, mark: str) -> str:
        return (
            solid(box(x, y, 116, 116, 12), tone, x, x + 116)
            + path(box(x + 16, y + 16, 84, 84, 8), "none", light(tone, 0.5), 4)
            + mark
        )

    a, b, c, d, e = tones
    return (
        shadow(320, 524, 240)
        + cube(120, 406, a, disc(178, 464, 24, light(a, 0.6)))
        + cube(252, 406, b, star(310, 466, 28, light(b, 0.6)))
        + cube(384, 406, c, rect(420, 442, 44, 44, light(c, 0.6), 6))
        + cube(186, 284, d, path("M244 312 l30 52 h-60 Z", light(d, 0.6)))
        + cube(318, 284, e, disc(376, 342, 24, light(e, 0.6)))
        + solid("M252 280 Q252 176 310 176 T368 280 H338 Q338 216 310 216 T282 280 Z", c, 252, 368)
        + path("M262 176 L310 104 L358 176 Z", a)
        + solid(box(508, 466, 96, 56, 26), d, 508, 604)
    )


def castle(a: str, b: str, c: str) -> str:
    """A castle of wooden blocks."""

    def tower(x: float, top: float) -> str:
        return (
            path(f"M{x - 12} {top} L{x + 50} {top - 110} L{x + 112} {top} Z", b)
            + line(f"M{x + 50} {top - 110} V{top - 146}", "walnut", 6)
            + path(f"M{x + 52} {top - 146} l44 14 l-44 14 Z", c)
            + solid(box(x, top, 100, 520 - top, 6), a, x, x + 100)
            + rect(x + 34, top + 44, 32, 50, dark(a, 0.45), 16)
        )

    battlements = "".join(rect(x, 318, 36, 40, light(a, 0.1), 4) for x in range(214, 420, 58))
    return (
        shadow(320, 524, 240)
        + battlements
        + solid(box(200, 346, 240, 176, 6), light(a, 0.1), 200, 440)
        + path("M272 522 V440 Q272 396 320 396 T368 440 V522 Z", "walnut")
        + line("M304 522 V404 M336 522 V404", dark("walnut", 0.3), 4)
        + tower(110, 260)
        + tower(430, 260)
        + rect(212, 372, 216, 12, c, 4)
    )


def bear(a: str, b: str = "oat") -> str:
    """A soft bear."""
    return (
        shadow(320, 534, 190)
        + oval(200, 500, 62, 44, dark(a, 0.1))
        + oval(440, 500, 62, 44, dark(a, 0.1))
        + oval(200, 502, 34, 24, b)
        + oval(440, 502, 34, 24, b)
        + oval(204, 388, 42, 76, dark(a, 0.08))
        + oval(436, 388, 42, 76, dark(a, 0.08))
        + oval(320, 424, 126, 112, a)
        + oval(320, 434, 78, 76, light(a, 0.28))
        + disc(222, 132, 48, a)
        + disc(418, 132, 48, a)
        + disc(222, 132, 26, b)
        + disc(418, 132, 26, b)
        + oval(320, 212, 136, 120, a)
        + oval(320, 252, 62, 48, b)
        + oval(320, 232, 23, 16, "charcoal")
        + line("M320 246 V266 q-18 20 -34 6 M320 266 q18 20 34 6", "charcoal", 5)
        + disc(266, 196, 13, "charcoal")
        + disc(374, 196, 13, "charcoal")
        + path("M236 318 Q320 356 404 318 L398 350 Q320 384 242 350 Z", "brick")
        + path("M352 340 l52 70 l-40 8 l-34 -64 Z", dark("brick", 0.15))
    )


def rabbit(a: str, b: str = "blush") -> str:
    """A soft rabbit with long ears."""
    return (
        shadow(320, 540, 160)
        + move(oval(320, 140, 40, 116, a) + oval(320, 148, 22, 86, b), -54, 0, 1, -8)
        + move(
            path(
                "M300 250 Q270 60 320 30 Q430 20 420 150 Q400 200 384 140 Q370 90 346 120"
                " Q336 180 352 250 Z",
                a,
            ),
            30,
            10,
        )
        + oval(232, 512, 58, 34, dark(a, 0.08))
        + oval(408, 512, 58, 34, dark(a, 0.08))
        + oval(320, 436, 104, 106, a)
        + oval(320, 450, 64, 70, light(a, 0.4))
        + oval(222, 420, 30, 66, dark(a, 0.06))
        + oval(418, 420, 30, 66, dark(a, 0.06))
        + oval(320, 280, 116, 98, a)
        + oval(256, 306, 22, 14, b)
        + oval(384, 306, 22, 14, b)
        + disc(278, 268, 11, "charcoal")
        + disc(362, 268, 11, "charcoal")
        + path("M306 294 H334 L320 310 Z", "plum")
        + line("M320 310 q-12 20 -26 10 M320 310 q12 20 26 10", "plum", 5)
        + path(
            "M250 364 Q320 398 390 364 Q394 384 384 392 Q320 416 256 392 Q246 384 250 364 Z", "sage"
        )
    )


def whale(a: str, b: str = "cream") -> str:
    """A soft whale."""
    body = (
        "M90 380 Q90 230 270 226 Q420 226 470 330 Q500 372 540 330 Q500 290 520 226"
        " Q560 240 574 280 Q606 250 620 300 Q606 340 580 350 Q560 510 320 516"
        " Q110 516 90 380 Z"
    )
    belly = path("M80 420 Q240 470 470 440 Q440 540 300 540 Q120 540 80 420 Z", b) + "".join(
        line(
            f"M{120 + k * 12} {452 + k * 16} Q280 {494 + k * 12} 440 {464 + k * 12}",
            dark(b, 0.14),
            4,
        )
        for k in range(4)
    )
    return (
        shadow(320, 520, 230)
        + solid(body, a, 40, 640, belly)
        + disc(190, 366, 14, "charcoal")
        + disc(186, 361, 4, "white")
        + oval(160, 404, 20, 12, "blush")
        + path("M290 440 Q360 450 366 520 Q300 530 276 476 Z", dark(a, 0.18))
        + line(
            "M250 200 Q250 150 210 140 M258 200 Q258 120 258 116 M266 200 Q268 150 308 140",
            "sky",
            9,
        )
    )


def wheel(x: float, y: float, r: float, tone: str) -> str:
    """A wooden wheel."""
    return (
        disc(x, y, r, tone)
        + disc(x, y, r * 0.62, light(tone, 0.25))
        + disc(x, y, r * 0.2, dark(tone, 0.45))
    )


def duck(a: str, b: str = "rust") -> str:
    """A pull-along duck."""
    return (
        shadow(330, 532, 230)
        + path("M110 470 Q40 500 30 420 Q24 370 52 350", "none", "stone", 7)
        + disc(54, 346, 16, "red")
        + rect(120, 448, 420, 36, "oak", 18)
        + solid(
            "M150 330 Q160 300 196 308 Q180 250 200 200 Q228 140 296 150 Q366 166 366 240"
            " Q364 280 352 300 Q440 310 490 280 Q540 250 560 270 Q560 440 400 452 H250"
            " Q150 440 150 330 Z",
            a,
            130,
            560,
        )
        + path("M206 226 Q130 226 128 250 Q150 276 208 262 Z", b)
        + disc(262, 214, 14, "charcoal")
        + disc(258, 209, 4, "white")
        + path("M320 340 Q420 316 476 346 Q460 410 380 412 Q330 404 320 340 Z", dark(a, 0.14))
        + wheel(200, 490, 42, "red")
        + wheel(460, 490, 42, "teal")
    )


def train(a: str, b: str, c: str) -> str:
    """A wooden train."""
    return (
        shadow(320, 528, 270)
        + "".join(rect(x, 512, 40, 12, "walnut", 4) for x in range(30, 620, 62))
        + rect(20, 504, 600, 10, "stone", 5)
        + line("M300 466 H360", "charcoal", 9)
        + solid(box(60, 380, 240, 86, 14), b, 60, 300)
        + disc(120, 366, 36, "honey")
        + disc(186, 358, 42, c)
        + disc(250, 368, 34, "leaf")
        + rect(54, 384, 252, 24, dark(b, 0.1), 10)
        + solid(box(350, 230, 116, 236, 12), a, 350, 466)
        + rect(334, 210, 148, 30, dark(a, 0.25), 14)
        + rect(376, 268, 64, 64, light("sky", 0.4), 8)
        + solid(box(456, 330, 134, 136, 26), light(a, 0.12), 456, 590)
        + rect(516, 256, 38, 80, c, 6)
        + rect(506, 240, 58, 26, dark(c, 0.15), 8)
        + disc(548, 190, 22, "white", opacity=0.85)
        + disc(584, 150, 30, "white", opacity=0.7)
        + wheel(116, 480, 34, "charcoal")
        + wheel(244, 480, 34, "charcoal")
        + wheel(400, 474, 40, "walnut")
        + wheel(490, 480, 34, "walnut")
        + wheel(560, 480, 34, "walnut")
    )


def van(a: str, b: str = "cream") -> str:
    """A wooden delivery van."""
    return (
        shadow(320, 526, 260)
        + solid(
            "M70 230 Q70 190 110 190 H390 Q420 190 440 220 L500 320 H548 Q582 324 582 360 V450"
            " Q582 476 556 476 H96 Q70 476 70 450 Z",
            a,
            70,
            582,
        )
        + rect(70, 400, 512, 24, b)
        + path("M400 226 H424 L480 320 H400 Z", light("sky", 0.4))
        + path(box(130, 236, 210, 130, 14), b)
        + path("M236 350 q-52 -70 0 -100 q52 30 0 100 Z", "leaf")
        + line("M236 350 V290", "pine", 5)
        + disc(566, 398, 14, "honey")
        + wheel(180, 476, 52, "charcoal")
        + wheel(462, 476, 52, "charcoal")
    )


def jigsaw(x: float, y: float, s: float, tone: str, turn: float = 0) -> str:
    """One jigsaw piece about (x, y)."""
    d = (
        "M-50 -50 H-16 C-30 -84 30 -84 16 -50 H50 V-16 C84 -30 84 30 50 16 V50 H16"
        " C30 20 -30 20 -16 50 H-50 V16 C-20 30 -20 -30 -50 -16 Z"
    )
    how = f"translate({x:g} {y:g}) rotate({turn:g}) scale({s:g})"
    return f'<g transform="{how}">{path(d, tone, dark(tone, 0.2), 3)}</g>'


def puzzlebox(a: str, kind: str = "wood") -> str:
    """A jigsaw box, with a picture of a wood or of a harbour, and loose pieces."""
    if kind == "wood":
        view = rect(140, 120, 360, 250, "sky") + disc(420, 180, 34, "honey")
        view += path("M140 330 Q260 270 500 320 V370 H140 Z", "leaf")
        view += "".join(
            path(f"M{x} 340 l40 {-h} l40 {h} Z", t)
            for x, h, t in (
                (150, 150, "pine"),
                (214, 190, "fern"),
                (290, 140, "moss"),
                (352, 180, "pine"),
                (412, 120, "fern"),
            )
        )
        view += disc(330, 344, 13, "rust") + path("M318 336 l4 -18 l8 10 l8 -10 l4 18 Z", "rust")
    else:
        view = rect(140, 120, 360, 250, "peach") + rect(140, 290, 360, 90, "teal")
        view += "".join(
            rect(x, y, 58, 300 - y, t) + path(f"M{x - 6} {y} l35 -34 l35 34 Z", "brick")
            for x, y, t in (
                (150, 220, "cream"),
                (214, 200, "sky"),
                (278, 228, "honey"),
                (342, 206, "blush"),
                (406, 222, "cream"),
            )
        )
        view += path("M300 330 h120 l-20 30 h-80 Z", "white") + path(
            "M356 326 v-96 l50 90 Z", "red"
        )
    return (
        shadow(320, 524, 240)
        + rect(120, 100, 400, 390, dark(a, 0.3), 14)
        + rect(112, 92, 400, 390, a, 14)
        + clip(box(136, 116, 352, 256, 8), move(view, -8, -2))
        + line("M150 408 H360", "cream", 14)
        + line("M150 442 H290", light(a, 0.5), 9)
        + jigsaw(420, 480, 0.85, "honey", 14)
        + jigsaw(538, 452, 0.72, "leaf", -22)
        + jigsaw(226, 510, 0.7, "red", -12)
    )


def sorter(a: str = "wood") -> str:
    """A wooden shape sorter."""
    return (
        shadow(320, 528, 230)
        + path("M130 300 L200 220 H500 L470 300 Z", light(a, 0.3))
        + path("M470 300 L500 220 V430 L470 522 Z", dark(a, 0.25))
        + solid(box(126, 296, 346, 228, 10), a, 126, 472)
        + disc(206, 372, 40, dark(a, 0.55))
        + rect(276, 334, 76, 76, dark(a, 0.55), 6)
        + path("M300 438 l44 64 h-88 Z", dark(a, 0.55))
        + star(414, 440, 44, dark(a, 0.55))
        + solid("M232 196 a38 14 0 0 1 76 0 v54 a38 14 0 0 1 -76 0 Z", "red", 232, 308)
        + oval(270, 196, 38, 14, light("red", 0.25))
        + solid(box(356, 170, 76, 76, 8), "teal", 356, 432)
        + star(556, 488, 46, "honey")
        + path("M84 524 l-50 0 l26 -64 Z", "leaf", "leaf", 8)
    )


def skittles(tones: tuple[str, ...]) -> str:
    """Five skittles and a ball."""

    def one(x: float, foot: float, tone: str) -> str:
        return solid(
            f"M{x - 28} {foot} Q{x - 56} {foot - 110} {x - 22} {foot - 184}"
            f" Q{x - 30} {foot - 250} {x} {foot - 252} Q{x + 30} {foot - 250}"
            f" {x + 22} {foot - 184} Q{x + 56} {foot - 110} {x + 28} {foot} Z",
            "wood",
            x - 46,
            x + 46,
            rect(x - 60, foot - 190, 120, 22, tone) + rect(x - 60, foot - 100, 120, 50, tone),
        )

    xs = ((170, 440), (320, 430), (470, 440), (240, 506), (400, 506))
    art = "".join(one(x, y, tone) for (x, y), tone in zip(xs, tones, strict=True))
    return (
        shadow(320, 510, 230)
        + art
        + disc(540, 490, 46, "brick")
        + oval(524, 474, 14, 10, light("brick", 0.5))
    )


def cards(a: str) -> str:
    """A hand of picture cards and their box."""

    def card(inner: str) -> str:
        return path(box(220, 130, 200, 290, 18), "white", dark("cream", 0.12), 3) + inner

    return (
        shadow(320, 470, 220, 60, 0.2)
        + move(
            card(
                disc(320, 260, 46, "red")
                + line("M320 306 V370", "leaf", 10)
                + leaf(320, 362, 60, 60, "leaf")
            ),
            -110,
            30,
            1,
            -18,
        )
        + move(
            card(
                path("M250 320 Q256 220 320 220 T390 320 Z", "walnut")
                + path("M380 320 q40 -4 34 24 h-150 q-24 0 -22 -24 Z", "sand")
                + disc(392, 326, 6, "charcoal")
            ),
            0,
            0,
        )
        + move(
            card(
                leaf(320, 350, 150, 0, "leaf")
                + leaf(320, 350, 110, -44, "fern")
                + leaf(320, 350, 110, 44, "fern")
            ),
            110,
            30,
            1,
            18,
        )
        + solid(box(228, 400, 184, 136, 12), a, 228, 412)
        + path(box(250, 424, 140, 88, 8), "cream")
        + star(320, 470, 28, a)
    )


def domino(a: str = "cream") -> str:
    """Domino tiles with a wooden box."""
    pips = {
        1: ((0, 0),),
        2: ((-1, -1), (1, 1)),
        3: ((-1, -1), (0, 0), (1, 1)),
        4: ((-1, -1), (1, -1), (-1, 1), (1, 1)),
        5: ((-1, -1), (1, -1), (0, 0), (-1, 1), (1, 1)),
        6: ((-1, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (1, 1)),
    }
    tones = ("", "red", "denim", "leaf", "mustard", "plum", "teal")

    def tile(x: float, y: float, top: int, low: int, turn: float) -> str:
        art = rect(-56, -110, 112, 224, dark(a, 0.3), 18) + rect(-56, -114, 112, 220, a, 18)
        art += line("M-38 -4 H38", dark(a, 0.3), 5)
        for number, cy in ((top, -60), (low, 52)):
            art += "".join(
                disc(dx * 26, cy + dy * 26, 11, tones[number]) for dx, dy in pips[number]
            )
        return f'<g transform="translate({x} {y}) rotate({turn})">{art}</g>'

    return (
        shadow(320, 470, 240, 60, 0.18)
        + tile(160, 300, 3, 5, -14)
        + tile(320, 240, 6, 2, 4)
        + tile(484, 310, 4, 1, 16)
        + solid(box(170, 430, 300, 100, 14), "oak", 170, 470)
        + rect(158, 414, 324, 30, light("oak", 0.15), 10)
        + disc(320, 486, 12, "brass")
    )


# --- clothing --------------------------------------------------------------------------------


def jacket(a: str, b: str = "charcoal") -> str:
    """A hooded rain jacket."""
    return (
        shadow(330, 340, 190, 220, 0.18)
        + path("M204 176 Q120 220 96 440 Q94 474 130 478 L176 482 L222 300 Z", dark(a, 0.16))
        + path("M436 176 Q520 220 544 440 Q546 474 510 478 L464 482 L418 300 Z", dark(a, 0.24))
        + solid(
            "M200 176 Q320 130 440 176 L456 530 Q456 552 432 552 H208 Q184 552 184 530 Z",
            a,
            184,
            456,
        )
        + path("M224 182 Q226 64 320 64 T416 182 Q320 236 224 182 Z", dark(a, 0.1))
        + path("M256 172 Q262 104 320 104 T384 172 Q320 206 256 172 Z", dark(a, 0.5))
        + line("M320 200 V550", b, 8)
        + line("M226 400 l46 -28 M414 400 l-46 -28", b, 8)
        + line("M290 198 v44 M350 198 v44", "cream", 5)
        + rect(366, 262, 48, 22, "cream", 4)
        + line("M104 452 l72 10 M536 452 l-72 10", dark(a, 0.4), 7)
    )


def gilet(a: str, b: str = "leather") -> str:
    """A quilted gilet."""
    d = (
        "M226 110 Q320 140 414 110 Q420 150 462 186 Q430 260 462 330 L468 520 Q468 548 440 548"
        " H200 Q172 548 172 520 L178 330 Q210 260 178 186 Q220 150 226 110 Z"
    )
    quilt = "".join(
        line(f"M150 {y} Q320 {y + 18} 490 {y}", dark(a, 0.2), 5) for y in range(190, 560, 56)
    )
    return (
        shadow(330, 350, 160, 200, 0.2)
        + solid(d, a, 172, 468, quilt)
        + path("M226 110 Q230 76 320 76 T414 110 Q408 150 320 158 Q232 150 226 110 Z", dark(a, 0.2))
        + line("M320 150 V546", dark(a, 0.45), 7)
        + "".join(disc(338, y, 10, b) for y in range(186, 540, 66))
        + path(box(204, 400, 82, 94, 10), light(a, 0.08), dark(a, 0.28), 4)
        + path(box(362, 400, 82, 94, 10), light(a, 0.08), dark(a, 0.28), 4)
    )


def puddle(a: str, b: str = "cream") -> str:
    """A child's raincoat."""
    return (
        shadow(330, 360, 170, 190, 0.2)
        + path("M216 220 Q140 250 118 410 Q120 446 150 448 L206 440 L232 320 Z", dark(a, 0.14))
        + path("M424 220 Q500 250 522 410 Q520 446 490 448 L434 440 L408 320 Z", dark(a, 0.2))
        + solid(
            "M212 220 Q320 180 428 220 L478 508 Q480 530 456 530 H184 Q160 530 162 508 Z",
            a,
            162,
            478,
        )
        + path("M226 226 Q222 94 320 94 T416 226 Q320 280 226 226 Z", dark(a, 0.08))
        + path("M258 214 Q260 136 320 136 T384 214 Q320 248 258 214 Z", b)
        + line("M320 250 V528", dark(a, 0.3), 6)
        + "".join(disc(338, y, 12, b) for y in (290, 360, 430))
        + path("M206 400 h80 v50 q0 30 -40 30 t-40 -30 Z", light(a, 0.25))
        + path("M362 400 h80 v50 q0 30 -40 30 t-40 -30 Z", light(a, 0.25))
    )


def tee(a: str, b: str = "", long: bool = False) -> str:
    """A T-shirt, plain or with stripes (``b``), with short or long sleeves."""
    torso = "M222 140 Q320 190 418 140 L452 170 V530 Q452 548 432 548 H208 Q188 548 188 530 V170 Z"
    if long:
        left = "M222 140 Q150 160 126 250 L96 470 L166 480 L200 300 V180 Z"
        right = "M418 140 Q490 160 514 250 L544 470 L474 480 L440 300 V180 Z"
    else:
        left = "M222 140 Q150 160 118 232 L92 300 L170 336 L200 280 V180 Z"
        right = "M418 140 Q490 160 522 232 L548 300 L470 336 L440 280 V180 Z"
    bars = "".join(rect(60, y, 520, 17, b) for y in range(212, 540, 42)) if b else ""
    return (
        shadow(330, 350, 180, 210, 0.18)
        + path(left, dark(a, 0.1))
        + clip(left, bars)
        + path(right, dark(a, 0.18))
        + clip(right, bars)
        + solid(torso, a, 188, 452, bars)
        + path("M250 152 Q320 230 390 152 L404 146 Q320 254 236 146 Z", dark(a, 0.22))
        + line("M194 524 H446", dark(a, 0.2), 4)
        + (rect(214, 470, 30, 22, "brick", 3) if b else "")
    )


def beanie(a: str, b: str = "") -> str:
    """A knitted hat with a bobble."""
    tone = b or light(a, 0.25)
    ribs = "".join(
        line(f"M320 130 Q{320 + k * 44} 220 {320 + k * 42} 420", dark(a, 0.15), 6)
        for k in range(-4, 5)
    )
    cuff = "".join(line(f"M{x} 400 V500", dark(tone, 0.16), 6) for x in range(134, 520, 26))
    return (
        shadow(320, 512, 210)
        + solid("M140 410 Q140 150 320 150 T500 410 Z", a, 140, 500, ribs)
        + solid(box(116, 396, 408, 110, 36), tone, 116, 524, cuff)
        + disc(320, 132, 62, tone)
        + "".join(
            line(
                f"M320 132 L{320 + 54 * math.cos(k * 0.7):.1f} {132 + 54 * math.sin(k * 0.7):.1f}",
                dark(tone, 0.16),
                5,
            )
            for k in range(9)
        )
    )


def buckethat(a: str, b: str = "") -> str:
    """A sun hat."""
    band = b or dark(a, 0.3)
    return (
        shadow(320, 500, 240)
        + solid(
            "M206 220 Q210 170 320 170 T434 220 L462 388 H178 Z",
            a,
            178,
            462,
            rect(0, 340, 640, 48, band) + line("M180 262 Q320 284 460 262", dark(a, 0.15), 4),
        )
        + solid(
            "M178 376 Q320 420 462 376 L566 452 Q560 496 320 496 T74 452 Z", light(a, 0.1), 74, 566
        )
        + line("M132 432 Q320 486 508 432 M104 454 Q320 504 536 454", dark(a, 0.14), 4)
        + disc(236, 300, 7, "brass")
        + disc(264, 304, 7, "brass")
        + line("M196 400 Q240 560 300 566", "leather", 6)
    )


def scarf(a: str, b: str = "cream") -> str:
    """A wrapped scarf."""

    def tail(x: float, low: float) -> str:
        d = f"M{x} 280 H{x + 110} V{low} H{x} Z"
        bars = "".join(rect(x, y, 110, 16, b) for y in range(int(low) - 120, int(low) - 20, 34))
        fringe = "".join(line(f"M{x + k} {low} v34", light(a, 0.15), 7) for k in range(8, 110, 16))
        return fringe + solid(d, a, x, x + 110, bars)

    return (
        shadow(330, 360, 150, 190, 0.18)
        + tail(206, 470)
        + tail(336, 530)
        + path("M150 220 Q150 110 320 110 T490 220 Q490 310 320 310 T150 220 Z", dark(a, 0.14))
        + path("M212 206 Q212 160 320 160 T428 206 Q428 248 320 248 T212 206 Z", dark(a, 0.55))
        + solid(
            "M150 216 Q190 280 320 280 T490 216 Q510 350 320 360 Q130 350 150 216 Z",
            a,
            150,
            490,
            line("M130 262 Q190 326 320 326 T510 262", b, 10)
            + line("M140 290 Q200 346 320 346 T500 290", dark(a, 0.2), 5),
        )
    )


def socks(a: str, b: str = "cream", kind: str = "walk") -> str:
    """A pair of socks: walking or bed socks."""

    def one(tone: str) -> str:
        d = (
            "M250 90 H380 V340 Q384 380 430 410 L500 446 Q548 476 528 520 Q510 552 458 544"
            " L300 496 Q250 476 250 420 Z"
        )
        if kind == "walk":
            inside = rect(200, 90, 240, 60, b) + path("M500 400 L430 560 H640 V400 Z", b)
            inside += path("M200 420 L330 400 Q330 500 300 520 H200 Z", b)
            inside += "".join(line(f"M{x} 90 V150", dark(b, 0.16), 4) for x in range(262, 380, 18))
        else:
            inside = "".join(rect(200, y, 400, 18, b) for y in range(110, 360, 46))
            inside += "".join(disc(300 + k * 44, 420 + k * 24, 12, b) for k in range(5))
        return solid(d, tone, 240, 540, inside)

    return shadow(310, 530, 220, 30) + move(one(dark(a, 0.1)), -140, -30, 0.98) + move(one(a), 0, 0)


# --- the pictures ----------------------------------------------------------------------------

KIDS = ("red", "mustard", "leaf", "sky", "plum")


def pictures() -> dict[str, str]:
    """Every picture: file name without its ending, and its SVG."""
    p: dict[str, str] = {}
    # Outdoor and travel
    p["larkrise-two-person-tent"] = hills("mist", tent("moss"))
    p["larkrise-two-person-tent-rust"] = hills("butter", tent("rust"))
    p["homestead-family-tent"] = hills("haze", tunnel("teal"))
    p["homestead-family-tent-2"] = hills("haze", close(tunnel("teal"), 200, 380, 1.7))
    p["swallow-tarp"] = hills("dew", tarp("sage"))
    p["nightjar-sleeping-bag"] = hills("haze", mummy("ink"))
    p["nightjar-sleeping-bag-brick"] = hills("butter", mummy("brick", "sand"))
    p["nap-roll-foam-mat"] = hills("butter", matroll("teal"))
    p["cloudlet-camp-pillow"] = hills("mint", camppillow("slate"))
    p["harbour-light-lantern"] = rings("haze", lantern("teal"))
    p["harbour-light-lantern-2"] = rings("night", move(lantern("teal"), 0, 20, 0.86))
    p["glow-worm-tent-lights"] = rings("lilac", fairy())
    p["dormouse-pocket-torch"] = rings("fog", torch("rust"))
    p["owlet-head-torch"] = rings("mist", headtorch("mustard"))
    p["owlet-head-torch-2"] = rings("mist", close(headtorch("mustard"), 320, 440, 1.8))
    p["speckle-enamel-mug"] = hills("peach", enamel("ink", "black"))
    p["speckle-enamel-mug-cream"] = hills("mint", enamel("cream", "navy"))
    p["speckle-enamel-mug-fern"] = hills("butter", enamel("fern", "black"))
    p["speckle-enamel-mug-rust"] = hills("haze", enamel("rust", "black"))
    p["two-pot-billy-set"] = hills("dew", billy())
    p["crossroads-camp-kettle"] = hills("butter", kettle("brick"))
    p["folding-camp-cutlery"] = hills("mint", cutlery("walnut"))
    p["kindling-twig-stove"] = hills("lilac", stove())
    p["kindling-twig-stove-2"] = hills("night", close(stove(), 320, 300, 1.45))
    p["tor-day-pack"] = peaks("mist", backpack("moss"))
    p["tor-day-pack-mustard"] = peaks("haze", backpack("mustard"))
    p["tor-day-pack-navy"] = peaks("peach", backpack("navy"))
    p["longfell-40-trekking-pack"] = peaks("haze", trekpack("pine"))
    p["longfell-40-trekking-pack-2"] = peaks("haze", close(trekpack("pine"), 320, 210, 1.6))
    p["ferryman-roll-top"] = peaks("linen", rolltop("slate"))
    p["little-fox-pack"] = peaks("mint", kidpack("rust"))
    p["loch-dry-bag"] = peaks("butter", drybag("teal"))
    p["loch-dry-bag-2"] = peaks("butter", trio(drybag("teal"), drybag("mustard"), drybag("brick")))
    p["waxed-wash-bag"] = peaks("dew", washbag("moss"))
    p["shore-canvas-tote"] = peaks("haze", tote("oat", "leather"))
    p["shore-canvas-tote-2"] = peaks("peach", close(tote("oat", "leather"), 250, 330, 1.8))
    # Drinkware
    p["morning-mug"] = shelf("mist", mug("teal"))
    p["morning-mug-oat"] = shelf("peach", mug("oat", "oak"))
    p["morning-mug-plum"] = shelf("butter", mug("plum"))
    p["morning-mug-sage"] = shelf("rose", mug("sage", "oat"))
    p["big-soup-mug"] = shelf("butter", mug("rust", "sand", 300))
    p["four-corners-espresso-cups"] = shelf("lilac", espresso("sage"))
    p["platform-two-travel-cup"] = shelf("dew", tumbler("cream", "leather"))
    p["platform-two-travel-cup-ink"] = shelf("peach", tumbler("ink", "rust"))
    p["brook-insulated-bottle"] = shelf("mint", bottle("fern"))
    p["brook-insulated-bottle-blush"] = shelf("linen", bottle("blush"))
    p["brook-insulated-bottle-ink"] = shelf("butter", bottle("ink"))
    p["brook-kids-bottle"] = shelf("haze", kidbottle("teal"))
    p["brook-kids-bottle-2"] = shelf("haze", pair(kidbottle("teal"), kidbottle("red", "sky"), 120))
    p["all-day-flask"] = shelf("peach", flask("pine"))
    p["spring-water-carafe"] = shelf("rose", carafe())
    p["sunday-teapot"] = shelf("haze", teapot("mustard"))
    p["sunday-teapot-2"] = shelf("haze", pair(teapot("mustard"), mug("mustard", "oat"), 132, 0.7))
    p["slow-drip-coffee-set"] = shelf("lilac", dripper("cream"))
    p["hearth-stovetop-kettle"] = shelf("mint", kettle("cream", "walnut"))
    p["hearth-stovetop-kettle-sage"] = shelf("peach", kettle("sage", "walnut"))
    p["corner-table-cafetiere"] = shelf("dew", press())
    # Cookware
    p["cast-iron-skillet"] = arch("peach", skillet())
    p["cast-iron-skillet-2"] = arch("peach", close(skillet(), 280, 280, 1.5))
    p["long-simmer-casserole"] = arch("linen", casserole("brick"))
    p["long-simmer-casserole-pine"] = arch("butter", casserole("pine"))
    p["milk-and-porridge-pan"] = arch("haze", saucepan())
    p["carbon-steel-wok"] = arch("mint", wok())
    p["oak-chopping-board"] = arch("dew", board())
    p["oak-chopping-board-2"] = arch("dew", close(board(), 320, 400, 1.7))
    p["everyday-cooks-knife"] = arch("rose", knife())
    p["gathering-serving-board"] = arch("mist", cheeseboard())
    p["beech-spoon-set"] = arch("haze", spoons())
    p["pastry-rolling-pin"] = arch("sage", pin())
    p["striped-tea-towels"] = arch("mist", towel("denim"))
    p["striped-tea-towels-2"] = arch("mist", close(towel("denim"), 300, 400, 1.8))
    p["bakehouse-apron"] = arch("butter", apron("denim"))
    p["bakehouse-apron-terracotta"] = arch("mint", apron("terracotta"))
    p["nesting-mixing-bowls"] = arch("lilac", bowls("cream"))
    # Textiles
    p["stonewashed-linen-cushion"] = sun("peach", cushion("terracotta"))
    p["stonewashed-linen-cushion-oat"] = sun("mist", cushion("oat"))
    p["stonewashed-linen-cushion-slate"] = sun("butter", cushion("slate"))
    p["croft-check-cushion"] = sun("dew", cushion("fern", "cream", "check"))
    p["croft-check-cushion-2"] = sun("dew", close(cushion("fern", "cream", "check"), 330, 330, 1.7))
    p["deckchair-stripe-cushion"] = sun("haze", cushion("cream", "denim", "stripe"))
    p["story-corner-pouf"] = sun("mint", pouf("mustard"))
    p["fold-lambswool-throw"] = sun("lilac", throw("slate"))
    p["fold-lambswool-throw-plum"] = sun("butter", throw("plum"))
    p["meadow-picnic-blanket"] = sun("dew", picnic("red"))
    p["quiet-waffle-blanket"] = sun("rose", waffle("oat"))
    p["quiet-waffle-blanket-2"] = sun("rose", close(waffle("oat"), 320, 330, 1.9))
    # Light and scent
    p["puffball-table-lamp"] = rings("peach", mushroom("rust"))
    p["puffball-table-lamp-sage"] = rings("butter", mushroom("sage"))
    p["potters-table-lamp"] = rings("mint", tablelamp("teal"))
    p["paper-moon-lamp"] = rings("lilac", globe())
    p["paper-moon-lamp-2"] = rings("night", move(globe(), 0, 20, 0.86))
    p["beeswax-pillar-trio"] = comb("linen", pillars())
    p["garden-gate-candle"] = comb("dew", jar("fern"))
    p["garden-gate-candle-2"] = comb("dew", trio(jar("plum"), jar("fern"), jar("rust")))
    p["long-supper-candles"] = comb("rose", tapers("brick"))
    p["long-supper-candles-2"] = comb("mist", pair(tapers("pine"), tapers("honey"), 145, 0.62))
    p["windowsill-reed-diffuser"] = comb("haze", diffuser("honey"))
    # Storage and plants
    p["tideline-seagrass-basket"] = wall("mist", basket())
    p["tideline-seagrass-basket-2"] = wall("mist", trio(basket(), basket(), basket()))
    p["willow-log-basket"] = wall("peach", logs())
    p["stack-up-crate"] = wall("butter", crates("sage", "terracotta", "slate"))
    p["good-start-terracotta-pot"] = wall("dew", pot())
    p["good-start-terracotta-pot-2"] = wall("dew", trio(pot(), pot("terracotta", "leaf"), pot()))
    p["raincloud-planter"] = wall("rose", planter("denim"))
    p["raincloud-planter-cream"] = wall("haze", planter("cream"))
    p["greenhouse-watering-can"] = wall("lilac", can("mustard"))
    p["greenhouse-watering-can-fern"] = wall("peach", can("fern"))
    # Desk and paper
    p["fieldcloth-notebook"] = paper("peach", notebook("ink"))
    p["fieldcloth-notebook-moss"] = paper("butter", notebook("moss", "rust"))
    p["fieldcloth-notebook-rust"] = paper("mist", notebook("rust", "oat"))
    p["pocket-trio-notebooks"] = paper("lilac", booklets("sage", "mustard", "blush"))
    p["open-air-sketchbook"] = paper("dew", sketchbook())
    p["even-week-planner"] = paper("haze", planner("terracotta"))
    p["even-week-planner-2"] = paper("haze", close(planner("terracotta"), 310, 310, 1.7))
    p["brass-everyday-pen"] = paper("mint", rollerball())
    p["inkwell-fountain-pen"] = paper("rose", fountain("navy"))
    p["inkwell-fountain-pen-brick"] = paper("linen", fountain("brick"))
    p["six-soft-pencils"] = paper(
        "fog", pencils(("ink", "fern", "mustard", "brick", "sage", "plum"))
    )
    p["hillside-colouring-pencils"] = paper("butter", tin("denim"))
    p["oak-desk-tidy"] = wall("haze", tidy())
    p["oak-desk-tidy-2"] = wall("haze", close(tidy(), 400, 420, 1.7))
    p["in-and-out-letter-trays"] = wall("linen", trays("pine"))
    p["felt-desk-mat"] = wall("mint", deskmat("slate"))
    p["felt-desk-mat-moss"] = wall("butter", deskmat("moss"))
    p["heron-desk-lamp"] = rings("dew", armlamp("pine"))
    p["heron-desk-lamp-cream"] = rings("rose", armlamp("cream"))
    p["wren-clip-lamp"] = rings("butter", cliplamp("brick"))
    # Kids and play
    p["big-rainbow-stacker"] = party("haze", rainbow(("red", "rust", "honey", "leaf", "denim")))
    p["big-rainbow-stacker-2"] = party(
        "linen", move(rainbow(("red", "rust", "honey", "leaf", "denim")), 0, -10, 0.6, 90)
    )
    p["forty-block-bag"] = party("butter", blocks(KIDS))
    p["forty-block-bag-2"] = party("butter", close(blocks(KIDS), 300, 320, 1.6))
    p["castle-on-a-hill-blocks"] = party("mint", castle("sand", "denim", "red"))
    p["barnaby-bear"] = party("mist", bear("oak"))
    p["barnaby-bear-2"] = party("mist", close(bear("oak"), 320, 220, 1.6))
    p["clover-rabbit"] = party("dew", rabbit("stone"))
    p["clover-rabbit-cream"] = party("haze", rabbit("cream"))
    p["wallace-whale"] = party("peach", whale("denim"))
    p["puddle-pull-along-duck"] = party("haze", duck("honey"))
    p["little-goods-train"] = party("rose", train("red", "teal", "mustard"))
    p["village-delivery-van"] = party("butter", van("fern"))
    p["village-delivery-van-2"] = party("mint", pair(van("fern"), van("red"), 150, 0.6))
    p["fox-wood-jigsaw"] = party("lilac", puzzlebox("pine"))
    p["fox-wood-jigsaw-2"] = party("lilac", close(puzzlebox("pine"), 330, 300, 1.6))
    p["harbour-town-jigsaw"] = party("mint", puzzlebox("ink", "harbour"))
    p["first-shapes-sorter"] = party("haze", sorter())
    p["garden-skittles"] = party("dew", skittles(KIDS))
    p["hedgerow-snap"] = party("peach", cards("fern"))
    p["kitchen-table-dominoes"] = party("mist", domino())
    # Clothing
    p["cloudburst-rain-jacket"] = peaks("mist", jacket("mustard"))
    p["cloudburst-rain-jacket-navy"] = peaks("butter", jacket("navy", "brick"))
    p["cloudburst-rain-jacket-sage"] = peaks("rose", jacket("sage"))
    p["bracken-quilted-gilet"] = peaks("linen", gilet("moss"))
    p["splash-kids-raincoat"] = peaks("haze", puddle("red"))
    p["splash-kids-raincoat-2"] = peaks("mint", pair(puddle("red"), puddle("teal"), 140, 0.64))
    p["plain-good-tee"] = peaks("peach", tee("cream"))
    p["plain-good-tee-ink"] = peaks("mist", tee("ink"))
    p["plain-good-tee-rust"] = peaks("dew", tee("rust"))
    p["fishermans-stripe-top"] = peaks("butter", tee("cream", "navy", long=True))
    p["bobble-beanie"] = sun("haze", beanie("rust", "oat"))
    p["bobble-beanie-pine"] = sun("rose", beanie("pine", "honey"))
    p["shadow-brim-sun-hat"] = sun("mint", buckethat("sand"))
    p["long-walk-scarf"] = sun("butter", scarf("teal"))
    p["long-walk-scarf-2"] = sun("mist", pair(scarf("teal"), scarf("plum", "blush"), 140, 0.64))
    p["ridgeway-walking-socks"] = sun("dew", socks("moss", "rust"))
    p["ridgeway-walking-socks-2"] = sun("dew", close(socks("moss", "rust"), 400, 420, 1.7))
    p["ember-bed-socks"] = sun("lilac", socks("plum", "blush", "bed"))
    return p


# --- output ----------------------------------------------------------------------------------


def render(svg: str) -> bytes:
    """The WebP file of one SVG."""
    import resvg_py
    from PIL import Image

    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE))
    target = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(target, "WEBP", quality=QUALITY, method=6)
    return target.getvalue()


def contact_sheet(files: list[Path], target: Path, columns: int = 8, cell: int = 220) -> None:
    """Save all the pictures side by side in one PNG."""
    from PIL import Image

    rows = math.ceil(len(files) / columns)
    sheet = Image.new("RGB", (columns * cell, rows * cell), "white")
    for i, file in enumerate(files):
        with Image.open(file) as image:
            small = image.resize((cell - 6, cell - 6))
        sheet.paste(small, ((i % columns) * cell + 3, (i // columns) * cell + 3))
    sheet.save(target)


def wanted() -> set[str]:
    """The names of the pictures that catalog.csv asks for."""
    with CATALOG.open(encoding="utf-8", newline="") as file:
        sources = {row["Image Src"] for row in csv.DictReader(file) if row["Image Src"]}
    return {Path(source).stem for source in sources}


def main() -> int:
    """Draw the pictures, or compare them with the catalog."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the sample catalog.")
    parser.add_argument("only", nargs="?", default="", help="draw only names containing this")
    parser.add_argument("--sheet", type=Path, help="also save a contact sheet (PNG) here")
    parser.add_argument("--check", action="store_true", help="only compare with catalog.csv")
    options = parser.parse_args()

    drawn = pictures()
    if options.check:
        asked = wanted()
        for name in sorted(asked - drawn.keys()):
            print(f"in catalog.csv, but not drawn: {name}")
        for name in sorted(drawn.keys() - asked):
            print(f"drawn, but not in catalog.csv: {name}")
        return int(asked != drawn.keys())

    TARGET.mkdir(parents=True, exist_ok=True)
    files = []
    total = 0
    for name, svg in drawn.items():
        if options.only not in name:
            continue
        data = render(svg)
        file = TARGET / f"{name}.webp"
        file.write_bytes(data)
        files.append(file)
        total += len(data)
    if options.sheet and files:
        contact_sheet(files, options.sheet)
    print(f"{len(files)} pictures, {total / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
