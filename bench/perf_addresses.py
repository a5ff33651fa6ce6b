#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The distinct addresses that a perf.data has in the file it was most often in.

    perf_addresses.py PERF_DATA    first line: the file; then an address of its own a line
"""
import collections
import re
import subprocess
import sys


def segments(path):
    """Offset → address of what is loaded from PATH."""
    listing = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True).stdout
    for line in listing.splitlines():
        fields = line.split()
        if fields and fields[0] == "LOAD":
            yield int(fields[1], 16), int(fields[2], 16), int(fields[4], 16)


def address_of(path_segments, offset):
    for start, address, size in path_segments:
        if start <= offset < start + size:
            return address + offset - start
    return None


def main():
    script = subprocess.run(["perf", "script", "-i", sys.argv[1], "--show-mmap-events", "-F",
                             "pid,ip"], capture_output=True, text=True, errors="replace").stdout
    mappings, found = [], collections.defaultdict(set)
    for line in script.splitlines():
        match = re.search(r"\[(0x[0-9a-f]+)\((0x[0-9a-f]+)\) @ (0x[0-9a-f]+|0) .*\]: r-xp (/.*)", line)
        if match:
            start, size, offset = (int(match.group(i), 16) for i in (1, 2, 3))
            mappings.append((start, size, offset, match.group(4)))
            continue
        fields = line.split()
        if not fields or not re.fullmatch("[0-9a-f]+", fields[-1]):
            continue
        address = int(fields[-1], 16)
        for start, size, offset, path in mappings:
            if start <= address < start + size:
                found[path].add(address - start + offset)
    if not found:
        return 1
    path = max(found, key=lambda name: len(found[name]))
    parts = list(segments(path))
    addresses = sorted(filter(None, (address_of(parts, offset) for offset in found[path])))
    print(path, *map(hex, addresses), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
