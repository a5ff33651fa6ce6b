# Short calls, of which a reader that does not stand still would mix up two moments.  The argument
# is how many seconds of CPU time; check-python.sh knows who calls whom.
import sys
import time


def a1():
    return 1


def a2():
    return a1() + a1()


def a3():
    return a2()


def b1():
    return 2


def b2():
    return b1()


def b3():
    return b2() + b1()


def top_a():
    for _ in range(50):
        a3()


def top_b():
    for _ in range(50):
        b3()


def both():
    while time.process_time() < float(sys.argv[1]):
        top_a()
        top_b()


both()
