#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How often a report's ± holds: the demo, whose shares are known, recorded again and again.

    tests/known-shares.py [RUNS [SECONDS [OPTION...]]]

A report states how far the largest share may be off, in 95 of 100 recordings.  Each function's share
has to lie that near to the truth in 90 of 100, and by other options (--source ptrace, -F 999) too.
"""
import json
import os
import subprocess
import sys
import tempfile

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
SECONDS = sys.argv[2] if len(sys.argv) > 2 else '2'
OPTIONS = sys.argv[3:]
BUILT = os.environ.get('PROFTOP_BUILT', '.')
PROFTOP, DEMO = os.path.join(BUILT, 'proftop'), os.path.join(BUILT, 'demo/demo')
# Each function's steps in percent: see demo/cpu.c.
KNOWN = {'shade_pixels': 40, 'blend_layers': 20, 'split_words': 20, 'look_up_names': 10,
         'pack_result': 10}


def record(path):
    subprocess.run([PROFTOP, 'record', '--force', '-o', path] + OPTIONS +
                   ['--', DEMO, '--phase', 'cpu', '--seconds', SECONDS, '--quiet'],
                   check=True, stderr=subprocess.DEVNULL)
    return json.loads(subprocess.run([PROFTOP, 'report', path, '--format', 'json'], check=True,
                                     stdout=subprocess.PIPE).stdout)


def main():
    within, offs, samples, stated = dict.fromkeys(KNOWN, 0), dict.fromkeys(KNOWN, 0), [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(RUNS):
            report = record(os.path.join(folder, 'run.proftop'))
            found = {row['name']: row['self_pct'] for row in report['functions']}
            samples.append(report['scope']['samples'])
            stated.append(report['scope']['error_pt'])
            for name, share in KNOWN.items():
                off = found.get(name, 0) - share
                offs[name] += off
                within[name] += abs(off) <= report['scope']['error_pt']
    print('%d runs, %d to %d samples each, ± %.1f to %.1f points' %
          (RUNS, min(samples), max(samples), min(stated), max(stated)))
    for name, share in KNOWN.items():
        print('%-14s %3d %%: within ± in %5.1f %% of the runs, %+.2f points off in the mean' %
              (name, share, 100 * within[name] / RUNS, offs[name] / RUNS))
    return 1 if min(within.values()) < 0.9 * RUNS else 0


sys.exit(main())
