#!/bin/sh
# Makes .venv and installs requirements/$1.txt (exactly what is pinned and hashed), then the project itself, editable.
# Needs a Python >= 3.11; uses uv when it is there because it is quicker, pip otherwise.
set -eu
cd "$(dirname "$0")/.."
set_name=$1
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH

# A version manager's shim answers to a name and then does not run: each candidate is asked for its version.
fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}
find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python /usr/bin/python3; do
        if fits "$candidate"; then
            # The base interpreter, not that of an activated environment which may go away.
            "$candidate" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)'
            return
        fi
    done
    echo "Treadle needs Python 3.11 or newer; none was found on PATH. Name one: make PYTHON=/path/to/python3.12 ..." >&2
    return 1
}

uv=$(command -v uv || true)
if [ -n "$uv" ] && ! "$uv" --version >/dev/null 2>&1; then uv=; fi

if ! fits .venv/bin/python; then
    python=$(find_python)
    echo "Making .venv with $python"
    rm -rf .venv
    if [ -n "$uv" ]; then
        "$uv" venv --quiet --python "$python" .venv
    elif ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "$python cannot make environments: install its venv module (Debian: apt-get install python3-venv) or uv." >&2
        exit 1
    fi
fi

echo "Installing requirements/$set_name.txt"
if [ -n "$uv" ]; then
    "$uv" pip install --quiet --python .venv/bin/python --require-hashes -r "requirements/$set_name.txt"
    "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
else
    # An environment that uv made has no pip of its own.
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$set_name.txt"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
fi
touch ".venv/.$set_name"
