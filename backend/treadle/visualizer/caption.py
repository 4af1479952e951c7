"""Write what stands below a picture in a file: the legend, the caption, and what may be wrong with the workflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from treadle.visualizer.geometry import Bounds
from treadle.visualizer.graph import Graph
from treadle.visualizer.icons import WARNING
from treadle.visualizer.legend import Sample, samples
from treadle.visualizer.markup import clean, number
from treadle.visualizer.overlay import Overlay
from treadle.visualizer.text import text_width, wrapped

_NARROWEST = 420.0
_MARGIN = 16.0
_ROW = 26.0
_LINE = 18.0
_FONT = 12.0
_APART = 8.0


@dataclass(frozen=True, slots=True)
class Caption:
    """The words below a picture, and the bounds of picture and words together."""

    bounds: Bounds
    svg: str = ""

    @classmethod
    def of(cls, graph: Graph, box: Bounds, *, overlay: Overlay | None, legend: bool, text: str) -> Caption:
        """The caption of a picture in `box`; without `legend` and `text` there is none."""
        if not legend and not text:
            return cls(box)
        width = max(box.width, _NARROWEST)
        left = box.left - (width - box.width) / 2
        at = box.top + box.height + 4.0
        rule = f"M{number(left + _MARGIN)} {number(at)}h{number(width - 2 * _MARGIN)}"
        out = [f'<g class="graph-caption"><path class="graph-rule" d="{rule}"/>']
        at += 8.0
        if legend:
            for row in _rows(graph, overlay, width - 2 * _MARGIN):
                out += [_sample(sample, left + _MARGIN + x, at) for x, sample in row]
                at += _ROW
        for line in wrapped(text, size=_FONT, width=width - 2 * _MARGIN):
            out.append(_text(line, left + _MARGIN, at + 13))
            at += _LINE
        for warning in graph.warnings:
            for index, line in enumerate(wrapped(warning, size=_FONT, width=width - 2 * _MARGIN - 20)):
                if not index:
                    place = f"translate({number(left + _MARGIN + 7)} {number(at + 9)}) scale(.8)"
                    out.append(f'<path class="graph-warning" transform="{place}" d="{WARNING}"/>')
                out.append(_text(line, left + _MARGIN + 20, at + 13))
                at += _LINE
        height = at + 12.0 - box.top
        return cls(Bounds(left, box.top, width, round(height, 2)), "".join(out) + "</g>")


def _rows(graph: Graph, overlay: Overlay | None, width: float) -> Iterator[list[tuple[float, Sample]]]:
    """The samples of the legend, as many in a row as fit."""
    row: list[tuple[float, Sample]] = []
    x = 0.0
    for sample in samples(graph, overlay=overlay):
        _, size, words = sample
        wide = size[0] + (_APART if size[0] else 0.0) + text_width(words, size=_FONT) + 16.0
        if row and x + wide > width:
            yield row
            row, x = [], 0.0
        row.append((x, sample))
        x += wide
    if row:
        yield row


def _sample(sample: Sample, x: float, y: float) -> str:
    shape, size, words = sample
    if not shape:
        return _text(words, x, y + 14)
    drawn = f'<g transform="translate({number(x)} {number(y)})">{shape}</g>'
    return drawn + _text(words, x + size[0] + _APART, y + 14)


def _text(words: str, x: float, y: float) -> str:
    return f'<text class="graph-caption-text" x="{number(x)}" y="{number(y)}">{clean(words)}</text>'
