"""The seed is the seed, and its blocks are found whole: none is missed, none has prose in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seed.blocks import SEED, blocks, python_blocks, seed_lines
from seed.plan import ENGINE_ENDS

ORIGINAL = Path(__file__).resolve().parents[4] / "shared" / "seed.txt"

# first and last line of each block
PYTHON = [
    (52, 57), (62, 71), (88, 97), (104, 106), (119, 126), (130, 135), (140, 159), (170, 172), (184, 185), (189, 196),
    (207, 251), (269, 276), (280, 305), (309, 319), (328, 338), (342, 348), (352, 375), (385, 399), (411, 423),
    (430, 452), (463, 506), (525, 557), (561, 563), (574, 587), (599, 599), (610, 639), (643, 647), (651, 654),
    (663, 667), (671, 682), (694, 696), (705, 748), (752, 753), (781, 796), (803, 805), (822, 823), (827, 829),
    (853, 862), (867, 905), (910, 911), (916, 918), (923, 934), (943, 954), (961, 963), (978, 989), (994, 1009),
    (1016, 1037), (1046, 1084), (1089, 1096), (1105, 1115), (1119, 1122), (1126, 1137), (1144, 1166), (1172, 1185),
    (1190, 1202), (1209, 1245), (1252, 1257),
]  # fmt: skip
SHELL = [(43, 43), (47, 47), (974, 974)]
PRINTED = [(163, 166), (567, 570), (591, 595), (757, 776)]

LOOKS_LIKE_CODE = re.compile(
    r"""\s+\S                                      # prose is never indented
    |(?:import|class|def|async|await|return)\s
    |from\s\S+\simport\b
    |(?:if|elif|else|for|while|with|try|except|finally)\b.*:$
    |@\w
    |(?:draw_\w+|ctx\.\w+|handler\.\w+|print|asyncio\.run)\(
    |[\w.]+\s=\s
    |[)\]}]
    |\#\s
    """,
    re.VERBOSE,
)


@pytest.mark.skipif(not ORIGINAL.is_file(), reason="the seed itself is not beside this checkout")
def test_copy_is_the_seed_byte_for_byte() -> None:
    assert SEED.read_bytes() == ORIGINAL.read_bytes()


def test_blocks_of_the_engine_are_these() -> None:
    found = [(block.first, block.last, block.kind) for block in blocks().values() if block.first <= ENGINE_ENDS]
    named = {"python": PYTHON, "shell": SHELL, "printed": PRINTED}
    assert found == sorted((first, last, kind) for kind, spans in named.items() for first, last in spans)


def test_no_line_that_looks_like_code_is_outside_a_block() -> None:
    """In the whole text, not in the engine's part alone; the deployment's part is found by the same finder."""
    inside = {line for block in blocks().values() for line in range(block.first, block.last + 1)}
    outside = [(n, line) for n, line in enumerate(seed_lines(), 1) if n not in inside and LOOKS_LIKE_CODE.match(line)]
    assert outside == [(1288, " llama_deploy #"), (1746, "# using pip install"), (1749, "# using poetry")]


def test_no_block_ends_too_early() -> None:
    """What follows a block is prose."""
    lines = seed_lines()
    for block in python_blocks():
        following = lines[block.last] if block.last < len(lines) else ""
        assert not LOOKS_LIKE_CODE.match(following), (block.last + 1, following)


def test_seed_says_in_words_that_random_is_imported() -> None:
    """The one import it tells without printing it."""
    assert "import random" in seed_lines()[186 - 1]
