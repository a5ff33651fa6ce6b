#!/bin/sh
# SPDX-License-Identifier: MIT
# The HTML page and the SVG in a real browser: their scripts run, and what they show is what the
# report has.  No network is needed: the browser gets none.
set -u
built=${PROFTOP_BUILT:-.}

if ! browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome); then
    echo "skipped: check-pages: chromium is not installed"
    exit 77
fi
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
status=0

fail() {
    echo "FAILED: $*"
    status=1
}

show() {
    HOME=$folder timeout 120 "$browser" --headless --no-sandbox --disable-gpu \
        --host-resolver-rules='MAP * ~NOTFOUND' --dump-dom "file://$1" 2>"$folder/errors"
}

for kind in plain hostile; do
    session=$folder/$kind.proftop
    "$built/tests/make_session" $kind "$session" || exit 1
    for format in html svg; do
        "$built/proftop" report "$session" --format $format -o "$folder/$kind.$format" || exit 1
    done

    # The busiest function's row: its share, its samples, its name.
    top=$("$built/proftop" report "$session" --format csv -n 1 | sed -n 2p | tr -d '\r')
    share=$(printf '%.1f' "$(echo "$top" | cut -d, -f1)")
    samples=$(echo "$top" | cut -d, -f4)
    show "$folder/$kind.html" >"$folder/page"
    grep -q "<tr><td>$share</td><td>[0-9.]*</td><td>[-0-9.]*</td><td>$samples</td>" "$folder/page" ||
        fail "$kind.html has no row of $share % and $samples samples"
    grep -q 'range 0.0 s – 12.0 s' "$folder/page" || fail "$kind.html shows no range"
    grep -q '<script>alert' "$folder/page" && fail "$kind.html lets a name in as markup"

    # The script has redrawn the root at full width, to two digits.
    show "$folder/$kind.svg" >"$folder/page"
    grep -q 'width="1199.60"' "$folder/page" || fail "the script of $kind.svg did not run"
done
exit $status
