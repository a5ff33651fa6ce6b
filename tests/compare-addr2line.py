#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare names, lines and inline chains with eu-addr2line's, at random addresses of real programs.

    compare-addr2line.py BENCH_SYMBOLS COUNT FILE...

Every difference must have one of the explanations below; any other fails.
"""
import collections
import os
import random
import re
import subprocess
import sys


def run(command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True,
                          errors="replace").stdout


def text_sections(path):
    """Where the code is: (address, size)."""
    for line in run(["readelf", "-SW", path]).splitlines():
        fields = re.sub(r"^\s*\[ *\d+\]\s*", "", line).split()
        if len(fields) > 6 and fields[0] in (".text", ".text.unlikely", ".plt", ".plt.sec"):
            yield int(fields[2], 16), int(fields[4], 16)


def random_addresses(path, count):
    sections = list(text_sections(path))
    sizes = [size for _, size in sections]
    chooser = random.Random(path)
    for start, size in chooser.choices(sections, sizes, k=count):
        yield start + chooser.randrange(size)


def blocks(text):
    """The output as (address, [(function, place), ...])."""
    result, lines = [], text.splitlines()
    for line in lines:
        if re.fullmatch(r"0x[0-9a-f]{16}", line):
            result.append((line, []))
        else:
            result[-1][1].append(line)
    return [(address, list(zip(rest[::2], rest[1::2]))) for address, rest in result]


def clean_function(name):
    name = re.sub(r" inlined at .*", "", name)
    return name


def clean_place(place):
    place = re.sub(r" \(discriminator \d+\)", "", place)
    match = re.fullmatch(r"(.*?):(\d+)(:\d+)?", place)
    return (match.group(1), int(match.group(2))) if match else (place, 0)


def base(name):
    """A function's name without what a compiler or linker put behind it."""
    name = re.sub(r" \[clone [^]]*\]", "", name)
    name = re.sub(r"(\.(cold|part|isra|constprop|lto_priv|localalias|llvm|warm)(\.\d+)*)+$", "", name)
    return re.sub(r"@+[A-Z].*", "", name)


def symbols_at(path):
    """All names of each address."""
    names = collections.defaultdict(set)
    for options in ([path], ["-D", path], [debug_file(path) or path]):
        try:
            listing = run(["nm", "-C", *options])
        except subprocess.CalledProcessError:
            continue
        for line in listing.splitlines():
            match = re.match(r"([0-9a-f]{16}) . (.*)", line)
            if match:
                names[int(match.group(1), 16)].add(base(match.group(2)))
    return names


def without_hash(name):
    return re.sub(r"::h[0-9a-f]{16}$", "", name)


def call_site(name):
    """What "f inlined at FILE:LINE:COLUMN in g" says of the call."""
    match = re.search(r" inlined at (.*) in ", name)
    return clean_place(match.group(1)) if match else None


def data_names(path):
    """Tables that lie among the code."""
    listing = run(["readelf", "-sW", "--sym-base=10", path])
    return set(re.findall(r" OBJECT .* (\S+)$", listing, re.M))


def explain_function(mine, other, aliases):
    """Why the real function has two names, or None."""
    if mine == other:
        return "same"
    if without_hash(other) == mine:
        return "rust's hash left off"
    if mine.endswith("@plt"):
        return "a stub, which DWARF does not know"
    if base(mine) == base(other):
        return "the symbol says .cold, .part, @VERSION..., DWARF does not"
    if any(base(mine) in names and base(other) in names for names in aliases):
        return "another name of the same address"
    return None


def explain(ours, theirs, aliases, data):
    """Why the two chains differ, or None."""
    our_names = [clean_function(name) for name, _ in ours]
    their_names = [clean_function(name) for name, _ in theirs]
    if our_names == ["??"] and their_names[0] == "??":
        return "padding between functions"
    if our_names == ["??"] and len(their_names) == 1 and their_names[0] in data:
        return "a table among the code, which does not run"
    if [clean_place(p) for _, p in ours] != [clean_place(p) for _, p in theirs]:
        # It prints the chain of the first of them, and the call of the innermost.
        if len(ours) > 1 and call_site(theirs[0][0]) == clean_place(ours[1][1]):
            return "two inlined calls at one address, and its first line agrees with ours"
        return None
    if our_names[:-1] != [without_hash(name) for name in their_names[:-1]]:
        return None
    return explain_function(our_names[-1], their_names[-1], aliases)


def debug_file(path):
    match = re.search(r"Build ID: ([0-9a-f]+)", run(["readelf", "-n", path]))
    found = match and f"/usr/lib/debug/.build-id/{match.group(1)[:2]}/{match.group(1)[2:]}.debug"
    return found if found and os.path.exists(found) else None


def compare(bench, path, count):
    addresses = [f"{address:#x}" for address in random_addresses(path, count)]
    text = "\n".join(addresses) + "\n"
    ours = blocks(run([bench, path], text))
    theirs = blocks(run(["eu-addr2line", "-a", "-i", "-f", "-C", "-e", path], text))
    assert len(ours) == len(theirs) == len(addresses)
    aliases = [names for names in symbols_at(path).values() if len(names) > 1]
    data = data_names(path)
    reasons, unexplained = collections.Counter(), []
    for mine, other in zip(ours, theirs):
        reason = explain(mine[1], other[1], aliases, data)
        if reason is None:
            unexplained.append((mine, other))
        reasons[reason or "UNEXPLAINED"] += 1
    print(f"{path}: {dict(reasons)}")
    for mine, other in unexplained[:5]:
        print("  ours  ", *mine[1], sep="\n    ")
        print("  theirs", *other[1], sep="\n    ")
    return len(unexplained)


def main():
    bench, count, files = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    return 1 if sum(compare(bench, path, count) for path in files) else 0


if __name__ == "__main__":
    sys.exit(main())
