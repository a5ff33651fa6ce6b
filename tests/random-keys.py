#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random keys, clicks and sizes for the whole program on a terminal: nothing may come of them.

    tests/random-keys.py SECONDS [SEED]

Rounds of at most a minute, one line each, with the seed that repeats it: two processes watched, a
command launched that prints what no terminal should be told, a saved session, and the list of
processes (in a PID namespace of its own, where that is allowed: whatever it attaches to is ours).
A key may quit: then the round was short.  A finding is a report of a sanitizer, an end by a signal
or with a status that no key asks for, no end when asked to, a terminal left as it was not found, or
a target that does not run on.  Meant for a build with --enable-sanitizers; .ci/run does ten minutes
of it, a person an hour before a release.
"""
import ctypes
import fcntl
import glob
import os
import pty
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

SECONDS = float(sys.argv[1])
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
BUILT = os.path.abspath(os.environ.get('PROFTOP_BUILT', '.'))
PROFTOP = BUILT + '/proftop'
DEMO = BUILT + '/demo/demo'
ROUND = 60
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
SANITIZER = 99  # the status of a program that a sanitizer ended
HOSTILE = r'''i=0
while :; do
    ls -l --color=always /usr/bin | head -n 200
    printf '\033]0;title\007\033[2J\033[%dm\033[?1049h\033[999;999H\303\050\377\376\033P$q\033[?1000h' $i
    head -c 3000 /bin/sh
    i=$((i + 1))
    sleep 0.1
done'''

NAMED = [b'\033[A', b'\033[B', b'\033[C', b'\033[D', b'\033[5~', b'\033[6~', b'\033[H', b'\033[F',
         b'\033[Z', b'\033[3~', b'\033[2~', b'\033OP', b'\033OQ', b'\033OR', b'\033OS', b'\033[15~',
         b'\033[17~', b'\033[18~', b'\033[19~', b'\033[20~', b'\033', b'\r', b'\t', b'\177']
TYPED = [b'/a', b'\\e\r', b':range 1..3\r', b':filter a.*b\r', b':12:30:21\r', b':so\t\r', b':\t\t\t',
         b'v\033[B\r', b'F6\033[B\r', b's\033[B\033[B\033', b'\033[200~x\033[201~', b'\303\251', b'\377',
         b'\342\200\256', b'\033[999;999R', b'\033[<', b'\033]52;c;eA==\007', b'\035']
# Quitting has its own end of a round; suspending needs a shell around it.
LEFT_OUT = b'\003\021\032\034qQ'


def some_key(chance):
    kind = chance.random()
    if kind < 0.35:
        return chance.choice(NAMED)
    if kind < 0.45:
        return chance.choice(TYPED)
    if kind < 0.55:
        return b'\033[<%d;%d;%d%c' % (chance.choice([0, 0, 0, 2, 32, 64, 65]), chance.randint(1, 200),
                                      chance.randint(1, 50), chance.choice(b'Mm'))
    while True:
        key = bytes([chance.randint(1, 126)])
        if key not in LEFT_OUT:
            return key


def some_size(chance):
    columns = [1, 2, 10, 39, 40, 79, 80, 119, 120, 140, 160, 200, 250, chance.randint(1, 255)]
    rows = [1, 2, 9, 10, 12, 23, 24, 35, 36, 40, 60, chance.randint(1, 80)]
    return chance.choice(columns), chance.choice(rows)


class Round:
    """One proftop on a terminal, and what it watches."""

    def __init__(self, seed, folder):
        self.seed = seed
        self.chance = random.Random(seed)
        self.folder = folder
        self.findings = []
        self.targets = []
        self.status = None

    def demo(self):
        target = subprocess.Popen([DEMO, '--quiet', '--loop'], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL)
        self.targets.append(target)
        return str(target.pid)

    def arguments(self):
        kind = self.seed % 5
        if kind == 0:
            return 'two processes', [PROFTOP, '-p', self.demo() + ',' + self.demo()]
        if kind == 1:
            return 'a command', [PROFTOP, '--', 'sh', '-c', HOSTILE]
        if kind == 2:
            return 'a session', [PROFTOP, 'open', self.folder + '/saved.proftop']
        if kind == 3 and namespaces():
            return 'the list', ['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c',
                                '"$0" --quiet --loop & "$1"; status=$?; kill $!; exit $status', DEMO, PROFTOP]
        return 'ptrace', [PROFTOP, '--source', 'ptrace', '-p', self.demo()]

    def start(self, argv):
        go, ready = os.pipe()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.read(go, 1)  # the terminal's settings are looked at first
            term = self.chance.choice(['xterm-256color', 'tmux-256color', 'linux', 'vt100'])
            leaks = term != 'linux'  # where curses keeps what the console's mouse took
            os.environ.update(TERM=term, HOME=self.folder, XDG_STATE_HOME=self.folder,
                              XDG_CONFIG_HOME=self.folder,
                              ASAN_OPTIONS='detect_leaks=%d:exitcode=%d:log_path=%s/report'
                              % (leaks, SANITIZER, self.folder),
                              UBSAN_OPTIONS='halt_on_error=1:exitcode=%d:print_stacktrace=1:log_path=%s/report'
                              % (SANITIZER, self.folder))
            os.makedirs(self.folder + '/here', exist_ok=True)
            os.chdir(self.folder + '/here')
            os.execvp(argv[0], argv)
        self.before = termios.tcgetattr(self.terminal)
        os.write(ready, b'!')
        os.close(go)
        os.close(ready)

    def resize(self, columns, rows):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def drain(self, seconds):
        """Reads what is painted for so long; False at the end of the program."""
        until = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self.terminal], [], [], max(0, until - time.monotonic()))
            if not ready:
                return True
            try:
                if not os.read(self.terminal, 1 << 16):
                    return False
            except OSError:
                return False

    def type(self, keys):
        """Keys that do not fit, since nobody reads them, are lost as on any terminal."""
        os.set_blocking(self.terminal, False)
        try:
            os.write(self.terminal, keys)
        except OSError:
            pass

    def press(self, seconds):
        self.keys = 0
        until = time.monotonic() + seconds
        self.resize(80, 24)
        alive = self.drain(1)
        while alive and time.monotonic() < until:
            if self.chance.random() < 0.04:
                self.resize(*some_size(self.chance))
            else:
                self.type(some_key(self.chance))
            self.keys += 1
            alive = self.drain(self.chance.choice([0, 0.005, 0.02, 0.05]))
        return alive

    def quit(self):
        """Out of whatever is typed or asked; `t` terminates a command that still runs, and letters
        only filter in the list of processes, which ^C ends.  What was typed at a terminal that was
        given back already is taken from it: nobody reads it, and a ^S among it stops the last words."""
        until = time.monotonic() + 60
        self.resize(80, 24)
        while time.monotonic() < until:
            for keys in (b'\035', b'\033', b'\033', b'Q', b't', b'\003'):
                termios.tcflush(self.terminal, termios.TCOFLUSH)
                self.type(b'\021' + keys)
                if not self.drain(0.2):
                    return
        self.findings.append('does not end\n' + stacks())
        os.kill(self.pid, signal.SIGKILL)

    def judge(self, argv):
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        # A command's status is ours, and the list launches what is typed in it.
        launched = argv[0] != PROFTOP or '--' in argv
        if self.status < 0 or self.status in (SANITIZER, 125) or (self.status != 0 and not launched):
            self.findings.append('ended with status %d' % self.status)
        for report in glob.glob(self.folder + '/report*'):
            with open(report, errors='replace') as text:
                self.findings.append(text.read())
        try:
            after = termios.tcgetattr(self.terminal)
            if after != self.before:
                self.findings.append('terminal %s, was %s' % (after, self.before))
        except termios.error:
            pass  # gone with the last who had it open
        os.close(self.terminal)
        for target in self.targets:
            with open('/proc/%d/stat' % target.pid) as text:
                state = text.read().rpartition(')')[2].split()[0]
            if state not in 'RSD':
                self.findings.append('target left in state ' + state)
            target.kill()
            target.wait()

    def run(self, seconds):
        what, argv = self.arguments()
        self.start(argv)
        if self.press(seconds):
            self.quit()
        self.judge(argv)
        print('seed %d: %s, %d keys, status %d%s' % (
            self.seed, what, self.keys, self.status,
            ''.join('\nFINDING: ' + finding for finding in self.findings)), flush=True)
        return bool(self.findings)


def stacks():
    """Where every proftop of this machine is."""
    return subprocess.run('for pid in $(pgrep -x proftop); do timeout 20 eu-stack -p $pid; done', shell=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def namespaces():
    return subprocess.call(['unshare', '--pid', '--fork', '--mount-proc', 'true'], stdin=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL) == 0


def sweep():
    """Ends what a round left: a key may let the command run on, with who keeps its terminal."""
    while True:
        with open('/proc/self/task/%d/children' % os.getpid()) as text:
            for child in text.read().split():
                os.kill(int(child), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main():
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    found = 0
    seed = SEED
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        folder = tempfile.mkdtemp(prefix='proftop-keys-')
        subprocess.check_call([BUILT + '/tests/make_session', 'plain', folder + '/saved.proftop'])
        found += Round(seed, folder).run(min(ROUND, max(5, until - time.monotonic())))
        sweep()
        shutil.rmtree(folder)
        seed += 1
    print('%d rounds, %d with findings' % (seed - SEED, found))
    return found != 0


sys.exit(main())
