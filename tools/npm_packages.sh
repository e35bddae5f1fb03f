#!/bin/bash
# Install what tests/real uses from npm, into tests/real/npm: exactly the packages of its lock file.
#
# Nothing of what is installed runs while it is installed. A stamp remembers the lock file, so that the second run does
# nothing. Without npm or without a network everything else still runs.
set -euo pipefail

cd "$(dirname "$0")/../tests/real/npm"
STAMP=node_modules/.ready

cmp --silent package-lock.json "$STAMP" && exit 0

skip() {
    echo "$1; tests with packages from npm are skipped"
    exit 0
}

command -v npm >/dev/null || skip "there is no npm"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing packages from npm into tests/real/npm/node_modules"
if ! npm ci --ignore-scripts --no-audit --no-fund >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -rf node_modules
    skip "the packages could not be installed"
fi
cp package-lock.json "$STAMP"
