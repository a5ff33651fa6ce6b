#!/bin/sh
# SPDX-License-Identifier: MIT
# Every export, read by a reader of its own: the same self and total of each function as the JSON
# report has.  Readers of others (callgrind_annotate, protoc, …) are asked where they are there.
set -u
built=${PROFTOP_BUILT:-.}
source=${PROFTOP_SOURCE:-..}

if ! python3 -c '' 2>/dev/null; then
    echo "skipped: check-exports: python3 is not installed"
    exit 77
fi
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
status=0
for kind in plain processes hostile; do
    "$built/tests/make_session" $kind "$folder/$kind.proftop" || exit 1
    python3 "$source/tests/read_exports.py" "$built/proftop" "$folder/$kind.proftop" || status=1
done
exit $status
