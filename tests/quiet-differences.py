#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How often a range of a quiet recording is told to differ from its rest: of 100, in 5 at most.

    tests/quiet-differences.py [RUNS [SECONDS]]

Programs that do the same all the time are recorded, two beside each other, and a random range of
each is held against the rest.  Nothing differs but by chance.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 10
BUILT = os.environ.get('PROFTOP_BUILT', '.')
PROFTOP, DEMO = os.path.join(BUILT, 'proftop'), os.path.join(BUILT, 'demo/demo')
PYTHON = '''
import json, re, zlib
text = json.dumps([{"name": "item %d" % i, "values": list(range(i % 50))} for i in range(300)])
while True:
    data = json.loads(text)
    sum(len(re.findall("[0-9]+", item["name"])) for item in data)
    zlib.compress(text.encode(), 1)
    sorted(data, key=lambda item: len(item["values"]))
'''
PROGRAMS = {'demo': [DEMO, '--phase', 'cpu', '--seconds', '3600', '--quiet'],
            'python': [sys.executable, '-c', PYTHON],
            'awk': ['awk', 'BEGIN { for (;;) { for (i = 0; i < 5000; i++) { s[i % 97] = '
                           'sprintf("%d %s", i, s[i % 89]); gsub(/[0-9]+ /, "x", s[i % 97]); '
                           's[i % 97] = substr(s[i % 97], 1, 40) } } }']}


def run(number):
    """How many functions are marked in one recording, of how many."""
    name = list(PROGRAMS)[number % len(PROGRAMS)]
    program = subprocess.Popen(PROGRAMS[name], stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'quiet.proftop')
        time.sleep(1)  # not its start, when it is not yet what it will be
        try:
            subprocess.run([PROFTOP, 'record', '-d', str(SECONDS), '-o', path,
                            '-p', str(program.pid)],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        finally:
            program.kill()
            program.wait()
        length = random.uniform(0.1, 0.4) * SECONDS
        start = random.uniform(0, SECONDS - length)
        said = subprocess.run([PROFTOP, 'diff', path, '--range', f'{start:.2f}..{start + length:.2f}',
                               '--json'], stdout=subprocess.PIPE, check=True).stdout
    functions = json.loads(said)['functions']
    marked = [row for row in functions if row['significant']]
    for row in marked:
        print(f"{name} {start:.1f}..{start + length:.1f}: {row['name']} {row['delta']:+.1f} points",
              file=sys.stderr)
    return bool(marked)


def main():
    with ThreadPoolExecutor(2) as pool:
        marked = sum(pool.map(run, range(RUNS)))
    print(f'{marked} of {RUNS} quiet recordings of {SECONDS:g} s are marked')
    return 1 if marked > 0.05 * RUNS else 0


sys.exit(main())
