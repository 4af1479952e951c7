"""The house rules that a machine can check: storeys, dependencies, vendored bytes, true documents."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "backend" / "treadle"
SOURCES = sorted(PACKAGE.rglob("*.py"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TEMPLATES = sorted((ROOT / "frontend" / "templates").rglob("*.html"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_go_down_only() -> None:
    """Every contract of pyproject.toml: storeys, no cycles, who may know the database, the web, server-sent events."""
    lint = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([lint, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_face_brings_no_web_and_no_database() -> None:
    """`import treadle` in somebody's script costs an engine, not a studio."""
    heavy = "{'fastapi', 'starlette', 'uvicorn', 'sqlmodel', 'sqlalchemy', 'alembic', 'jinja2', 'typer', 'rich'}"
    script = f"import sys, treadle; print(*sorted({heavy} & sys.modules.keys()))"
    brought = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not brought


def test_runtime_dependencies_stay_few_and_used() -> None:
    """At most 15, and each of them imported somewhere in the package."""
    names = {re.split(r"[\[<>=~; ]", item)[0] for item in PROJECT["project"]["dependencies"]}
    assert len(names) <= 15
    imported = {module.partition(".")[0] for path in SOURCES for module in imports(path)}
    unused = {name for name in names if name.replace("-", "_") not in imported}
    assert not unused


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=relative)
def test_requirements_are_hashed_and_name_no_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "-index" not in text
    pins = re.split(r"\n(?=\S)", text.strip())
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)


def test_what_is_served_is_what_was_tested() -> None:
    """Every line of serve.txt stands in test.txt with the same version."""
    served, tested = (set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / name).read_text("utf-8"), re.MULTILINE))
                      for name in ("serve.txt", "test.txt"))
    assert served <= tested


def test_vendored_files_are_the_pinned_ones() -> None:
    assert vendor().problems() == []


def test_vendor_check_sees_changed_missing_and_unknown_files(tmp_path: Path) -> None:
    module = vendor()
    for path in module.VENDOR.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "htmx.min.js").write_text("alert(1)", encoding="utf-8")
    (tmp_path / "cytoscape.LICENSE").unlink()
    (tmp_path / "extra.js").touch()
    assert module.problems(tmp_path) == [
        "extra.js: no pinned package ships it",
        "cytoscape.LICENSE: locked but missing",
        "htmx.min.js: changed since it was vendored",
    ]


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_file_is_named_by_a_noun_and_stays_short(path: Path) -> None:
    assert path.stem not in VAGUE
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_template_has_no_inline_script_or_style(path: Path) -> None:
    """The content security policy allows none; inert JSON blocks are data."""
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    scripts = re.findall(r"<script\b[^>]*>", text)
    assert all("src=" in tag or "application/json" in tag for tag in scripts)
    assert "<style" not in text
    assert not re.search(r"<[^>]*\s(style|on[a-z]+)\s*=", text)
    assert not re.search(r"(src|href)=\"(https?:)?//", text), "nothing is loaded from elsewhere"


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_document_points_at_what_exists(path: Path) -> None:
    """Relative links lead somewhere and every `make target` exists."""
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", text, re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=relative)
def test_decision_is_numbered_and_fits_a_page(path: Path) -> None:
    assert re.match(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40


def test_make_help_names_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == set(re.findall(r"^([a-z0-9-]+):.* ## ", MAKEFILE, re.MULTILINE))


def imports(path: Path) -> set[str]:
    """The absolute names of the modules that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    origins = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return plain | {name for name in origins if name}


def vendor() -> ModuleType:
    """scripts/vendor.py, which is a program and not a part of the package."""
    spec = spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules["vendor"] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module
