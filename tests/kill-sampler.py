#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Kills proftop with SIGKILL at random moments of its work and looks at what it leaves behind:
#
#     tests/kill-sampler.py PROFTOP TARGET_PROGRAM [TIMES]
#
# TARGET_PROGRAM is one that burns CPU time until its standard input ends (tests/victims/chain).
# After each kill it must run on, be traced by nobody and not be stopped.  Too long for every check;
# 500 times is what a release is checked with.
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

program, target_program = sys.argv[1:3]
times = int(sys.argv[3]) if len(sys.argv) > 3 else 500


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def cpu_ns(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def trouble(target):
    if target.poll() is not None:
        return f"ended with {target.returncode}"
    found = status(target.pid)
    if found["TracerPid"].strip() != "0":
        return "traced by " + found["TracerPid"]
    if found["State"][0] in "Tt":
        return "stopped: " + found["State"]
    pending = int(found["SigPnd"], 16) | int(found["ShdPnd"], 16)
    if pending:
        return f"signals pending: {pending:x}"
    before, end = cpu_ns(target.pid), time.monotonic() + 20
    while cpu_ns(target.pid) == before:
        if time.monotonic() > end:
            return "stands still"
    return None


def main():
    seed = random.randrange(1 << 32)
    random.seed(seed)
    failures = 0
    target = subprocess.Popen([target_program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    target.stdout.read(1)
    with tempfile.TemporaryDirectory() as folder:
        for i in range(times):
            source = ("perf", "ptrace")[i % 2]
            command = [program, "record", "--source", source, "-F", "4999", "-p", str(target.pid),
                       "-o", os.path.join(folder, f"{i}.proftop")]
            sampler = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            # From its first instruction until well into its samples.
            time.sleep(random.random() ** 2 * 0.6)
            sampler.send_signal(signal.SIGKILL)
            if sampler.wait() != -signal.SIGKILL:
                print(f"{i} {source}: the sampler had ended by itself: {sampler.returncode}")
                failures += 1
            found = trouble(target)
            if found is not None:
                print(f"{i} {source}: {found}")
                failures += 1
                if target.poll() is not None:
                    break
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))
    print(f"{times} kills, {failures} troubles (seed {seed})")
    target.stdin.close()
    target.wait()
    return failures != 0


sys.exit(main())
