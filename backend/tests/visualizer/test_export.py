"""An exported page is one file: its policy allows its own style and script by hash and nothing else."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

from treadle.visualizer.export import possible_html, run_html
from treadle.visualizer.graph import Graph, Node
from treadle.visualizer.overlay import overlay_of

from .samples import APPROVAL, RAG


def _hashed(page: str, tag: str) -> str:
    found = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    assert len(found) == 1
    return f"'sha256-{b64encode(sha256(found[0].encode()).digest()).decode()}'"


def test_exported_page_allows_exactly_its_own_style_and_script() -> None:
    page = possible_html(APPROVAL)
    policy = re.search('Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert f"style-src {_hashed(page, 'style')};" in policy[1]
    assert f"script-src {_hashed(page, 'script')};" in policy[1]
    assert policy[1].startswith("default-src 'none'")


def test_exported_page_asks_for_nothing() -> None:
    page = run_html(RAG, overlay_of(RAG, {}, run_status="completed"), title="r_1", caption="A run")
    outside = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?://|@import|url\(|\ssrc=|\shref=", outside)


def test_exported_page_escapes_its_title_and_names() -> None:
    hostile = "</style></title><script>alert(1)</script>"
    page = possible_html(
        Graph(hostile, (Node("step:x", "step", hostile, "step"),), warnings=(hostile,)), caption=hostile
    )
    assert "alert(1)</script>" not in page
    assert page.count("<script>") == 1
