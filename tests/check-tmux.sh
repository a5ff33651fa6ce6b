#!/bin/sh
# SPDX-License-Identifier: MIT
# What tmux shows of every view is what the view drew: the grid that a script prints beside the pane
# that tmux interpreted, a terminal written by others than the one the other tests look through.
set -u
built=$(cd "${PROFTOP_BUILT:-.}" && pwd)
proftop=$built/proftop
command -v tmux >/dev/null || {
    echo "skipped: check-tmux.sh: tmux is not installed"
    exit 77
}
folder=$(mktemp -d) || exit 1
socket=
trap '[ -z "$socket" ] || tmux -S "$socket" kill-server 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export LC_ALL=C.UTF-8 TZ=UTC HOME="$folder" XDG_CONFIG_HOME="$folder" XDG_STATE_HOME="$folder"
unset TMUX NO_COLOR
status=0

"$built/tests/make_session" plain plain.proftop || exit 1

# shows COLUMNSxROWS TERM KEY...: a pane in which those keys were pressed, one screen after each.
shows() {
    size=$1 term=$2
    shift 2
    # A server of its own: the last one ends with its session, some time.
    socket=$folder/$size
    tmux -S "$socket" -f /dev/null new-session -d -s "$size" -x "${size%x*}" -y "${size#*x}" \
        "exec env TERM=$term '$proftop' open plain.proftop" || exit 1
    tmux -S "$socket" set-option -t "$size" status off
    tmux -S "$socket" resize-window -t "$size" -x "${size%x*}" -y "${size#*x}"
    pressed=
    for key in '' "$@"; do
        [ -z "$key" ] || tmux -S "$socket" send-keys -t "$size" "$key"
        pressed="$pressed $key"
        { [ -z "$key" ] || echo "key$pressed"; echo screen; } |
            "$proftop" open plain.proftop --script - --size "$size" | tail -n +2 >wanted
        [ -s wanted ] || exit 1
        # No event tells when tmux has read all: it is asked until it has, within bounds.
        tries=0
        until tmux -S "$socket" capture-pane -p -t "$size" | sed 's/ *$//' >found && cmp -s wanted found; do
            tries=$((tries + 1))
            [ $tries -lt 400 ] || {
                echo "FAILED: at $size in $term, after the keys '$pressed':"
                diff wanted found | head -n 20
                status=1
                break
            }
        done
    done
    tmux -S "$socket" send-keys -t "$size" Q
}

shows 80x24 tmux-256color 2 3 4 5 6 7 8 1
shows 140x40 screen-256color 2 3 4 5 6 7 8 1
exit $status
