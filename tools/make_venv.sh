#!/bin/bash
# Make a virtual environment with pip in it, or say in plain words what is missing.
#
# Usage: make_venv.sh FOLDER. PYTHON may name the interpreter.
set -euo pipefail
folder=$1

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" && echo "$PYTHON" && return
        echo "PYTHON=$PYTHON is not Python 3.11 or newer" >&2
        return 1
    fi
    # The version that is tested goes first.
    for candidate in python3.11 python3 python3.12 python3.13 python3.14; do
        fits "$candidate" && echo "$candidate" && return
    done
    echo "konnectd needs Python 3.11 or newer (on Debian 12: apt-get install python3 python3-venv)" >&2
    return 1
}

# Debian keeps what `python3 -m venv` needs in a package of its own.
can_make_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

install_venv_package() {
    local package
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && [ -z "${NO_SYSTEM_PACKAGES:-}" ] && command -v apt-get >/dev/null; then
        echo "installing $package: this Python can not make virtual environments without it"
        apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$package" \
            >/dev/null && return
    fi
    echo "this Python can not make virtual environments: install $package first (apt-get install $package)," >&2
    echo "or name another Python: make PYTHON=/path/to/python3.11 ..." >&2
    return 1
}

python=$(find_python)
can_make_venv "$python" || install_venv_package "$python"
echo "making $folder with $("$python" --version)"
"$python" -m venv --clear "$folder"
