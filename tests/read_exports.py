#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads every export of a session and compares each function's self and total with the report's.

    read_exports.py PROFTOP SESSION

A reader here knows the format from its description only and shares nothing with the writer.  What a
format cannot hold in a name is mapped in the same way on both sides before comparing.
"""
import csv
import gzip
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import xml.dom.minidom
from collections import defaultdict

PROFTOP, SESSION = sys.argv[1:3]
SCOPES = [[], ["--state", "waiting"], ["--range", "2..5"], ["--thread", "101"]]
failures = 0


def fail(*words):
    global failures
    failures += 1
    print("FAILED:", *words)


def run(*words, data=None):
    return subprocess.run(words, input=data, stdout=subprocess.PIPE, check=True).stdout


def export(name, scope, *more):
    return run(PROFTOP, "report", SESSION, "--format", name, *scope, *more)


class Counts:
    """Self and total by name, each stack once in a total."""

    def __init__(self):
        self.self, self.total = defaultdict(int), defaultdict(int)

    def add(self, stack, count):
        if count == 0:
            return
        if stack:
            self.self[stack[-1]] += count
        for name in set(stack):
            self.total[name] += count

    def clean(self):
        return ({k: v for k, v in self.self.items() if v}, {k: v for k, v in self.total.items() if v})


def compare(what, scope, counts, reference):
    found, wanted = counts.clean(), reference.clean()
    for label, a, b in (("self", found[0], wanted[0]), ("total", found[1], wanted[1])):
        for name in sorted(set(a) | set(b)):
            if a.get(name, 0) != b.get(name, 0):
                fail(SESSION, what, scope, label, repr(name[:60]), a.get(name, 0), "instead of",
                     b.get(name, 0))
                return


def by_tree(report, map_name, weight):
    """Self and total from the report's tree, because two functions may share a name."""
    counts = Counts()

    def walk(node, stack):
        for child in node["children"]:
            if child.get("kind") == "process":
                walk(child, stack)
                continue
            below = stack + [map_name(child["name"])]
            counts.add(below, weight(child))
            walk(child, below)

    walk(report["tree"], [])
    return counts


def check_functions(report, scope):
    """The rows against the tree: where names are unique they must agree."""
    tree = by_tree(report, lambda name: name, lambda node: node["self"])
    rows = defaultdict(list)
    for row in report["functions"]:
        rows[row["name"]].append(row)
    for name, same in rows.items():
        if sum(row["self"] for row in same) != tree.self[name]:
            fail("report", scope, "self of", repr(name))
        if len(same) == 1 and same[0]["total"] != tree.total[name]:
            fail("report", scope, "total of", repr(name))
    if sum(row["self"] for row in report["functions"]) != report["scope"]["samples"]:
        fail("report", scope, "self samples do not add up to N")


# ---- readers -------------------------------------------------------------------------------------

def control(name):
    return re.sub(r"[\x00-\x1f]", "?", name)


def python_suffix(name):
    return re.sub(r" \([^()]*\.py:\d+\)$", "", name)


def read_folded(data):
    counts = Counts()
    for line in data.decode(errors="replace").splitlines():
        stack, count = re.fullmatch(r"(.*) (\d+)", line).groups()
        frames = [python_suffix(re.sub(r"_\[[kji]\]$", "", f)) for f in stack.split(";")]
        if re.fullmatch(r".*\[\d+\]", frames[0]):
            frames = frames[1:]  # a process
        counts.add(frames, int(count))
    return counts


def read_speedscope(data):
    document, counts = json.loads(data), Counts()
    names = [frame["name"] for frame in document["shared"]["frames"]]
    for profile in document["profiles"]:
        if len(profile["samples"]) != len(profile["weights"]):
            fail("speedscope: samples and weights differ in number")
        if sum(profile["weights"]) != profile["endValue"] - profile["startValue"]:
            fail("speedscope: weights do not fill the profile")
        for stack, weight in zip(profile["samples"], profile["weights"]):
            stack = [names[frame] for frame in stack]
            if re.fullmatch(r".*\[\d+\]", stack[0]):
                stack = stack[1:]
            counts.add(stack, weight)
    return counts


