"""`python -m treadle` is the command `treadle`."""

from __future__ import annotations

from treadle.cli import main

main()
