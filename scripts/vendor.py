"""Keeps the vendor folders: every byte there comes from a pinned npm tarball whose integrity was verified.

What is in frontend/static/vendor is shipped; what is in e2e/vendor only tests use. `update` fetches the pinned tarballs
with npm, verifies them and rewrites files, licences and lock. `check` needs neither node nor a network: it compares the
folders with their locks and fails on a changed, missing or unknown file.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "frontend" / "static" / "vendor"
TESTS_VENDOR = ROOT / "e2e" / "vendor"
LOCK = "vendor.lock.json"


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned npm package and the files we serve from it (path in the tarball -> name in the vendor folder)."""

    name: str
    version: str
    licence: str
    integrity: str
    files: dict[str, str]


PACKAGES = (
    Package(
        "htmx.org",
        "4.0.1",
        "0BSD",
        "sha512-oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==",
        {
            "dist/htmx.min.js": "htmx.min.js",
            "dist/ext/hx-sse.min.js": "hx-sse.min.js",
            "LICENSE": "htmx.LICENSE",
        },
    ),
    Package(
        "cytoscape",
        "3.34.4",
        "MIT",
        "sha512-msY99tMY8iWTg+sIPGfSqDcPNOt4xcj+v/K/7qUFaCUxxlqnMkUYLBjRUzn9W5CU/R2hrmtJa5+UtovrEM2ctg==",
        {
            "dist/cytoscape.min.js": "cytoscape.min.js",
            "LICENSE": "cytoscape.LICENSE",
        },
    ),
    # The letters of PNG files: with fonts of our own a picture is the same on every machine.
    Package(
        "@expo-google-fonts/roboto",
        "0.4.3",
        "MIT AND OFL-1.1",
        "sha512-kX3wmpmu06fN1yOwYWMdjYJWNUYW6xUiAGeHbvPzzSEb3A3j23JelQ3tAgwQNKgEKRq6wtMmzixy2r7y9c8dsA==",
        {
            "400Regular/Roboto_400Regular.ttf": "Roboto_400Regular.ttf",
            "600SemiBold/Roboto_600SemiBold.ttf": "Roboto_600SemiBold.ttf",
            "LICENSE_FONT": "Roboto.LICENSE",
        },
    ),
)
TESTS_PACKAGES = (
    # The parser that readers of our Mermaid have.
    Package(
        "@mermaid-js/tiny",
        "11.17.2",
        "MIT",
        "sha512-PmFr1c5cSfNf5AngLLR98DrbvR4U5KeD7I+hQkGqG5w5Veu3QT4dG0qu9f99cpn/sKj2XxRBK0q7EL6hr9NY/A==",
        {"dist/mermaid.tiny.js": "mermaid.tiny.js", "LICENSE": "mermaid.LICENSE"},
    ),
    # What looks for hurdles on pages.
    Package(
        "axe-core",
        "4.14.1",
        "MPL-2.0",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        {"axe.min.js": "axe.min.js", "LICENSE": "axe.LICENSE"},
    ),
)
FOLDERS = ((VENDOR, PACKAGES), (TESTS_VENDOR, TESTS_PACKAGES))


def problems(folder: Path = VENDOR, packages: tuple[Package, ...] = PACKAGES) -> list[str]:
    """What is wrong with a vendor folder, one sentence each; empty when it is as locked."""
    lock = folder / LOCK
    if not lock.is_file():
        return [f"{LOCK} is missing: run `make vendor`"]
    entries = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    pinned = {package.name: (package.version, package.licence, package.integrity) for package in packages}
    locked = {entry["name"]: (entry["version"], entry["licence"], entry["integrity"]) for entry in entries}
    sums = {name: digest for entry in entries for name, digest in entry["sha256"].items()}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {LOCK}
    found = [f"{name}: the lock does not say what scripts/vendor.py pins: run `make vendor`"
             for name in sorted(pinned.keys() | locked.keys()) if pinned.get(name) != locked.get(name)]
    found += [f"{name}: no pinned package ships it" for name in sorted(present - sums.keys())]
    found += [f"{name}: locked but missing" for name in sorted(sums.keys() - present)]
    found += [f"{name}: changed since it was vendored" for name in sorted(present & sums.keys())
              if _sha256((folder / name).read_bytes()) != sums[name]]
    return found


def update(folder: Path, packages: tuple[Package, ...]) -> None:
    """Fetch, verify and write every pinned file, then the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for package in packages:
        contents = _fetch(package)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        entries.append({
            "name": package.name,
            "version": package.version,
            "licence": package.licence,
            "integrity": package.integrity,
            "sha256": {name: _sha256(content) for name, content in sorted(contents.items())},
        })
    (folder / LOCK).write_text(json.dumps({"packages": entries}, indent=2) + "\n", encoding="utf-8")


def _fetch(package: Package) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as scratch:
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        subprocess.run(command, cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        (tarball,) = Path(scratch).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != package.integrity:
            sys.exit(f"{package.name}@{package.version}: the tarball is sha512-{digest}, not what is pinned")
        with tarfile.open(tarball) as archive:
            return {name: _member(archive, f"package/{source}") for source, name in package.files.items()}


def _member(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(path)
    if member is None:
        sys.exit(f"{path} is not a file in the tarball")
    return member.read()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=["update", "check"])
    if parser.parse_args().command == "update":
        for folder, packages in FOLDERS:
            update(folder, packages)
    found = [problem for folder, packages in FOLDERS for problem in problems(folder, packages)]
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