def fields(data):
    """The fields of a protocol buffer: (number, value)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            assert key & 7 == 2, "a wire type that profile.proto has not"
            size = varint()
            yield key >> 3, data[at:at + size]
            at += size


def packed(data):
    return [value for _, value in fields(b"".join(b"\x08" + v for v in split_varints(data)))]


def split_varints(data):
    start = 0
    for i, byte in enumerate(data):
        if byte < 0x80:
            yield data[start:i + 1]
            start = i + 1


def read_pprof(data, value):
    strings, functions, locations, samples, counts = [], {}, {}, [], Counts()
    for number, content in fields(gzip.decompress(data)):
        if number == 6:
            strings.append(content.decode(errors="replace"))
        elif number == 5:
            message = dict(fields(content))
            functions[message[1]] = message.get(2, 0)
        elif number == 4:
            message = list(fields(content))
            lines = [dict(fields(v)) for k, v in message if k == 4]
            locations[dict(message)[1]] = [line[1] for line in lines]
        elif number == 2:
            message = dict(fields(content))
            samples.append((packed(message.get(1, b"")), packed(message[2])))
    if strings[0] != "":
        fail("pprof: the first string is not empty")
    if 0 in functions or 0 in locations:
        fail("pprof: an id is 0")
    for ids, values in samples:
        stack = [strings[functions[f]] for i in ids for f in locations[i]]
        stack.reverse()
        if stack and re.fullmatch(r".*\[\d+\]", stack[0]):
            stack = stack[1:]
        counts.add(stack, values[value])
    return counts


def read_callgrind(data, value):
    """A function's inclusive cost is that of all calls to it."""
    counts, names, function, callee, called = Counts(), {}, None, None, False
    for line in data.decode(errors="replace").split("\n"):
        match = re.fullmatch(r"(c?fn)=\((\d+)\)(?: (.*))?", line)
        if match:
            kind, number, name = match.groups()
            if name is not None:
                names[number] = name
            if kind == "fn":
                function = number
            else:
                callee = number
        elif line.startswith("calls="):
            called = True
        elif re.fullmatch(r"\d+ \d+ \d+", line):
            cost = int(line.split()[1 + value])
            if called:
                counts.total[names[callee]] += cost
            else:
                counts.self[names[function]] += cost
            called = False
    for name in [n for n in counts.total if re.fullmatch(r".*\[\d+\]", n)]:
        del counts.total[name]  # a process
    return counts


def read_perf_script(data):
    counts, stack, inside = Counts(), [], False
    for line in data.decode(errors="replace").split("\n"):
        if line == "":
            if inside:
                counts.add(stack[::-1], 1)
            stack, inside = [], False
        elif not inside:
            if not re.match(r"\S.*\s\d+/\d+ \[\d+\] \d+\.\d+:\s+\d+ \S+:", line):
                fail("perf-script: no header:", repr(line))
            inside = True
        else:
            name, _ = re.fullmatch(r"\t\s*[0-9a-f]+ (.*) \((\S+)\)", line).groups()
            stack.append(python_suffix(name))
    return counts


def read_svg(data):
    """The titles: one a box, so that totals need the nesting, which the places give."""
    document, boxes = xml.dom.minidom.parseString(data), []
    for group in document.getElementsByTagName("g"):
        title = group.getElementsByTagName("title")[0].firstChild.data
        name, total, own = re.match(r"(?s)(.*) \((\d+) samples, [\d.]+%, self (\d+)\)",
                                    title).groups()
        rect = group.getElementsByTagName("rect")[0]
        boxes.append((float(rect.getAttribute("y")), float(group.getAttribute("data-x")),
                      float(group.getAttribute("data-w")), python_suffix(name), int(total),
                      int(own)))
    counts, above = Counts(), {}
    for y, x, w, name, total, own in sorted(boxes)[1:]:
        parent = next(p for p in above.get(y - 17, []) if p[0] <= x + 1e-9 and
                      x + w <= p[1] + 1e-9) if y - 17 in above else (0, 1, [])
        stack = parent[2] + ([] if re.fullmatch(r".*\[\d+\]", name) else [name])
        above.setdefault(y, []).append((x, x + w, stack))
        counts.add(stack, own)
    for element in document.getElementsByTagName("*"):
        for attribute in ("href", "src", "xlink:href"):
            if element.hasAttribute(attribute):
                fail("svg: refers to", element.getAttribute(attribute))
    return counts


