#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare names, lines and inline chains with eu-addr2line's, at addresses of real programs:
random ones, or those that were sampled where FOLDER/NAME.offsets lists them for a file called NAME.

LLVM writes no .debug_aranges, without which eu-addr2line finds no inline chains: what it
made is compared with binutils' addr2line.

    compare-addr2line.py [--sampled FOLDER] BENCH_SYMBOLS COUNT FILE...

Every difference must have one of the explanations below; any other fails.
"""
import bisect
import collections
import functools
import os
import random
import re
import subprocess
import sys


def run(command, text=None, check=True):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=check,
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


def segments(path):
    """(offset in the file, address, size) of what is loaded."""
    for line in run(["readelf", "-lW", path]).splitlines():
        fields = line.split()
        if fields and fields[0] == "LOAD":
            yield int(fields[1], 16), int(fields[2], 16), int(fields[4], 16)


def sampled_addresses(path, count, folder):
    """The distinct ones among the addresses at which PATH was sampled, at most COUNT."""
    parts = list(segments(path))
    with open(os.path.join(folder, os.path.basename(path) + ".offsets")) as listing:
        samples = [int(line, 16) for line in listing]
    offsets = sorted(set(samples))
    print(f"{path}: {len(samples)} sampled addresses, {len(offsets)} distinct")
    if len(samples) < count:
        sys.exit(f"{path}: fewer than {count}")
    if len(offsets) > count:
        offsets = random.Random(path).sample(offsets, count)
    return [address + offset - start for offset in offsets for start, address, size in parts
            if start <= offset < start + size]


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
    name = re.sub(r"^\{lambda at .*\}::", "", name)  # DWARF from gcc calls all of them operator()
    return name


def clean_place(place):
    place = re.sub(r" \(discriminator \d+\)", "", place)
    match = re.fullmatch(r"(.*?):(\d+|\?)(:\d+)?", place)
    file, line = (match.group(1), match.group(2)) if match else (place, "?")
    if line == "?" and "/" not in file:
        file = "??"  # addr2line gives the name in the symbol table, of an object file
    return file, 0 if line == "?" else int(line)


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


def without_code(path):
    """Names in the symbol table that hold no code: tables that lie among it, and mere labels."""
    listing = run(["readelf", "-sW", "--sym-base=10", path])
    return (set(re.findall(r" OBJECT .* (\S+)$", listing, re.M)),
            set(re.findall(r"^ *\d+: [0-9a-f]+ +0 .* (\S+)$", listing, re.M)))


class Functions:
    """The addresses inside symbols that have a size."""

    def __init__(self, path):
        table = path if has_symtab(path) else debug_file(path) or path
        listing = run(["readelf", "-sW", "--sym-base=10", table])
        pattern = r"^ *\d+: ([0-9a-f]+) +([1-9]\d*) (?:FUNC|IFUNC|NOTYPE) +\S+ +\S+ +\d+ "
        self.spans = sorted((int(start, 16), int(size))
                            for start, size in re.findall(pattern, listing, re.M))

    def __contains__(self, address):
        at = bisect.bisect_right(self.spans, (address, 1 << 64))
        return any(start <= address < start + size for start, size in self.spans[max(0, at - 50):at])


@functools.lru_cache(maxsize=None)
def demangled(name):
    return run(["c++filt", name]).strip()


def plain(name):
    """The name as it is declared: without return type, namespaces, template and other arguments."""
    depth, at = 0, 0
    for i, letter in enumerate(name):
        if letter in "<({":
            depth += 1
            if letter != "{" and depth == 1 and i > at and name[i - 1] not in " :":
                return name[at:i]
        elif letter in ">)}":
            depth -= 1
        elif depth == 0 and letter in " :":
            at = i + 1
    return name[at:]


@functools.lru_cache(maxsize=None)
def binutils_place(path, address):
    return clean_place(run(["addr2line", "-e", path, f"{address:#x}"], check=False).strip())


def explain_function(mine, other, aliases):
    """Why the real function has two names, or None."""
    if mine == other:
        return "same"
    if without_hash(other) == mine:
        return "rust's hash left off"
    if mine.endswith("@plt"):
        return "a PLT entry, which DWARF does not know"
    if base(mine) == base(other):
        return "the symbol says .cold, .part, @VERSION..., DWARF does not"
    if any(base(mine) in names and base(other) in names for names in aliases):
        return "another name of the same address"
    if "::" in mine and plain(mine) == plain(other) and "::" not in other.split("<")[0]:
        return "DWARF has no linkage name, as for a template of a local class: it says the declared one"
    return None


def explain(tool, path, address, ours, theirs, aliases, nothing, functions):
    """Why the two chains differ, or None."""
    our_names = [clean_function(name) for name, _ in ours]
    their_names = [clean_function(name) for name, _ in theirs]
    if our_names == ["??"] and address in functions:
        return None  # it has a name
    if our_names == ["??"] and their_names[0] == "??":
        return "outside every symbol"
    if our_names == ["??"] and tool == "addr2line" and clean_place(theirs[0][1])[0] == "??":
        return "padding, which addr2line calls by its neighbour's name"
    if our_names == ["??"] and len(their_names) == 1:
        for names, why in zip(nothing, ("a table among the code, which does not run",
                                        "after a label of size 0, which holds no address")):
            if their_names[0] in names:
                return why
    if [clean_place(p) for _, p in ours] != [clean_place(p) for _, p in theirs]:
        # It prints the chain of the first of them, and the call of the innermost.
        if len(ours) > 1 and call_site(theirs[0][0]) == clean_place(ours[1][1]):
            return "two inlined calls at one address, and its first line agrees with ours"
        if (tool == "eu-addr2line" and len(ours) == len(theirs) == 1 and our_names == their_names
                and clean_place(ours[0][1])[0] == "??"
                and binutils_place(path, address)[0] == "??"):
            return "code without lines right behind a unit, which ends with a line; addr2line agrees with ours"
        return None
    if any(demangled(name) != name for name in their_names if name.startswith("_R")):
        their_names = [demangled(name) for name in their_names]
        return "it leaves Rust's newer names raw" if our_names == their_names else None
    if our_names[:-1] != [without_hash(name) for name in their_names[:-1]]:
        return None
    return explain_function(our_names[-1], their_names[-1], aliases)


def has_symtab(path):
    return " .symtab " in run(["readelf", "-SW", path])


def debug_file(path):
    match = re.search(r"Build ID: ([0-9a-f]+)", run(["readelf", "-n", path]))
    found = match and f"/usr/lib/debug/.build-id/{match.group(1)[:2]}/{match.group(1)[2:]}.debug"
    return found if found and os.path.exists(found) else None


def is_from_llvm(path):
    return bool(re.search("clang|rustc|LLVM", run(["readelf", "-p", ".comment", path])))


def compare(bench, path, count, folder):
    chosen = sampled_addresses(path, count, folder) if folder else random_addresses(path, count)
    addresses = [f"{address:#x}" for address in chosen]
    text = "\n".join(addresses) + "\n"
    ours = blocks(run([bench, "-C", path], text))
    tool = "addr2line" if is_from_llvm(path) else "eu-addr2line"
    theirs = blocks(run([tool, "-a", "-i", "-f", "-C", "-e", path], text,
                        check=False))  # 1: an address without a name
    assert len(ours) == len(theirs) == len(addresses)
    aliases = [names for names in symbols_at(path).values() if len(names) > 1]
    nothing, functions = without_code(path), Functions(path)
    reasons, unexplained = collections.Counter(), []
    for mine, other in zip(ours, theirs):
        reason = explain(tool, path, int(mine[0], 16), mine[1], other[1], aliases, nothing, functions)
        if reason is None:
            unexplained.append((mine, other))
        reasons[reason or "UNEXPLAINED"] += 1
    print(f"{path}, {tool}, {len(addresses)} addresses: {dict(reasons)}")
    for mine, other in unexplained[:5]:
        print("  ours  ", *mine[1], sep="\n    ")
        print("  theirs", *other[1], sep="\n    ")
    return len(unexplained)


def main():
    folder, arguments = None, sys.argv[1:]
    if arguments[0] == "--sampled":
        folder, arguments = arguments[1], arguments[2:]
    bench, count, files = arguments[0], int(arguments[1]), arguments[2:]
    return 1 if sum(compare(bench, path, count, folder) for path in files) else 0


if __name__ == "__main__":
    sys.exit(main())
