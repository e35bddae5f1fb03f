#!/bin/bash
# Resolve setup.py into the two lock files, with the hashes of all wheels.
#
# The resolver lives in a folder of its own that goes away afterwards: it is no part of what is tested. CONSTRAINTS may
# name a file of pins that must be kept.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip --disable-pip-version-check --quiet install pip-tools

# Neither the address of a registry nor that of a folder of wheels belongs into a file that others use.
compile() {
    local out=$1
    shift
    CUSTOM_COMPILE_COMMAND="make lock" "$work/venv/bin/pip-compile" --quiet --generate-hashes --strip-extras \
        --allow-unsafe --all-build-deps --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        --no-header --no-annotate --upgrade ${CONSTRAINTS:+--constraint "$CONSTRAINTS"} "$@" \
        --output-file "$work/$out" setup.py
    {
        echo "# Made by \`make lock\` from setup.py: what the suite was run with. Do not edit."
        echo "# Install with: pip install --require-hashes --requirement $out"
        cat "$work/$out"
    } > "$out"
}

# The second is resolved against the first, so that both name the same version of everything that is in both.
compile requirements.lock
CONSTRAINTS=requirements.lock compile requirements-develop.lock --extra test --extra check --extra bench
