"""Stored values as plain data, which is how they are compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from treadle.engine.serializers import to_json
from treadle.store.unloaded import plain

WRITE = """
from treadle.engine.serializers import to_json
words = {"warp", "weft", "heddle", "reed", "shed"}
print(to_json([words, {frozenset(words), frozenset({"pick", "beam"})}]))
"""


def test_a_set_is_equal_to_itself_whichever_process_wrote_it() -> None:
    texts = [
        subprocess.run(
            [sys.executable, "-c", WRITE], env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout
        for seed in (1, 2)
    ]  # fmt: skip
    assert texts[0] != texts[1]
    assert plain(json.loads(texts[0])) == plain(json.loads(texts[1]))
    assert plain(json.loads(texts[0])) != plain(json.loads(texts[0].replace("reed", "loom")))


def test_a_list_keeps_its_order_and_damage_is_told_as_it_is() -> None:
    assert plain([2, 1]) == [2, 1]
    assert plain({"$": "set"}) == {"form": "set"}
    assert plain({"$": {"v": 3}}) == {"form": {"v": 3}}
    assert plain({"$": "set", "v": 3}) == {"form": "set", "v": 3}


def test_a_very_long_integer_is_equal_to_itself_in_either_form() -> None:
    for number in (10**4000, -(10**4000), 10**4299):
        assert plain(json.loads(str(number))) == plain(json.loads(to_json(number)))
    assert plain(10**3999) == 10**3999
