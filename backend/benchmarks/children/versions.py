"""Run by any interpreter: its version and those of all packages it has, as JSON on stdout."""

from __future__ import annotations

import json
import platform
from importlib.metadata import distributions

if __name__ == "__main__":
    packages = {found.metadata["Name"]: found.version for found in distributions()}
    print(json.dumps({"python": platform.python_version(), "packages": dict(sorted(packages.items()))}))
