#!/bin/sh
# SPDX-License-Identifier: MIT
# Python programs whose stacks and shares are known: no stack mixes two moments, time goes to who
# used it, and an interpreter that only appears below something else is seen too.
#
#     PROFTOP_PYTHONS=path:path PROFTOP_SECONDS=40 tests/check-python.sh       by hand: 60,000 stacks
# shellcheck source=tests/harness/check.sh
. "${PROFTOP_SOURCE:-$(dirname "$0")/..}/tests/harness/check.sh"
python=$source/tests/python

# Python's own frames of every sample, innermost first, against who calls whom.
whole_stacks() { # INTERPRETER
    "$built/proftop" record -F 2000 --source ptrace --no-waiting --format perf-script -o "$folder/stacks" --force \
        -- "$1" "$python/short_calls.py" "${PROFTOP_SECONDS:-0.7}" 2>"$folder/words" ||
        fail "$1: $(cat "$folder/words")"
    ! grep 'tables not ready' "$folder/stacks" || fail "$1: the first stacks are broken"
    awk -v who="$1" '
        BEGIN {
            split("a1<a2 a2<a3 a3<top_a top_a<both b1<b2 b1<b3 b2<b3 b3<top_b top_b<both both<<module>", edges, " ")
            for (i in edges) allowed[edges[i]] = 1
        }
        /\(short_calls\.py\)$/ { stack[++depth] = $2 }
        /^$/ {
            if (depth == 0) next
            samples++
            torn = stack[depth] != "<module>"
            for (i = 1; i < depth; i++) torn = torn || !((stack[i] "<" stack[i + 1]) in allowed)
            if (torn) {
                wrong++
                for (i = 1; i <= depth; i++) printf "%s ", stack[i]
                print ""
            }
            depth = 0
        }
        END { print who ": " wrong + 0 " of " samples + 0 " stacks torn"; exit wrong != 0 || samples < 100 }' \
        "$folder/stacks" || status=1
}

# FUNCTION COLUMN: from the table of the recording.
of() {
    awk -F, -v column="$2" -v name="$1" '
        NR == 1 { for (i = 1; i <= NF; i++) { if ($i == column) c = i; if ($i == "name") n = i } }
        NR > 1 && $n == name { sum += $c }
        END { print sum + 0 }' "$folder/table"
}

# What the program measured of itself, against the recording: four standard errors and a point.  The
# samples count for as many as the error that the report states says.
known_split() { # INTERPRETER
    "$built/proftop" record -F 1000 --source ptrace -o "$folder/split.proftop" --force \
        -- "$1" "$python/split.py" "${PROFTOP_SECONDS:-1.2}" >"$folder/told" 2>"$folder/words" ||
        fail "$1: $(cat "$folder/words")"
    "$built/proftop" report "$folder/split.proftop" --view top --format csv -n 10000 >"$folder/table"
    error=$("$built/proftop" report "$folder/split.proftop" --json | sed -n 's/^ *"error_pt": \([0-9.]*\).*/\1/p')
    while read -r name seconds; do
        echo "$name $seconds $(of "$name" total)"
    done <"$folder/told" >"$folder/both"
    awk -v who="$1" -v error="$error" '
        { name[NR] = $1; told[NR] = $2; ours[NR] = $3; sum_told += $2; sum_ours += $3 }
        END {
            n = (98 / error) ^ 2 # of 50 %, in points: 1.96 standard errors
            for (i = 1; i <= NR; i++) {
                p = told[i] / sum_told; q = ours[i] / sum_ours
                bound = 4 * sqrt(p * (1 - p) / n) + 0.01
                bad = p - q > bound || q - p > bound
                wrong = wrong || bad
                printf "%s: %s %.1f %%, it says %.1f %% (± %.1f)%s\n", who, name[i], q * 100, p * 100, bound * 100, bad ? " WRONG" : ""
            }
            exit wrong || NR != 4 || n < 100
        }' "$folder/both" || status=1
}

# Nobody could know of the interpreter when the source was chosen.
appears_later() { # INTERPRETER
    # shellcheck disable=SC2016 # the script expands them
    printf 'exec "$PYTHON" "$@"\n' >"$folder/later.sh"
    PYTHON=$1 "$built/proftop" record -F 500 --format folded -o "$folder/later" --force \
        -- sh "$folder/later.sh" "$python/short_calls.py" 0.8 2>"$folder/words" ||
        fail "$1: $(cat "$folder/words")"
    grep -q ';top_[ab] (short_calls.py:[0-9]*)' "$folder/later" || {
        fail "$1 below sh has no Python names"
        tail -n 5 "$folder/later"
    }
}

# Whoever is started, forked, replaced and ended while it is looked at is not disturbed.
comes_and_goes() { # INTERPRETER
    "$built/proftop" record -F 1000 --source ptrace -o "$folder/comings.proftop" --force \
        -- "$1" "$python/comings.py" "${PROFTOP_SECONDS:-0.5}" >"$folder/told" 2>"$folder/words"
    [ $? -eq 3 ] && grep -q '^rounds [1-9]' "$folder/told" ||
        fail "$1 was disturbed: $(cat "$folder/told" "$folder/words")"
}

# Trampolines with a name for each function lie between the frames, and no stack ends at them.  One
# that was just entered has no frame of Python's yet, and is all there is to name.
perf_names() { # INTERPRETER
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' || return 0
    "$built/proftop" record -F 500 --source ptrace --no-waiting --format folded -o "$folder/named" --force \
        -- "$1" -X perf "$python/short_calls.py" 0.7 2>"$folder/words" || fail "$1: $(cat "$folder/words")"
    awk -v who="$1 -X perf" '
        { all += $NF }
        /\[broken|cut\]/ { broken += $NF }
        /top_a \(.*top_a_\[j\]|top_b \(.*top_b_\[j\]/ { twice += $NF }
        END {
            print who ": " broken + 0 " of " all + 0 " stacks broken, " twice + 0 " name a function twice"
            exit broken * 10 > all || twice != 0
        }' \
        "$folder/named" || status=1
}

for interpreter in $(echo "${PROFTOP_PYTHONS:-/usr/bin/python3}" | tr : ' '); do
    [ -x "$interpreter" ] || {
        echo "skipped: check-python.sh: $interpreter is not installed"
        exit 77
    }
    whole_stacks "$interpreter"
    known_split "$interpreter"
    appears_later "$interpreter"
    comes_and_goes "$interpreter"
    perf_names "$interpreter"
done
exit $status
