#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lanes beside vmstat, mpstat, iostat and pidstat over the same seconds.

    tests/compare-lanes.py [SECONDS]

A program that faults, writes and rests in turn is recorded while the others watch; the means over
the whole time must agree, and the second by second series must move together.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 30
BUILT = os.environ.get('PROFTOP_BUILT', '.')
PROFTOP = os.path.abspath(os.path.join(BUILT, 'proftop'))
VICTIM = os.path.abspath(os.path.join(BUILT, 'tests/victims/bursts'))
failures = 0


def rows_of(text, first):
    """Rows of a table as dictionaries: titles are the line that has FIRST, numbers follow."""
    titles, rows = None, []
    for line in text.splitlines():
        words = line.split()
        if first in words:
            titles = words
        elif titles and len(words) == len(titles) and re.search(r'\d', line):
            rows.append(dict(zip(titles, words)))
    return rows


def column(rows, *names):
    return [sum(float(row[name]) for name in names) for row in rows]


def mean(values):
    return sum(values) / len(values) if values else 0


def together(ours, theirs):
    """The best correlation of the two series within a second of each other."""
    best = -1
    for lag in (-2, -1, 0, 1, 2):
        pairs = [(ours[i], theirs[i + lag]) for i in range(len(ours)) if 0 <= i + lag < len(theirs)]
        if len(pairs) < 5:
            continue
        x, y = mean([a for a, _ in pairs]), mean([b for _, b in pairs])
        above = sum((a - x) * (b - y) for a, b in pairs)
        below = (sum((a - x) ** 2 for a, _ in pairs) * sum((b - y) ** 2 for _, b in pairs)) ** 0.5
        best = max(best, above / below if below > 0 else 1)
    return best


def check(name, ours, theirs, slack, moves=False):
    """Means agree within a tenth or SLACK; series that MOVE do so together."""
    global failures
    a, b = mean(ours), mean(theirs)
    alike = together(ours, theirs) if moves else 1
    good = abs(a - b) <= max(slack, 0.1 * max(a, b)) and alike > 0.8
    failures += not good
    print('%-34s %12.2f %12.2f  %s%s' % (name, a, b, 'ok' if good else 'DIFFERS',
                                         '  together %.2f' % alike if moves else ''))


def main():
    for tool in ('vmstat', 'mpstat', 'iostat', 'pidstat'):
        if shutil.which(tool) is None:
            print('skipped: compare-lanes: %s is not installed' % tool)
            return 77
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    steps = ['quiet:4', 'faults:2', 'quiet:3', 'sync:3', 'busy:2'] * (SECONDS // 10 + 2)
    victim = subprocess.Popen([VICTIM] + steps)
    pid = str(victim.pid)
    quiet = dict(os.environ, LC_ALL='C', S_TIME_FORMAT='ISO')
    time.sleep(0.5)  # its exec, before anybody looks
    tools = {name: subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=quiet)
             for name, argv in {
                 'vmstat': ['vmstat', '-n', '1', str(SECONDS + 1)],
                 'mpstat': ['mpstat', '1', str(SECONDS)],
                 'iostat': ['iostat', '-dxk', '1', str(SECONDS + 1)],
                 'pidstat': ['pidstat', '-hurdw', '-p', pid, '1', str(SECONDS)],
             }.items()}
    subprocess.run([PROFTOP, 'record', '-o', 's.proftop', '-d', str(SECONDS + 1), '-p', pid],
                   check=True)
    said = {name: tool.communicate()[0] for name, tool in tools.items()}
    victim.kill()
    victim.wait()
    report = json.loads(subprocess.run([PROFTOP, 'report', '--json', '--view', 'time', 's.proftop'],
                                       capture_output=True, check=True).stdout)
    seconds = [row for row in report['time'] if 'us' in row['system']][:SECONDS]
    shutil.rmtree(folder)

    def ours(group, *path):
        values = []
        for row in seconds:
            value = row[group]
            for part in path:
                value = value.get(part, 0) if isinstance(value, dict) else 0
            values.append(value)
        return values

    def added(*series):
        return [sum(values) for values in zip(*series)]

    print('%-34s %12s %12s' % ('', 'proftop', 'theirs'))
    vmstat = rows_of(said['vmstat'], 'swpd')[1:]
    check('vmstat r', ours('system', 'run_queue'), column(vmstat, 'r'), 2)
    check('vmstat in', ours('system', 'interrupts'), column(vmstat, 'in'), 100)
    check('vmstat cs', ours('system', 'context_switches'), column(vmstat, 'cs'), 300, True)
    check('vmstat bo (kB/s)', [v / 1024 for v in ours('system', 'write_bytes')],
          column(vmstat, 'bo'), 200)
    check('vmstat free (MB)', [v / 2**20 for v in ours('system', 'free_bytes')],
          [v / 1024 for v in column(vmstat, 'free')], 200)
    check('vmstat us', added(ours('system', 'us'), ours('system', 'ni')), column(vmstat, 'us'), 2)
    check('vmstat sy', added(ours('system', 'sy'), ours('system', 'hi'), ours('system', 'si')),
          column(vmstat, 'sy'), 2, True)
    mpstat = [row for row in rows_of(said['mpstat'], '%usr') if row['CPU'] == 'all'][:SECONDS]
    for name, key in (('%usr', 'us'), ('%nice', 'ni'), ('%sys', 'sy'), ('%iowait', 'wa'),
                      ('%irq', 'hi'), ('%soft', 'si'), ('%steal', 'st'), ('%idle', 'id')):
        check('mpstat ' + name, ours('system', key), column(mpstat, name), 1.5)
    disks = [row for row in rows_of(said['iostat'], 'r/s')]
    for disk in sorted({row['Device'] for row in disks if row['Device'] in
                        seconds[-1]['system'].get('disks', {})}):
        iostat = [row for row in disks if row['Device'] == disk][1:]
        check('iostat %s w/s' % disk, ours('system', 'disks', disk, 'writes'),
              column(iostat, 'w/s'), 5)
        check('iostat %s wkB/s' % disk,
              [v / 1024 for v in ours('system', 'disks', disk, 'write_bytes')],
              column(iostat, 'wkB/s'), 200)
        check('iostat %s %%util' % disk, ours('system', 'disks', disk, 'util_pct'),
              column(iostat, '%util'), 3)
        check('iostat %s w_await' % disk, ours('system', 'disks', disk, 'w_await_ms'),
              column(iostat, 'w_await'), 0.5)
    pidstat = rows_of(said['pidstat'].replace('#', ''), 'minflt/s')
    check('pidstat %CPU', ours('target', 'cpu_pct'), column(pidstat, '%CPU'), 3, True)
    check('pidstat %usr', ours('target', 'user_pct'), column(pidstat, '%usr'), 4)
    check('pidstat minflt/s', ours('target', 'minflt'), column(pidstat, 'minflt/s'), 100, True)
    check('pidstat majflt/s', ours('target', 'majflt'), column(pidstat, 'majflt/s'), 1)
    check('pidstat RSS (kB)', [v / 1024 for v in ours('target', 'rss_bytes')],
          column(pidstat, 'RSS'), 1500)
    check('pidstat kB_wr/s', [v / 1024 for v in ours('target', 'write_bytes')],
          column(pidstat, 'kB_wr/s'), 500, True)
    check('pidstat cswch/s', ours('target', 'vcsw'), column(pidstat, 'cswch/s'), 30)
    check('pidstat nvcswch/s', ours('target', 'ivcsw'), column(pidstat, 'nvcswch/s'), 30)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
