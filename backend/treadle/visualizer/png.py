"""Turn an SVG file into pixels, where the optional library for that is installed.

Latin letters come from the font that is shipped, so that a picture is the same everywhere; what that has no glyphs for
comes from the machine's own fonts.
"""

from __future__ import annotations

import re
from importlib.util import find_spec

from treadle.errors import ExtraMissing
from treadle.resources import STATIC

_FONTS = ("Roboto_400Regular.ttf", "Roboto_600SemiBold.ttf")
_FAMILY = re.compile(r"font-family:[^;}]*")
LARGEST = 16_384
"""Pixels of the longer side: more than that few programs open."""
_SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"')


def can_draw() -> bool:
    """Whether the library is there."""
    return find_spec("resvg_py") is not None


def to_png(svg: str, *, scale: float = 1.0) -> bytes:
    """The picture in pixels, `scale` times its size or as much of that as fits. Raises ExtraMissing."""
    try:
        import resvg_py
    except ModuleNotFoundError:
        raise ExtraMissing("png", "Drawing PNG files") from None
    fonts = [str(STATIC / "vendor" / name) for name in _FONTS]
    found = _SIZE.search(svg)
    longest = max(float(found[1]), float(found[2])) if found else 1.0
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=_FAMILY.sub("font-family:Roboto", svg),
            zoom=max(0.05, min(scale, LARGEST / longest)),
            font_files=fonts,
            font_family="Roboto",
            sans_serif_family="Roboto",
        )
    )
