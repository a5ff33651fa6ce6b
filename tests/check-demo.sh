#!/bin/sh
# SPDX-License-Identifier: MIT
# The demo does every phase, says which begins, and refuses what it does not know.
set -u
demo=${PROFTOP_BUILT:-.}/demo/demo
status=0

fail() {
    echo "$*"
    status=1
}

said=$("$demo" --seconds 0.2 --depth 50) || fail "the demo failed: $?"
for phase in cpu lock faults disk idle deep; do
    case $said in
    *"$phase begins: "*"$phase ends: "[1-9]*) ;;
    *) fail "phase $phase did nothing: $said" ;;
    esac
    "$demo" --help | grep -q "^  $phase " || fail "--help lacks $phase"
done
[ -z "$("$demo" --phase cpu --seconds 0.01 --quiet)" ] || fail "--quiet speaks"
for wrong in '--phase nothing' '--seconds 0' '--seconds x' '--depth 1e9' '--what' 'word'; do
    # shellcheck disable=SC2086
    "$demo" $wrong >/dev/null 2>&1
    [ $? -eq 2 ] || fail "demo $wrong is not refused"
done

# Shares follow from counts: one turn each, in turn, and so many faults as pages.
faults=$("$demo" --phase faults --seconds 0.01 | sed -n 's/^faults ends: \([0-9]*\) .*/\1/p')
pages=$((64 * 1024 * 1024 / $(getconf PAGESIZE)))
[ $((faults % pages)) -eq 0 ] || fail "$faults faults are no multiple of $pages"
exit $status
