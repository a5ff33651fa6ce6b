#!/bin/sh
# SPDX-License-Identifier: MIT
# The command line from outside: help that fits a screen, exit statuses, files that are never
# overwritten or left half-written, a launched command that keeps its input, output and status.
# shellcheck source=tests/harness/check.sh
. "${PROFTOP_SOURCE:-$(dirname "$0")/..}/tests/harness/check.sh"
proftop=$built/proftop
cd "$folder" || exit 1

# expect STATUS TEXT COMMAND…: its exit status, and TEXT somewhere in what it says on stderr.
expect() {
    wanted=$1 text=$2
    shift 2
    "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$wanted" ] || fail "$* ended with $got, not $wanted: $(cat err)"
    [ -z "$text" ] || grep -qF -- "$text" err || fail "$* did not say \"$text\": $(cat err)"
}

"$built/tests/make_session" plain plain.proftop || exit 1
"$built/tests/make_session" later later.proftop || exit 1

# ---- help ----------------------------------------------------------------------------------------
for command in '' open record report diff dump doctor; do
    # shellcheck disable=SC2086
    "$proftop" $command --help >help || fail "$command --help failed"
    [ "$(wc -l <help)" -le 24 ] || fail "$command --help has more than 24 lines"
    [ "$(wc -L <help)" -le 80 ] || fail "$command --help has lines above 80 columns"
done
[ "$("$proftop" --version | wc -l)" -eq 1 ] || fail "--version is not one line"

# ---- mistakes and files --------------------------------------------------------------------------
expect 2 'proftop -- sleep' "$proftop" sleep
expect 2 'proftop report --help' "$proftop" report --nosuch plain.proftop
expect 2 'is no option of' "$proftop" diff --debuginfod plain.proftop later.proftop
expect 2 'the formats are' "$proftop" report plain.proftop --format gif
expect 2 'nothing in the range' "$proftop" report plain.proftop --range 9000..
expect 2 'nothing in the range' "$proftop" diff later.proftop --range 9000..9001
expect 2 'regular expression' "$proftop" diff plain.proftop later.proftop --function '('
expect 3 'No such file' "$proftop" report missing.proftop
expect 3 '99999999' "$proftop" record -p 99999999
echo 'neither this nor that' >strange
expect 4 'no format that is known' "$proftop" report strange
: >empty
expect 4 'empty' "$proftop" report empty
printf 'a;b 3\nno count\n' >folded
expect 4 'line 2' "$proftop" report folded
head -c 5000 plain.proftop >damaged.proftop
expect 4 'damaged.proftop is damaged' "$proftop" report damaged.proftop
expect 0 'the threads of the recording are' "$proftop" report plain.proftop --thread nosuch
expect 0 'no sample is of' "$proftop" report plain.proftop --filter nosuch
expect 4 'plain file' "$proftop" report /dev/zero
cp plain.proftop before
expect 5 'exists already' "$proftop" report later.proftop --format session -o plain.proftop
cmp -s plain.proftop before || fail "an existing file was changed"
expect 0 '' "$proftop" report later.proftop --format folded -o new.folded
expect 0 '' "$proftop" report plain.proftop --format folded -o new.folded --force
expect 0 '' "$proftop" report plain.proftop --format folded -o -
cmp -s out new.folded || fail "-o - and -o FILE differ"
expect 3 'No such file' "$proftop" report plain.proftop -o no/such/folder/file
if [ -w /dev/full ]; then
    expect 5 'No space left' sh -c "exec '$proftop' report plain.proftop >/dev/full"
    expect 5 'No space left' "$proftop" report plain.proftop -o /dev/full
fi
mkfifo fifo
expect 4 'plain file' "$proftop" report fifo

# What cannot be named is told in one line, and the report comes all the same.
for file in plain.proftop new.folded; do
    expect 0 'no build ids' "$proftop" report --debuginfod $file
    [ "$(wc -l <err)" -eq 1 ] || fail "more than a line about names: $(cat err)"
    [ -s out ] || fail "no report of $file with --debuginfod"
done

# Standard input, and back again.
"$proftop" report plain.proftop --format perf-script | "$proftop" report - --format folded |
    LC_ALL=C sort >again
"$proftop" report plain.proftop --format folded | LC_ALL=C sort | cmp -s - again ||
    fail "perf script text from standard input gives other stacks"

# Samples without a time are no CPU time: a share of either would leave the other out.
"$proftop" report plain.proftop --format perf-script >script.txt
expect 0 '' "$proftop" report script.txt script.txt
expect 2 'cannot be merged' "$proftop" report script.txt new.folded
expect 2 'cannot be merged' "$proftop" report plain.proftop new.folded

# Nothing beside what was asked for: temporary files are gone.
[ -z "$(find . -name '*.??????' ! -name '*.folded')" ] || fail "left behind: $(ls)"

# ---- a range, and what it leaves out -------------------------------------------------------------
whole=$("$proftop" report plain.proftop --json --view top | sed -n 's/^  "samples": //p' | tail -1)
part=$("$proftop" report plain.proftop --json --view top --range 0..6 |
    sed -n 's/^  "samples": //p' | tail -1)
[ "${part%,}" -gt 0 ] || fail "the range is empty"
[ "${part%,}" -lt "${whole%,}" ] || fail "the range has $part of $whole"
expect 2 'range' "$proftop" report plain.proftop --range 9..x
"$proftop" report plain.proftop plain.proftop --json --view top >two || fail "merging failed"

