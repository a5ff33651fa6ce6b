#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recordings killed at random moments: each opens and lacks at most its last second.

    tests/kill-recordings.py [TIMES]

One demo runs all along; proftop attaches to it, is read while it writes, is killed by SIGKILL and
its file is read again: by proftop, by SQLite alone, and, where this is root, by somebody else from a
folder in which nobody can write.  On a machine that is busy with other things a second is not
enough: run it by itself.
"""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

TIMES = int(sys.argv[1]) if len(sys.argv) > 1 else 50
BUILT = os.path.abspath(os.environ.get('PROFTOP_BUILT', '.'))
PROFTOP = os.path.join(BUILT, 'proftop')
NOBODY = 65534
failures = 0


def fail(*words):
    global failures
    failures += 1
    print('FAILED:', *words)


def report(path, **how):
    """What proftop makes of PATH; None when it does not open."""
    done = subprocess.run([PROFTOP, 'report', path, '--format', 'json'], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **how)
    if done.returncode != 0:
        fail(path, 'does not open:', done.returncode, done.stderr.decode())
        return None
    return json.loads(done.stdout)


def ended_at(path):
    """When the recording ends by SQLite's reading of a copy, as a date."""
    folder = tempfile.mkdtemp()
    for suffix in ('', '-wal'):
        if os.path.exists(path + suffix):
            shutil.copy(path + suffix, folder + '/copy' + suffix)
    info = dict(sqlite3.connect(folder + '/copy').execute('SELECT key, value FROM info'))
    shutil.rmtree(folder)
    return (info['start_ns'] + info['realtime_offset_ns'] + info['end_ns']) / 1e9


def written(path):
    """Whether the first second is in the file: before that there is nothing to lose."""
    return os.path.exists(path + '-wal') and os.path.getsize(path + '-wal') > 0


def kill_one(path, pid):
    """Seconds that the file lacks; None when it could not be read."""
    command = [PROFTOP, 'record', '-p', str(pid), '-o', path]
    recorder = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not written(path) and recorder.poll() is None:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 3))
    during = report(path)
    killed_at = time.time()
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait()
    after = report(path)
    if during is None or after is None:
        return None
    if after['session']['samples'] < during['session']['samples']:
        fail(path, 'lost what was read from it before:', during['session']['samples'],
             after['session']['samples'])
    return killed_at - ended_at(path)


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def read_as_nobody(folder, path):
    for suffix in ('', '-wal', '-shm'):
        if os.path.exists(path + suffix):
            os.chmod(path + suffix, 0o444)
    os.chmod(folder, 0o555)
    before = sorted(os.listdir(folder))
    report(path, preexec_fn=become_nobody)
    if sorted(os.listdir(folder)) != before:
        fail(folder, 'was changed by a reader')
    os.chmod(folder, 0o755)


def main():
    top = tempfile.mkdtemp()
    os.chmod(top, 0o755)
    demo = subprocess.Popen([os.path.join(BUILT, 'demo/demo'), '--seconds', '3600', '--quiet'],
                            stdout=subprocess.DEVNULL)
    lacking = []
    try:
        for i in range(TIMES):
            folder = '%s/%d' % (top, i)
            os.mkdir(folder)
            lack = kill_one(folder + '/killed.proftop', demo.pid)
            if lack is not None:
                lacking.append(lack)
            if os.geteuid() == 0:
                read_as_nobody(folder, folder + '/killed.proftop')
    finally:
        demo.kill()
        demo.wait()
        shutil.rmtree(top)
    lacking.sort()
    if lacking:
        print('%d killed, %d read; they lack %.2f s at least, %.2f s in the middle, %.2f s at most' %
              (TIMES, len(lacking), lacking[0], lacking[len(lacking) // 2], lacking[-1]))
        if lacking[-1] > 1:
            fail(sum(lack > 1 for lack in lacking), 'lack more than a second')
    return 1 if failures else 0


sys.exit(main())
