#!/bin/sh
# SPDX-License-Identifier: MIT
# The HTML page and the SVG in a real browser: their scripts run, and what they show is what the
# report has.  No network is needed: the browser gets none.
# shellcheck source=tests/harness/check.sh
. "${PROFTOP_SOURCE:-$(dirname "$0")/..}/tests/harness/check.sh"

if ! browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome); then
    echo "skipped: check-pages: chromium is not installed"
    exit 77
fi

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

    # A mouse drags over the lanes, searches, zooms and goes back; what the page says then.
    sed '/^<\/body>/d; /^<\/html>/d' "$folder/$kind.html" >"$folder/used.html"
    cat >>"$folder/used.html" <<'END'
<script>
function mouse(target, kind, x, y) {
  const box = target.getBoundingClientRect();
  target.dispatchEvent(new MouseEvent(kind, { bubbles: true, clientX: box.left + x,
                                              clientY: box.top + y }));
}
function overLanes(kind, bucket) {
  mouse($("lanes"), kind, xOf(bucket + 0.5, $("lanes").getBoundingClientRect().width), 5);
}
const said = [], count = DATA.buckets.length;
const from = Math.floor(count / 4), to = Math.floor(count / 2);
const samplesNow = () => $("range").textContent.replace(/.*: ([0-9]+) samples.*/, "$1");
overLanes("mousedown", from);
overLanes("mousemove", to - 1);
overLanes("mouseup", to - 1);
said.push("range", DATA.session.duration_s * from / count, DATA.session.duration_s * to / count,
          samplesNow());
const leader = [...$("top").rows].find((row) => row.cells[4].textContent !== "");
leader.click();
said.push("search", state.search.test(leader.cells[4].textContent),
          document.querySelectorAll("tr.match").length > 0);
$("search").value = "(";
$("search").dispatchEvent(new Event("input"));
said.push($("matched").textContent.includes("not a regular"));
const inner = boxes.find((box) => box.node !== 0);
mouse($("flame"), "click", inner.x + inner.w / 2, (inner.row + 0.5) * ROW);
said.push("zoom", state.zoom === inner.node);
window.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
said.push("all", state.zoom === 0 && $("search").value === "", samplesNow());
document.title = "said: " + said.join(" ");
</script>
END
    show "$folder/used.html" | sed -n 's/.*<title>said: \(.*\)<\/title>.*/\1/p' >"$folder/said"
    # shellcheck disable=SC2046 # words
    set -- $(cat "$folder/said")
    [ $# -eq 13 ] || { fail "$kind.html: a mouse got as far as: $(cat "$folder/said")"; continue; }
    in_range=$("$built/proftop" report "$session" --json --view top --range "$2..$3" |
        sed -n 's/^  "samples": \([0-9]*\),*/\1/p' | tail -1)
    [ "$4" = "$in_range" ] || fail "$kind.html has $4 samples in $2..$3, the report $in_range"
    [ "$6 $7 $8 ${10} ${12}" = "true true true true true" ] ||
        fail "$kind.html: a mouse gave $(cat "$folder/said")"

    # The script has redrawn the root at full width, to two digits.
    show "$folder/$kind.svg" >"$folder/page"
    grep -q 'width="1199.60"' "$folder/page" || fail "the script of $kind.svg did not run"
done
exit $status