# ---- diff ----------------------------------------------------------------------------------------
expect 0 '' "$proftop" diff plain.proftop plain.proftop --fail-above 1
expect 0 '' "$proftop" diff plain.proftop later.proftop
expect 1 '' "$proftop" diff plain.proftop later.proftop --fail-above 5
grep -q '^ *+[0-9.]* *! .* f3 ' out || fail "diff does not mark f3: $(cat out)"
expect 0 '' "$proftop" diff plain.proftop later.proftop --fail-above 5 --function '^f1$'
expect 0 '' "$proftop" diff plain.proftop later.proftop --fail-above 90
expect 0 '' "$proftop" diff plain.proftop --range 0..6 --fail-above 5 --json
grep -q '"schema": "proftop-diff/1"' out || fail "no schema in diff --json"

# ---- launching -----------------------------------------------------------------------------------
if ! "$proftop" record -o probe.proftop -- true 2>err; then
    echo "skipped: check-cli: launching: $(head -1 err)"
    exit $status
fi
expect 7 'samples' "$proftop" record -o seven.proftop -- sh -c 'exit 7'
expect 137 'samples' "$proftop" record -o killed.proftop -- sh -c 'kill -9 $$'
expect 127 'nosuch' "$proftop" record -o none.proftop -- ./nosuch
expect 126 'empty' "$proftop" record -o none.proftop -- ./empty
[ ! -e none.proftop ] || fail "a command that did not start left a file"
expect 125 'seven.proftop' "$proftop" record -o seven.proftop -- true
expect 2 'unknown' "$proftop" record --nosuch -- true
expect 0 'samples' "$proftop" record -d 0.2 -o short.proftop -- sleep 1000
[ "$(stat -c %a short.proftop)" = 600 ] || fail "a session is not 0600"
expect 0 'samples' "$proftop" record --lanes-period 0.2 -d 1 -o fine.proftop -- sleep 1000
"$proftop" report fine.proftop --view time --format csv >out
awk -F, 'NR == 3 && $1 > 0 && $1 < 1 { fine = 1 } END { exit !fine }' out ||
    fail "--lanes-period 0.2 gives no rows shorter than a second: $(head -3 out)"
[ "$(echo hello | "$proftop" record -o cat.proftop -- cat 2>err)" = hello ] ||
    fail "the command lost its input or output"

# A file that may not grow, as on a full disk: told at once and not when the target ends, what was
# written stays, and a launched command runs to its own end.
sh -c 'echo on >fifo; while :; do :; done' &
spinner=$!
read -r _ <fifo
blocks=300
expect 5 'full.proftop' sh -c "ulimit -f $blocks; exec '$proftop' record -F 999 -p $spinner -o full.proftop"
kill $spinner
expect 0 '' "$proftop" report full.proftop
expect 125 'full.proftop' sh -c "ulimit -f $blocks; exec '$proftop' record -F 999 -o full.proftop \
    --force -- sh -c 'until [ -s err ]; do :; done; echo ended'"
grep -q ended out || fail "the command was not let to its end"

# The keyboard's signal reaches the command too, here by us; the file is whole all the same.
"$proftop" record -o signal.proftop -- sh -c 'echo on >fifo; exec sleep 1000' 2>err &
recorder=$!
read -r _ <fifo
kill -TERM $recorder
wait $recorder
[ $? -eq 143 ] || fail "a terminated recording has the wrong status: $(cat err)"
"$proftop" report signal.proftop >out || fail "a terminated recording can't be read"

# ---- dump ----------------------------------------------------------------------------------------
expect 3 '99999999' "$proftop" dump -p 99999999
sh -c 'echo on >fifo; exec sleep 1000' &
sleeper=$!
read -r _ <fifo
expect 0 '' "$proftop" dump -p $sleeper --json
grep -q '"schema": "proftop-dump/1"' out || fail "dump --json has no schema"
expect 0 '' "$proftop" dump -p $sleeper
grep -q '^[0-9]* [a-z]*: ' out || fail "dump shows no thread: $(cat out)"
kill -0 $sleeper || fail "the dumped process is gone"
case $(sed -n 's/^State:.//p' /proc/$sleeper/status) in
[TtZ]*) fail "the dumped process was left stopped" ;;
esac
kill $sleeper

# ---- doctor --------------------------------------------------------------------------------------
expect 3 '99999999' "$proftop" doctor -p 99999999
expect 0 '' "$proftop" doctor --json
grep -q '"schema": "proftop-doctor/1"' out || fail "doctor --json has no schema"
expect 0 '' env TERM=dumb "$proftop" doctor -p $$
grep -q "^no .*Python frames" out || fail "doctor finds Python in a shell: $(cat out)"
grep -q "^no .*the mouse" out || fail "doctor finds a mouse on a dumb terminal"
[ "$(grep -c '^no ' out)" -le "$(grep -c 'why: ' out)" ] || fail "doctor says no without saying why"
LC_ALL=C "$proftop" doctor | grep -q '^no   UTF-8' || fail "doctor finds UTF-8 in the C locale"

# An export instead of a session, and a name of its own for what has none.
expect 0 'samples' "$proftop" record --format json -o export.json -- true
grep -q '"schema": "proftop-report/1"' export.json || fail "record --format json wrote none"
expect 0 'written to proftop-true-' "$proftop" record -- true
ls proftop-true-*.proftop >/dev/null || fail "no default file"
exit $status
