#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Stops a program very often by ptrace that works 20 us and waits in epoll_pwait2() in turn, and
# compares what it saw with what it sees beside a program that is as busy as the sampler, and as
# important, but stops nobody, in the same run:
#
#     tests/hold-waiter.py PROFTOP WAITER [STOPS [SECONDS]]
#
# WAITER is tests/victims/waiter, "chain" beside it the busy one.  They take turns, until there were
# STOPS (1,000,000) or the time is over.  No wait may end with EINTR; of waits that lasted longer
# than asked by more than a tick there may not be significantly more.  Too long for every check: a
# release is checked with it.
import json
import os
import subprocess
import sys
import tempfile
import time

program, victim = sys.argv[1:3]
wanted = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
end = time.monotonic() + (float(sys.argv[4]) if len(sys.argv) > 4 else 3600)
BESIDE_S, SAMPLED_S = 10, 10


class Side:
    def __init__(self, name):
        self.name = name
        self.rounds = self.interrupted = self.longest_us = self.late = self.stops = 0

    def add(self, line):
        rounds, interrupted, _, longest_us, late = map(int, line.split())
        self.rounds += rounds
        self.interrupted += interrupted
        self.longest_us = max(self.longest_us, longest_us)
        self.late += late

    def tell(self):
        print(f"{self.name}: {self.rounds} waits, {self.stops} stops, {self.interrupted} EINTR, "
              f"longest {self.longest_us} us more than asked, "
              f"{self.late} more than a tick ({self.late * 1e6 / max(self.rounds, 1):.1f} in a million)",
              flush=True)


def turn(side, sampled, folder):
    target = subprocess.Popen([victim, "short"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    target.stdout.read(1)
    if sampled:
        output = os.path.join(folder, "waiter.json")
        subprocess.run([program, "record", "--source", "ptrace", "--no-waiting", "-F", "9999",
                        "-d", str(SAMPLED_S), "-p", str(target.pid), "--json", "--force",
                        "-o", output], check=True, stderr=subprocess.DEVNULL)
        with open(output, encoding="utf-8") as file:
            side.stops += json.load(file)["session"]["stopped_us"]["count"]
    else:
        busy = subprocess.Popen(["nice", "-n", "-10", os.path.join(os.path.dirname(victim), "chain")],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        time.sleep(BESIDE_S)
        busy.communicate()
    told, _ = target.communicate()
    side.add(told.decode())


def main():
    beside, sampled = Side("beside a busy program"), Side("sampled")
    with tempfile.TemporaryDirectory() as folder:
        while sampled.stops < wanted and time.monotonic() < end:
            turn(beside, False, folder)
            turn(sampled, True, folder)
    beside.tell()
    sampled.tell()
    # Two counts of rare things: three standard deviations of their difference.
    due = beside.late * sampled.rounds / max(beside.rounds, 1)
    bad = sampled.interrupted > 0 or sampled.late > due + 3 * (sampled.late + due + 1) ** 0.5
    print("bad" if bad else "good")
    return bad


sys.exit(main())
