"""Where the files that are not Python lie: beside the package in a checkout, inside it (`_data`) in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent


def _root() -> Path:
    """A checkout is told by its project file: files edited there must be the ones shown."""
    in_checkout = _PACKAGE.parent.name == "backend" and (_CHECKOUT / "pyproject.toml").is_file()
    return _CHECKOUT if in_checkout else _PACKAGE / "_data"


TEMPLATES = _root() / "frontend" / "templates"
"""Jinja2 templates."""

STATIC = _root() / "frontend" / "static"
"""Style sheets, scripts and vendored libraries, served as they are."""

MIGRATIONS = _root() / "migrations"
"""The Alembic environment and its revisions."""

GALLERY = _root() / "workflows"
"""The workflow files that the studio shows when it is given none."""
