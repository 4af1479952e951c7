"""`python -m treadle.compat script.py [argument ...]` is `python script.py [argument ...]` on Treadle."""

from __future__ import annotations

import io
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from treadle.compat import install

USAGE = "usage: python -m treadle.compat script.py [argument ...]"


def main(arguments: list[str]) -> int:
    """Run the script named first as `__main__`, with the rest as its arguments; what it raises is raised."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stderr.write(f"{USAGE}\nRuns a script that imports LlamaIndex's workflows on Treadle.\n")
        return 0 if arguments else 2
    script = Path(arguments[0]).absolute()
    sys.argv[:] = arguments
    if not sys.flags.safe_path:
        sys.path[0] = str(script.resolve().parent)
    sys.excepthook = _without_our_frames
    try:
        with io.open_code(str(script)) as file:
            source = file.read()
    except OSError as error:
        told = f"[Errno {error.errno}] {error.strerror}"
        sys.stderr.write(f"{sys.executable} -m treadle.compat: can't open file {str(script)!r}: {told}\n")
        return 2
    install()
    _run(compile(source, str(script), "exec", dont_inherit=True), script)
    return 0


def _run(code: CodeType, script: Path) -> None:
    module = ModuleType("__main__")
    module.__file__ = str(script)
    module.__loader__ = SourceFileLoader("__main__", str(script))
    vars(module).update(__annotations__={}, __builtins__=sys.modules["builtins"], __cached__=None)
    sys.modules["__main__"] = module
    exec(code, vars(module))  # noqa: S102 - the file the caller names, run as Python would run it


def _without_our_frames(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    shown = trace
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == __file__:
            shown = trace.tb_next
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(shown), shown)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
