#!/bin/sh
# SPDX-License-Identifier: MIT
# Every export, read by a reader of its own: the same self and total of each function as the JSON
# report has.  Readers of others (callgrind_annotate, protoc, …) are asked where they are there.
# shellcheck source=tests/harness/check.sh
. "${PROFTOP_SOURCE:-$(dirname "$0")/..}/tests/harness/check.sh"

if ! python3 -c '' 2>/dev/null; then
    echo "skipped: check-exports: python3 is not installed"
    exit 77
fi
for kind in plain processes hostile; do
    "$built/tests/make_session" $kind "$folder/$kind.proftop" || exit 1
    python3 "$source/tests/read_exports.py" "$built/proftop" "$folder/$kind.proftop" || status=1
done
exit $status
