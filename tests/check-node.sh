#!/bin/sh
# SPDX-License-Identifier: MIT
# JavaScript functions have their names when node writes a perf map.
set -u
build=${PROFTOP_BUILT:-.}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder" /tmp/perf-"$(cat "$folder/pid")".map' EXIT

command -v node >/dev/null 2>&1 || {
    echo "skipped: check-node.sh: node is not installed"
    exit 77
}
cat >"$folder/work.js" <<'END'
require('fs').writeFileSync(process.argv[2], String(process.pid));
function hottest(n) { return n < 2 ? n : hottest(n - 1) + hottest(n - 2); }
const end = Date.now() + 1500;
while (Date.now() < end) hottest(20);
END
"$build/proftop" record -F 500 -o "$folder/folded" --format folded -- \
    node --perf-basic-prof "$folder/work.js" "$folder/pid" >"$folder/words" 2>&1 || {
    cat "$folder/words"
    exit 1
}
# It is where nearly all of the time goes.
awk '/;hottest(_\[j\])? [0-9]+$/ { hottest += $NF } { all += $NF }
     END { print hottest " of " all " samples in hottest()"; exit !(all > 0 && hottest > all / 2) }' \
    "$folder/folded"
