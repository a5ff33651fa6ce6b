#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Compares whole stacks of real programs, as they are installed, with libunwind's and libdwfl's over
# the same frozen samples:
#
#     tests/compare-unwind.sh BUILD_FOLDER [SAMPLES_A_PROGRAM [PROGRAM…]]
#
# PROGRAMs are names of those below; without, all run.  Fails when a program has fewer than 99.5 %
# whole stacks, or a difference that unwind_compare does not explain; VERBOSE=-v shows each.  10,000 samples of each of ten programs are what a release is checked with.
set -u

build=${1:?build folder}
samples=${2:-10000}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
shift
[ $# = 0 ] || shift
wanted=" $* "
failed=0

wants() { # NAME
    case $wanted in
    "  " | *" $1 "*) ;;
    *) return 1 ;;
    esac
}

compare() { # NAME COMMAND...
    name=$1
    shift
    wants "$name" || return
    command -v "$1" >/dev/null 2>&1 || {
        echo "skipped: compare-unwind: $name: $1 is not installed"
        return
    }
    "$build/bench/unwind_compare" ${VERBOSE:+"$VERBOSE"} -n "$samples" -u 500 "$@" || failed=1
}

cat >"$folder/work.py" <<'END'
import json, re, hashlib
def walk(n):
    return json.loads(json.dumps({"n": [walk(n - 1)] if n else re.sub("a", "b", "banana")}))
while True:
    walk(10)
    sorted(map(str, range(1000)), key=lambda x: hashlib.md5(x.encode()).hexdigest())
END

cat >"$folder/work.js" <<'END'
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
while (true) {
    JSON.parse(JSON.stringify(Array.from({ length: 1000 }, (x, i) => ({ a: i }))));
    fib(15);
    [3, 1, 2].sort().map(x => x + 1);
    'abc abd'.replace(/b/g, x => x + x);
}
END

cat >"$folder/work.cc" <<'END'
#include <algorithm>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

static int deep(int n)
{
    std::string text(n, 'a');

    if (n == 0)
        throw std::runtime_error("bottom");
    return deep(n - 1) + (int)text.size();
}

int main()
{
    for (;;) {
        std::map<std::string, int> counts;
        std::vector<std::string> names;

        for (int i = 0; i < 1000; i++)
            counts[std::to_string(i * 7919 % 1000)] += i;
        for (auto &pair : counts)
            names.push_back(pair.first);
        std::sort(names.begin(), names.end(), [](auto &a, auto &b) { return a.size() < b.size(); });
        try {
            deep(30);
        } catch (std::exception &) {
        }
        std::regex_search("xxaaabbb", std::regex("a+b*"));
    }
}
END

cat >"$folder/work.rs" <<'END'
use std::collections::HashMap;
fn main() {
    loop {
        let mut counts = HashMap::new();
        for i in 0..1000u64 {
            *counts.entry(format!("{}", i * 7919 % 1000)).or_insert(0u64) += i;
        }
        let mut sorted: Vec<_> = counts.iter().collect();
        sorted.sort();
        std::hint::black_box(&sorted);
    }
}
END

cat >"$folder/Work.java" <<'END'
import java.util.*;
public class Work {
    static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
    public static void main(String[] arguments) {
        while (true) {
            Map<String, Integer> counts = new TreeMap<>();
            for (int i = 0; i < 1000; i++)
                counts.merge("" + (i * 7919 % 1000), i, Integer::sum);
            fib(20);
            counts.entrySet().stream().map(Object::toString).reduce("", (a, b) -> b);
        }
    }
}
END

cat >"$folder/work.sql" <<'END'
with recursive n(x) as (values(1) union all select x + 1 from n where x < 1000000000)
select count(*), sum(length(printf('%d', x))) from n;
END

# Work that outlasts the samples: what does not compress, lines in another order, new types.
seq 1 30000000 >"$folder/numbers"
seq 1 200000 >"$folder/ordered"
sort -R "$folder/ordered" >"$folder/shuffled"
awk 'BEGIN {
    for (i = 0; i < 4000; i++)
        printf "static int v%d[64];\nint f%d(int x) { int s = 0; for (int i = 0; i < 64; i++)\n" \
               "{ v%d[i] += x * i; s ^= v%d[i] %% (x + %d); } return s; }\n", i, i, i, i, i + 1
}' >"$folder/work.c"
{
    cat "$folder/work.cc"
    awk 'BEGIN {
        for (i = 0; i < 400; i++)
            printf "struct s%d { int x; bool operator<(const s%d &o) const { return x < o.x; } };\n" \
                   "int g%d() { std::map<s%d, std::string> m; std::vector<s%d> v(9); m[v[0]] = \"a\";\n" \
                   "std::sort(v.begin(), v.end()); return (int)m.size(); }\n", i, i, i, i, i
    }'
} >"$folder/large.cc"

compare python3 python3 "$folder/work.py"
compare node node "$folder/work.js"
compare sqlite3 sqlite3 :memory: ".read $folder/work.sql"
compare openssl openssl speed -seconds 60 sha256 aes-128-cbc rsa2048 ecdsap256
compare xz xz -9 -k -c "$folder/numbers"
compare git git diff --no-index --minimal --stat "$folder/ordered" "$folder/shuffled"
if command -v gcc >/dev/null 2>&1; then
    compare cc1 "$(gcc -print-prog-name=cc1)" -quiet -O2 -o /dev/null "$folder/work.c"
fi
if command -v g++ >/dev/null 2>&1; then
    g++ -O2 -s -o "$folder/cc" "$folder/work.cc" && compare C++ "$folder/cc"
    g++ -E -o "$folder/large.ii" "$folder/large.cc"
    compare cc1plus "$(g++ -print-prog-name=cc1plus)" -quiet -O2 -o /dev/null "$folder/large.ii"
fi
if wants Rust && command -v rustc >/dev/null 2>&1; then
    rustc -O -C strip=symbols -o "$folder/rs" "$folder/work.rs" && compare Rust "$folder/rs"
fi
if wants java && command -v javac >/dev/null 2>&1; then
    javac -d "$folder" "$folder/Work.java"
    # Java runs main in its second thread.
    java -XX:+PreserveFramePointer -cp "$folder" Work &
    java=$!
    until [ "$(find "/proc/$java/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -gt 5 ]; do :; done
    "$build/bench/unwind_compare" ${VERBOSE:+"$VERBOSE"} -n "$samples" -u 500 -p "$java" \
        -t "$(find "/proc/$java/task" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | sed -n 2p)" || failed=1
    kill -9 "$java"
fi
exit "$failed"
