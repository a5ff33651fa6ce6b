#!/bin/sh
# SPDX-License-Identifier: MIT
# The program as built is position independent, has its relocations read-only from the start, a
# stack that does not execute, checked copies, stack guards, and (x86-64) control-flow marks in its objects.
set -u
binary=${PROFTOP_BUILT:-.}/proftop
readelf=${READELF:-readelf}
status=0

want() { # WHAT PATTERN READELF-OPTIONS...
    what=$1 pattern=$2
    shift 2
    if ! "$readelf" "$@" "$binary" 2>/dev/null | grep -qE "$pattern"; then
        echo "$binary: no $what"
        status=1
    fi
}

want 'position independence' 'Type: +DYN' -h
want 'read-only relocations' 'GNU_RELRO' -lW
want 'immediate binding' 'BIND_NOW' -d
if "$readelf" -lW "$binary" | grep 'GNU_STACK' | grep -q 'RWE'; then
    echo "$binary: an executable stack"
    status=1
fi

# The linker drops the marks of branch protection when the C library's start files lack them (as
# Debian's do), so each of our own objects is asked.
library=${PROFTOP_BUILT:-.}/libproftop.a
case $("$readelf" -h "$binary") in
*X86-64*) marks='IBT, SHSTK' ;;
*) marks='BTI|PAC' ;;
esac
objects=$("$readelf" -nW "$library" 2>/dev/null | grep -c '^File: ')
marked=$("$readelf" -nW "$library" 2>/dev/null | grep -cE "$marks")
if [ "$objects" -eq 0 ] || [ "$objects" -ne "$marked" ]; then
    echo "$library: $marked of $objects objects have branch protection ($marks)"
    status=1
fi

needed=$("${NM:-nm}" -u "${PROFTOP_BUILT:-.}/libproftop.a" 2>/dev/null)
case $needed in
*__stack_chk_fail*) ;;
*) echo "libproftop.a: no stack protector"; status=1 ;;
esac
case $needed in
*__vsnprintf_chk*) ;;
*) echo "libproftop.a: no checked copies (FORTIFY)"; status=1 ;;
esac
exit $status
