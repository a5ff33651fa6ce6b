# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
# What the scripts of tests/ begin with: where things are, a folder that goes with the script, and
# failures that are told and kept in $status.
set -u
built=$(cd "${PROFTOP_BUILT:-.}" && pwd)
source=$(cd "${PROFTOP_SOURCE:-$(dirname "$0")/..}" && pwd)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
status=0

fail() {
    echo "FAILED: $*"
    status=1
}
