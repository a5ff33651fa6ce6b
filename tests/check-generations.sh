#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A sample keeps the name that its address had when it was taken: of a binary that was replaced, of
# two libraries loaded one after the other at one address, of code in a memfd, of what ran before an
# exec; and code in a chroot or a mount namespace of its own has its name.  A debug file of another
# build is told.  By each source, and as root once more as somebody else.
# shellcheck source=tests/harness/check.sh
. "${PROFTOP_SOURCE:-$(dirname "$0")/..}/tests/harness/check.sh"
cd "$folder" || exit 1

# record ARGUMENT...: folded stacks into ./folded, what was said into ./words
record() {
    "$built/proftop" record -F 500 --force -o folded --format folded "$@" >out 2>words ||
        fail "record $*: $(cat words)"
}

spin() { # OUTPUT FUNCTION OPTION...
    output=$1 function=$2
    shift 2
    cc -g -O1 -DFUNCTION="$function" "$@" -o "$output" "$source/tests/fixtures/spin.c" || exit 1
}

# named FUNCTION...: each has samples
named() {
    for function in "$@"; do
        grep -qE "(^|;)$function(;| )" folded || fail "$who: no $function in: $(cat folded)"
    done
}

shifts() { # SOURCE: through all that the victim does
    mkdir "$1" && cp "$built/tests/victims/shifter" ./*.so next other "$1" || exit 1
    record --source "$1" -- "$1/shifter" "$folder/$1"
    grep -q again out || echo "the plugins were at different addresses"
    named replaced_binary first_generation second_generation in_a_memfd after_the_exec
    rm -rf "$1"
}

who="uid $(id -u)"
spin plugin.so first_generation -shared -fPIC
spin second.so second_generation -shared -fPIC
spin memory.so in_a_memfd -shared -fPIC
spin next after_the_exec -DPROGRAM
spin other the_wrong_one -DPROGRAM
shifts ptrace
"$built/proftop" record --source perf -d 0.01 -o probe --force -- true >/dev/null 2>&1 && shifts perf

# ---- a root and a mount namespace of its own -----------------------------------------------------
mkdir root mounted && spin root/spin inside_a_chroot -DPROGRAM -static
own_user=
[ "$(id -u)" -eq 0 ] || own_user=-r
if unshare $own_user true 2>/dev/null; then
    record -- unshare $own_user chroot root /spin
    named inside_a_chroot
fi
spin apart in_a_namespace -DPROGRAM
if unshare -m $own_user mount -t tmpfs none mounted 2>/dev/null; then
    # shellcheck disable=SC2016
    record -- unshare -m $own_user sh -c \
        'mount -t tmpfs none mounted && cp apart mounted/ && exec mounted/apart'
    named in_a_namespace
fi

# ---- a debug file that is not its own ------------------------------------------------------------
objcopy --only-keep-debug next apart.debug && strip apart &&
    objcopy --add-gnu-debuglink=apart.debug apart || exit 1
record -- ./apart
grep -q 'names of apart: stripped, and its separate debug file is of another build' words ||
    fail "$who: no warning of another build: $(cat words)"
! grep -q after_the_exec folded || fail "$who: names of another build"

# ---- once more as somebody else ------------------------------------------------------------------
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$folder" PROFTOP_BUILT="$built" \
        PROFTOP_SOURCE="$source" "$@"
}
if [ "$(id -u)" -eq 0 ] && as_nobody test -x "$built/proftop" -a -r "$source/tests/fixtures/spin.c" 2>/dev/null; then
    as_nobody sh "$source/tests/check-generations.sh" || status=1
fi
exit $status
