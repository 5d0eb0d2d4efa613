"""A diagram as inline SVG: axes, grid, lines, bands; coloured by the page's style sheet.

Nothing here knows what is drawn. A scale maps values to 0..1; a `Plot` maps those to its area.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Sequence

from kws.report.page.html import Html, join, tag

Scale = Callable[[float], float]
Points = Sequence[tuple[float, float]]
LEFT, RIGHT, TOP, BOTTOM = 62.0, 20.0, 12.0, 40.0


def linear(low: float, high: float) -> Scale:
    """Even steps."""
    return lambda value: (value - low) / ((high - low) or 1.0)


def logarithmic(low: float, high: float) -> Scale:
    """Each factor of ten the same length; all values positive."""
    span = math.log(high / low) or 1.0
    return lambda value: math.log(max(value, low) / low) / span


def warped(low: float, high: float, warp: Scale) -> Scale:
    """Even steps of `warp(value)`."""
    even = linear(warp(low), warp(high))
    return lambda value: even(warp(value))


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers between two values."""
    rough = (high - low) / most or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * step for step in (1, 2, 2.5, 5, 10) if power * step >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plot:
    """An area with two scales.

    Attributes:
      width, height: of the picture.
      x, y: scales; y rises upwards.
    """

    width: float
    height: float
    x: Scale
    y: Scale

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A value's place in the picture, kept inside the area."""
        across, up = (min(max(v, 0.0), 1.0) for v in (self.x(x), self.y(y)))
        return (
            LEFT + across * (self.width - LEFT - RIGHT),
            TOP + (1 - up) * (self.height - TOP - BOTTOM),
        )

    def line(self, points: Points, class_: str, steps: bool = False) -> Html:
        """Through the points; with steps, flat up to the next one."""
        if not points:
            return Html("")
        return tag("path", d=self._path(points, steps), class_=class_)

    def band(self, low: Points, high: Points, class_: str, steps: bool = False) -> Html:
        """Between two lines."""
        if not low:
            return Html("")
        back = self._path(_stairs(high) if steps else high, False, reverse=True)
        return tag("path", d=f"{self._path(low, steps)}L{back[1:]}Z", class_=class_)

    def box(self, x: tuple[float, float], y: tuple[float, float], class_: str) -> Html:
        """A rectangle between values."""
        (left, bottom), (right, top) = self.at(x[0], y[0]), self.at(x[1], y[1])
        return tag(
            "rect", x=f"{left:.1f}", y=f"{top:.1f}", width=f"{max(right - left, 1):.1f}",
            height=f"{max(bottom - top, 1):.1f}", class_=class_,
        )  # fmt: skip

    def dot(self, x: float, y: float, class_: str, words: str, radius: float = 5) -> Html:
        """A point that says what it is when one rests on it."""
        cx, cy = self.at(x, y)
        return tag(
            "circle", tag("title", words), cx=f"{cx:.1f}", cy=f"{cy:.1f}", r=radius, class_=class_
        )

    def axes(
        self, x: Iterable[tuple[float, str]], y: Iterable[tuple[float, str]],
        names: tuple[str, str],
    ) -> Html:  # fmt: skip
        """Grid, ticks and names."""
        bottom, right = self.height - BOTTOM, self.width - RIGHT
        parts = []
        for value, words in x:
            place, _ = self.at(value, 0)
            parts.append(tag("path", d=f"M{place:.1f} {TOP}V{bottom}", class_="grid"))
            parts.append(_text(place, bottom + 15, words, "middle"))
        for value, words in y:
            _, place = self.at(0, value)
            parts.append(tag("path", d=f"M{LEFT} {place:.1f}H{right}", class_="grid"))
            parts.append(_text(LEFT - 6, place + 4, words, "end"))
        parts.append(_text((LEFT + right) / 2, self.height - 6, names[0], "middle", "axis"))
        middle = (TOP + bottom) / 2
        turned = f"rotate(-90 11 {middle:.1f})"
        parts.append(
            tag("text", names[1], x=11, y=f"{middle:.1f}", transform=turned, text_anchor="middle",
                class_="axis")
        )  # fmt: skip
        return join(parts)

    def picture(self, words: str, *parts: object) -> Html:
        """The whole; `words` say what one would see."""
        return tag(
            "svg", *parts, viewBox=f"0 0 {self.width:g} {self.height:g}", role="img",
            aria_label=words, class_="plot",
        )  # fmt: skip

    def _path(self, points: Points, steps: bool, reverse: bool = False) -> str:
        places = [self.at(x, y) for x, y in (_stairs(points) if steps else points)]
        if reverse:
            places.reverse()
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def legend(*entries: tuple[str, str]) -> Html:
    """What the lines are: pairs of a class and words."""
    items = (tag("li", tag("i", class_=class_), words) for class_, words in entries)
    return tag("ul", *items, class_="legend")


def _stairs(points: Points) -> Points:
    corners = [(b[0], a[1]) for a, b in itertools.pairwise(points)]
    return [p for pair in zip(points, [*corners, points[-1]], strict=True) for p in pair]


def _text(x: float, y: float, words: str, anchor: str, class_: str = "tick") -> Html:
    return tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=class_)
