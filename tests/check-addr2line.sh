#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Names, lines and inlined calls at random addresses of real programs are those of eu-addr2line, but
# for differences that compare-addr2line.py explains.
#
#     ADDRESSES=10000 tests/check-addr2line.sh     (the default is 200 a program)
set -u
build=${PROFTOP_BUILT:-.}
tests=${PROFTOP_SOURCE:-..}/tests
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

for tool in eu-addr2line python3 readelf nm; do
    command -v "$tool" >/dev/null 2>&1 || {
        echo "skipped: check-addr2line.sh: $tool is not installed"
        exit 77
    }
done

# What there is: with debug information, with symbols only, stripped.
set -- "$build/proftop"
for program in node git; do
    path=$(command -v "$program") && set -- "$@" "$(readlink -f "$path")"
done
for path in $(python3 -c 'import os, sys, sysconfig as s
print(os.path.realpath(sys.executable),
      os.path.join(s.get_config_var("LIBDIR"), s.get_config_var("INSTSONAME") or "none"))'); do
    readelf -h "$path" >/dev/null 2>&1 && set -- "$@" "$path"
done
for name in libc.so.6 libstdc++.so.6; do
    path=$(cc -print-file-name=$name) && [ -f "$path" ] && set -- "$@" "$(readlink -f "$path")"
done
path=$(cc -print-prog-name=cc1) && [ -f "$path" ] && set -- "$@" "$path"
c++ -g -O2 -o "$folder/c++" "$tests/fixtures/calls.cc" 2>/dev/null && set -- "$@" "$folder/c++"
rustc -g -O -o "$folder/rust" "$tests/fixtures/calls.rs" 2>/dev/null && set -- "$@" "$folder/rust"

python3 "$tests/compare-addr2line.py" "$build/bench/symbols" "${ADDRESSES:-200}" "$@"
