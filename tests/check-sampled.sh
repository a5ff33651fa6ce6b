#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Names, lines and inlined calls at addresses that were sampled in real programs at work are those
# of eu-addr2line, but for differences that compare-addr2line.py explains.  Of each program at least
# ADDRESSES must be sampled, and as many of the distinct ones among them are compared.  Takes minutes:
#
#     tests/check-sampled.sh BUILD_FOLDER [ADDRESSES_A_PROGRAM [SECONDS_A_PROGRAM]]
set -u
build=$(cd "${1:?build folder}" && pwd) || exit 1
count=${2:-10000} seconds=${3:-10}
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# sample FILE COMMAND...: adds the offsets in FILE that COMMAND was sampled at
sample() {
    file=$(basename "$1")
    shift
    # What is launched runs on when the sampling is over.
    "$build/tests/sample_dump" -F 4999 -d $((seconds * 1000)) timeout $((seconds + 1)) "$@" 2>/dev/null |
        sed -nE "s/^    ([0-9a-f]+) $file\$/\\1/p" >>"$file.offsets"
}

cat >work.py <<'END'
import json, re, hashlib, decimal, zlib
def walk(n):
    return json.loads(json.dumps({"n": [walk(n - 1)] if n else re.sub("a", "b", "banana")}))
while True:
    walk(10)
    sorted(map(str, range(1000)), key=lambda x: hashlib.md5(x.encode()).hexdigest())
    eval(compile("sum(x * y for x, y in zip(range(99), reversed(range(99))))", "text", "eval"))
    {str(i): float(i) ** 0.5 for i in range(1000)}
    "{:>10} {!r}".format(decimal.Decimal(2).sqrt(), [1, "2", b"3"] * 9)
END
cat >work.js <<'END'
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
while (true) {
    JSON.parse(JSON.stringify(Array.from({ length: 1000 }, (x, i) => ({ a: i }))));
    fib(15);
    new Function('a', 'return a + ' + Math.random())(1);
    [3, 1, 2].sort().map(x => x + 1);
    'abc abd'.replace(/b/g, x => x + x);
}
END

set --
python=$(python3 -c 'import os, sys, sysconfig as s
library = os.path.join(s.get_config_var("LIBDIR") or "", s.get_config_var("INSTSONAME") or "none")
print(os.path.realpath(library if library.endswith(".so.1.0") and os.path.exists(library) else sys.executable))')
sample "$python" python3 work.py && set -- "$@" "$python"
if command -v node >/dev/null; then
    node=$(readlink -f "$(command -v node)")
    sample "$node" node work.js && set -- "$@" "$node"
fi
git=$(readlink -f "$(command -v git)")
git clone -q --bare "$source" copy.git && for _ in 1 2 3; do
    sample "$git" git -C copy.git log --all -p -M
    sample "$git" git -C copy.git repack -q -a -d -f
    sample "$git" git -C copy.git fsck --full
done
set -- "$@" "$git"
cc1=$(cc -print-prog-name=cc1)
for file in "$source"/src/profile/*.c; do
    cc -E -std=gnu11 -D_GNU_SOURCE -I"$source/include" -I"$source" -I"$build" -o unit.i "$file" 2>/dev/null &&
        sample "$cc1" "$cc1" -quiet -O2 -g unit.i -o /dev/null
done
set -- "$@" "$cc1"
c++ -std=c++17 -g -O2 -o templates "$source/tests/fixtures/work.cc" && sample templates ./templates && set -- "$@" "$folder/templates"
command -v rustc >/dev/null && rustc -g -O -o rust "$source/tests/fixtures/work.rs" 2>/dev/null && sample rust ./rust && set -- "$@" "$folder/rust"
libc=$(readlink -f "$(cc -print-file-name=libc.so.6)")
sample "$libc" ./templates && set -- "$@" "$libc"

python3 "$source/tests/compare-addr2line.py" --sampled "$folder" "$build/bench/symbols" "$count" "$@"
