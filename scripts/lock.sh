#!/bin/sh
# Pins requirements/*.txt for every platform and Python we run on, with hashes and without a word about any index.
set -eu
cd "$(dirname "$0")/.."
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    .venv/bin/python -m pip install --quiet uv
    uv=.venv/bin/uv
fi
pin() {
    output=requirements/$1.txt
    shift
    "$uv" pip compile pyproject.toml --group build "$@" --output-file "$output" --universal --python-version 3.11 \
        --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet
}
pin test --extra gallery --extra png --extra dev --upgrade
# What is served is a part of what was tested, version by version.
pin serve --extra gallery --extra png --constraints requirements/test.txt --upgrade
