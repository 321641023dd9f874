"""Charts as SVG, on a light and on a dark ground: bars on a logarithmic axis, and lines on two of them."""

import html
import math
from collections.abc import Sequence

STYLE = """text { font: 13px system-ui, sans-serif; fill: #1c2128; } .small { font-size: 11px; fill: #57606a; }
.title { font-weight: 600; font-size: 15px; } .grid { stroke: #d0d7de; } .ours { fill: #0969da; } .other { fill: #9aa4af; }
.base { fill: #57606a; } .line { fill: none; stroke-width: 2; } .s0 { stroke: #57606a; } .s1 { stroke: #0969da; }
.s2 { stroke: #bc4c00; } .s3 { stroke: #8250df; } .d0 { fill: #57606a; } .d1 { fill: #0969da; } .d2 { fill: #bc4c00; }
.d3 { fill: #8250df; } .ground { fill: #ffffff; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .small { fill: #9198a1; } .grid { stroke: #3d444d; }
.ours { fill: #4493f8; } .other { fill: #656c76; } .base { fill: #9198a1; } .s0 { stroke: #9198a1; } .s1 { stroke: #4493f8; }
.s2 { stroke: #f0883e; } .s3 { stroke: #ab7df8; } .d0 { fill: #9198a1; } .d1 { fill: #4493f8; } .d2 { fill: #f0883e; }
.d3 { fill: #ab7df8; } .ground { fill: #0d1117; } }"""

WIDTH, LEFT, RIGHT, TOP, ROW, LEGEND = 840, 250, 90, 64, 26, 220


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(words)}</text>'


def document(height: float, title: str, axis: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" '
        f'role="img" aria-label="{html.escape(title)}">\n<style>{STYLE}</style>\n'
        f'<rect width="{WIDTH}" height="{height:.0f}" class="ground"/>'
    )
    body = [head, text(16, 24, title, "title"), text(16, 43, axis, "small"), *parts, "</svg>\n"]
    return "\n".join(body)


def decades(low: float, high: float) -> list[float]:
    return [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def marks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten, from one that is not above `low` to one that is not below `high`; or the powers."""
    all = [step * power for power in decades(low, high) for step in (1, 2, 5)]
    first = max(at for at, mark in enumerate(all) if mark <= low * 1.0001)
    last = min(at for at, mark in enumerate(all) if mark >= high * 0.9999)
    chosen = all[first : max(last, first + 1) + 1]
    return chosen if len(chosen) <= 9 else decades(low, high)


def seconds(value: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= 0.9995 * size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def bars(title: str, axis: str, values: Sequence[tuple[str, float, str]]) -> str:
    """Of (name, seconds, kind): kind is `ours`, `base` or `other`."""
    powers = decades(min(value for _, value, _ in values), max(value for _, value, _ in values))
    low, high = math.log10(powers[0]), math.log10(powers[-1])
    bottom = TOP + ROW * len(values)

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(value) - low) / ((high - low) or 1)

    parts = []
    for mark in powers:
        parts.append(f'<line x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="{TOP - 6}" y2="{bottom}" class="grid"/>')
        parts.append(text(x(mark), bottom + 17, seconds(mark), "small", "middle"))
    for place, (name, value, kind) in enumerate(values):
        y = TOP + ROW * place
        parts.append(text(LEFT - 10, y + 15, name, "", "end"))
        parts.append(f'<rect x="{LEFT}" y="{y + 3}" width="{max(2, x(value) - LEFT):.1f}" height="{ROW - 9}" class="{kind}"/>')
        parts.append(text(x(value) + 6, y + 15, seconds(value), "small"))
    return document(bottom + 32, title, axis, parts)


def lines(title: str, axis: str, unit: str, series: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> str:
    """Of (name, points): both axes logarithmic; `unit` is `s` or what the figures are called."""
    points = [point for _, line in series for point in line]
    height, bottom, left = 400, 340, 90
    xs, ys = decades(min(x for x, _ in points), max(x for x, _ in points)), marks(*extent([y for _, y in points]))
    powers = sorted({x for x, _ in points})
    if powers[-1] < 64:
        # Few threads, say: a mark for each.
        xs = powers

    def place(value: float, marks: Sequence[float], start: float, end: float) -> float:
        low, high = math.log10(marks[0]), math.log10(marks[-1])
        return start + (end - start) * (math.log10(value) - low) / ((high - low) or 1)

    parts = []
    for mark in xs:
        x = place(mark, xs, left, WIDTH - LEGEND)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}" class="grid"/>')
        parts.append(text(x, bottom + 18, f"{mark:,.0f}", "small", "middle"))
    for mark in ys:
        y = place(mark, ys, bottom, TOP)
        parts.append(f'<line x1="{left}" x2="{WIDTH - LEGEND}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(text(left - 8, y + 4, seconds(mark) if unit == "s" else f"{mark:,.0f}", "small", "end"))
    for number, (name, line) in enumerate(series):
        places = [(place(x, xs, left, WIDTH - LEGEND), place(y, ys, bottom, TOP)) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" class="line s{number}"/>')
        parts.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" class="d{number}"/>' for x, y in places)
        parts.append(f'<rect x="{WIDTH - LEGEND + 14}" y="{TOP + 22 * number}" width="12" height="12" class="d{number}"/>')
        parts.append(text(WIDTH - LEGEND + 32, TOP + 11 + 22 * number, name))
    return document(height, title, axis, parts)


def extent(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
