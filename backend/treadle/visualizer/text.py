"""Estimate how wide a word is before any browser has seen it.

The table holds the advance widths of a common system sans (thousandths of the font size); it errs a little on the wide
side, so that another font still fits its box.
"""

from __future__ import annotations

from typing import Final

_WIDE: Final = 1.12
_DEFAULT: Final = 600
_FULL: Final = 1000
_WIDTHS: Final[dict[str, int]] = {
    **dict.fromkeys("ijl|'", 230),
    **dict.fromkeys(" .,:;!ft/\\I[]", 290),
    **dict.fromkeys('r-()`"*', 345),
    **dict.fromkeys("ckJsvxyz^", 510),
    **dict.fromkeys("abdeghnopqu0123456789_L?#$+<=>~", 565),
    **dict.fromkeys("FTZ", 615),
    **dict.fromkeys("ABEKPSVXY&", 680),
    **dict.fromkeys("CDHNRUw", 725),
    **dict.fromkeys("GOQ", 780),
    **dict.fromkeys("mM", 845),
    **dict.fromkeys("W%@", 950),
    "×": 585,
    "…": 1000,
}
LONGEST: Final = 36


def text_width(text: str, *, size: float) -> float:
    """The width of `text` in pixels at a font size of `size` pixels."""
    total = sum(_WIDTHS.get(char, _DEFAULT if char < "\u1100" else _FULL) for char in text)
    return round(total * size * _WIDE / 1000, 1)


def shortened(text: str, *, longest: int = LONGEST) -> str:
    """`text` on one line, cut in the middle when it is long: both ends of a long name tell it from its neighbours."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    tail = longest // 3
    return f"{line[: longest - tail - 1]}…{line[-tail:]}"


def times(count: int) -> str:
    """How often, in as few letters as possible: nothing for once, then `×3`, `×1.2k`, `×3M`."""
    if count < 2:
        return ""
    if count < 1000:
        return f"×{count}"
    for unit, size in (("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)):
        scaled = count / size
        if scaled < 999.5 or unit == "G":
            return f"×{scaled:.1f}{unit}".replace(".0", "") if scaled < 9.95 else f"×{scaled:.0f}{unit}"
    return f"×{count}"


def fitting(text: str, *, size: float, width: float) -> str:
    """As much of the beginning of `text` as fits into `width` pixels."""
    if text_width(text, size=size) <= width:
        return text
    kept = text
    while kept and text_width(kept + "…", size=size) > width:
        kept = kept[:-1]
    return kept.rstrip(" ;,·") + "…"


def wrapped(text: str, *, size: float, width: float) -> list[str]:
    """`text` in lines of at most `width` pixels, broken between words."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size=size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
