"""Finds the Chromium that the end-to-end tests drive, and installs one where that is possible.

`python e2e/browser.py install` is what make runs before the tests. It ends well even without a browser: the tests then
skip in red, or fail when CI is set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Quiet and alone: nothing is looked up, updated or synchronised while a test runs.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = (
    "no Chromium: set TREADLE_BROWSER to one, or run `python -m playwright install chromium`, or install your system's"
)


def find() -> str | None:
    """The path of a browser that answers to --version, or None."""
    return next((path for path in _candidates() if _runs(path)), None)


def install() -> str | None:
    """Find a browser or try to get one: Playwright's own first, then the system's package where we may install it."""
    found = find()
    if found:
        return found
    for command in _installers():
        print("$", " ".join(command), flush=True)
        try:
            subprocess.run(command, check=True, timeout=600, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        except (subprocess.SubprocessError, OSError) as error:
            print(f"  did not work: {error}", flush=True)
        else:
            found = find()
            if found:
                return found
    return None


def _candidates() -> Iterator[str]:
    named = os.environ.get("TREADLE_BROWSER")
    if named:
        yield named
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    yield own
    for name in NAMES:
        path = shutil.which(name)
        if path:
            yield path


def _runs(path: str) -> bool:
    if not Path(path).is_file():
        return False
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (subprocess.SubprocessError, OSError):
        return False
    return answer.returncode == 0


def _installers() -> Iterator[list[str]]:
    yield [sys.executable, "-m", "playwright", "install", "chromium"]
    if Path("/etc/debian_version").exists() and shutil.which("apt-get") and os.geteuid() == 0:
        yield ["sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null"]


if __name__ == "__main__":
    path = install() if sys.argv[1:] == ["install"] else find()
    print(f"Browser: {path}" if path else MISSING)