def read_html(data, value):
    text = data.decode()
    script = text[text.index("const DATA = ") + len("const DATA = "):]
    document, _ = json.JSONDecoder().raw_decode(script)
    if len(re.findall(r"</script", text)) != 1 or re.search(r"(src|href)=", text):
        fail("html: a script ends early, or the page refers to something")
    counts, nodes = Counts(), document["nodes"]
    cells = defaultdict(int)
    for bucket in document["buckets"]:
        for at in range(0, len(bucket["cells"]), 3):
            cells[bucket["cells"][at]] += bucket["cells"][at + 1 + value]
    for node, count in cells.items():
        stack = []
        while node != 0:
            function = document["functions"][nodes["function"][node]]
            if function["kind"] != "process":
                stack.append(python_suffix(function["name"]))
            node = nodes["parent"][node]
        counts.add(stack[::-1], count)
    return counts


def check_csv(scope, report):
    rows = list(csv.DictReader(io.StringIO(export("csv", scope).decode(errors="replace"),
                                           newline="")))
    found = sorted((r["name"], int(r["self_samples"]), int(r["total_samples"])) for r in rows)
    wanted = sorted((f["name"], f["self"], f["total"]) for f in report["functions"])
    if found != wanted:
        fail(SESSION, "csv", scope, "differs from the report")


# ---- readers of others ---------------------------------------------------------------------------

def skipped(what):
    print(f"skipped: check-exports: {what}: not installed")


def check_protoc(scope):
    if shutil.which("protoc") is None:
        return skipped("protoc")
    raw = run("protoc", "--decode_raw", data=gzip.decompress(export("pprof", scope))).decode()
    if raw.count("\n2 {") == 0 or "6: \"samples\"" not in raw:
        fail("protoc sees no samples")


def check_go(scope, report):
    if shutil.which("go") is None:
        return skipped("go tool pprof")
    with tempfile.NamedTemporaryFile(suffix=".pb.gz") as file:
        file.write(export("pprof", scope))
        file.flush()
        raw = run("go", "tool", "pprof", "-raw", "-symbolize=none", file.name).decode()
    total = sum(int(line.split()[0]) for line in raw[raw.index("Samples:"):].splitlines()
                if re.match(r"\s+\d+\s+\d+: ", line))
    if total != report["scope"]["samples"]:
        fail("go tool pprof counts", total, "samples of", report["scope"]["samples"])


def check_callgrind_annotate(scope, report):
    if shutil.which("callgrind_annotate") is None:
        return skipped("callgrind_annotate")
    with tempfile.NamedTemporaryFile(prefix="callgrind.out.") as file:
        file.write(export("callgrind", scope))
        file.flush()
        for inclusive, key in (("no", "self"), ("yes", "total")):
            text = run("callgrind_annotate", "--threshold=100", f"--inclusive={inclusive}",
                       file.name).decode(errors="replace")
            for row in report["functions"]:
                match = re.search(r"^\s*([\d,]+) \([^\n]*:" + re.escape(row["name"]) + r"(?: \[|$)",
                                  text, re.M)
                count = int(match.group(1).replace(",", "")) if match else 0
                if row[key] != count and row[key] > 0:
                    fail("callgrind_annotate", key, row["name"], count, "instead of", row[key])
                    return


def main():
    plain = "hostile" not in SESSION
    for scope in SCOPES:
        report = json.loads(export("json", scope))
        waiting = "waiting" in scope

        def weight(node):
            return round(node["self_s"] * 1e9) if waiting else node["self"]

        def samples(node):
            return node["self"]

        check_functions(report, scope)
        value = 1 if waiting else 0
        json_like = by_tree(report, lambda name: name, weight)
        text_like = by_tree(report, control, weight)
        compare("folded", scope, read_folded(export("folded", scope)),
                by_tree(report, lambda name: control(name).replace(";", ":"), weight))
        compare("speedscope", scope, read_speedscope(export("speedscope", scope)), json_like)
        compare("pprof", scope, read_pprof(export("pprof", scope), value), json_like)
        compare("callgrind", scope, read_callgrind(export("callgrind", scope), value), text_like)
        compare("perf-script", scope, read_perf_script(export("perf-script", scope)),
                by_tree(report, control, samples))
        compare("svg", scope, read_svg(export("svg", scope)),
                by_tree(report, lambda name: re.sub(r"[\x00-\x1f]", "\ufffd", name), samples))
        compare("html", scope, read_html(export("html", scope), value), json_like)
        check_csv(scope, report)
        if plain:
            check_protoc(scope)
            check_go(scope, report)
            if "processes" not in SESSION:
                check_callgrind_annotate(scope, report)
    sys.exit(1 if failures else 0)


main()
