"""The figures of building as an SVG, both axes logarithmic."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 46, 50
LINES = (
    ("cosmos", "", "Cosmos", "#c0392b"),
    ("by_hand", "", "written by hand", "#b9770e"),
    ("ours", "cold", "airflow-dataops, cold", "#5b8def"),
    ("ours", "warm", "airflow-dataops, warm", "#1f3f8f"),
)


def svg(results: dict[str, Any]) -> str:
    """Draw CPU seconds by models, a line for each contestant."""
    sizes = results["settings"]["sizes"]
    lines = [
        (title, colour, _points(results, contestant, cache, sizes))
        for contestant, cache, title, colour in LINES
    ]
    seconds = [y for _, _, points in lines for _, y in points]
    scale = _Scale(min(sizes), max(sizes), min(seconds), max(seconds))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">Manifest to DAG objects, CPU seconds '
        "(both axes logarithmic; lower is better)</text>",
        *_grid(scale, sizes),
        *(part for line in lines for part in _line(scale, *line)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Scale:
    def __init__(self, x_low: float, x_high: float, y_low: float, y_high: float) -> None:
        self.x_low, self.x_high = math.log10(x_low), math.log10(x_high)
        self.y_low, self.y_high = math.floor(math.log10(y_low)), math.ceil(math.log10(y_high))

    def x(self, value: float) -> float:
        share = (math.log10(value) - self.x_low) / ((self.x_high - self.x_low) or 1)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (math.log10(value) - self.y_low) / ((self.y_high - self.y_low) or 1)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _points(
    results: dict[str, Any], contestant: str, cache: str, sizes: list[int]
) -> list[tuple[int, float]]:
    samples = results["samples"]
    found = [(size, samples.get(f"build {contestant} {cache} {size}")) for size in sizes]
    return [(size, median(one["cpu"] for one in many)) for size, many in found if many]


def _grid(scale: _Scale, sizes: list[int]) -> list[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for power in range(scale.y_low, scale.y_high + 1):
        y = scale.y(10**power)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
        )
    for size in sizes:
        x = scale.x(size)
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#eee"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{size:,}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">models</text>')
    return parts


def _line(scale: _Scale, title: str, colour: str, points: list[tuple[int, float]]) -> list[str]:
    if not points:
        return []
    places = [(scale.x(x), scale.y(y)) for x, y in points]
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
    return [
        f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *dots,
        f'<text x="{x + 9:.1f}" y="{y + 4:.1f}" fill="{colour}">{title}</text>',
    ]
