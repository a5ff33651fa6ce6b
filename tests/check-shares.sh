#!/bin/sh
# SPDX-License-Identifier: MIT
# The whole way, from a process to a table: the demo's known shares come out of a recording, as they
# are with what they call, and one thread at a time.
# shellcheck source=tests/harness/check.sh
. "${PROFTOP_SOURCE:-$(dirname "$0")/..}/tests/harness/check.sh"

record() { # NAME PHASE OPTION...
    name=$1 phase=$2
    shift 2
    "$built/proftop" record -F 999 "$@" -o "$folder/$name" -- \
        "$built/demo/demo" --phase "$phase" --seconds 3 --quiet || {
        echo "recording the phase $phase failed: $?"
        exit 1
    }
}

# FILE COLUMN FUNCTION LOW HIGH: the function's share in points lies between.  Its own time is
# measured by that of the program: how much the kernel's interrupts take is not the demo's to know.
share() {
    got=$("$built/proftop" report "$folder/$1" --view top --format csv -n 1000 | awk -F, -v column="$2" -v name="$3" '
        NR == 1 { for (i = 1; i <= NF; i++) { if ($i == column) c = i; if ($i == "name") n = i; if ($i == "kind") k = i } }
        NR > 1 && $n == name { sum += $c }
        NR > 1 && ($k == "kernel" || $n == "[kernel]") && column == "self_pct" { kernel += $c }
        END { print 100 * sum / (100 - kernel) }')
    if ! awk -v got="$got" -v low="$4" -v high="$5" 'BEGIN { exit !(got >= low && got <= high) }'; then
        echo "$1: $2 of $3 is $got, not between $4 and $5"
        status=1
    fi
}

# 1000 samples at the least, on a busy machine: four standard deviations of 40 % are 6 points.
record cpu.proftop cpu
share cpu.proftop self_pct shade_pixels 34 46
share cpu.proftop self_pct blend_layers 15 25
share cpu.proftop self_pct split_words 15 25
share cpu.proftop self_pct look_up_names 6 14
share cpu.proftop self_pct pack_result 6 14
share cpu.proftop total_pct draw_frame 54 66
share cpu.proftop total_pct read_input 24 36
share cpu.proftop total_pct cpu_round 97 100.01

record deep.proftop deep
share deep.proftop self_pct deep_bottom 97 100.01
share deep.proftop total_pct deep_step 97 100.01

record lock.proftop lock
share lock.proftop self_pct hold_lock 95 100.01

# A phase chosen by its seconds has its own functions alone.  Each runs on a thread of its name, and
# the session says when that began and ended; a tenth of a second is kept together.
if ! python3 -c 'import sqlite3' 2>/dev/null; then
    echo "skipped: check-shares: python3 is not installed"
    exit $status
fi
"$built/proftop" record -F 999 -o "$folder/phases.proftop" -- "$built/demo/demo" --seconds 0.6 --quiet
python3 - "$built/proftop" "$folder/phases.proftop" <<'END' || status=1
import json, sqlite3, subprocess, sys

LEADERS = {'cpu': 'shade_pixels', 'lock': 'hold_lock', 'faults': 'touch_pages',
           'deep': 'deep_bottom'}
proftop, path = sys.argv[1:]
threads = sqlite3.connect(path).execute('SELECT name, began_ns, ended_ns FROM threads').fetchall()
failed = False
for phase, leader in LEADERS.items():
    began, ended = next((b / 1e9 + 0.15, e / 1e9 - 0.15) for name, b, e in threads if name == phase)
    report = json.loads(subprocess.run(
        [proftop, 'report', path, '--json', '--view', 'top', '--range', f'{began}..{ended}'],
        stdout=subprocess.PIPE, check=True).stdout)
    shares = {row['name']: row['total_pct'] for row in report['functions']}
    strange = [name for name in LEADERS.values() if name != leader and name in shares]
    if shares.get(leader, 0) < 30 or strange:
        print(f'{phase}, {began:.2f} to {ended:.2f} s: {leader} has {shares.get(leader, 0)} %,',
              'and there are', strange or 'no others')
        failed = True
sys.exit(failed)
END
exit $status
