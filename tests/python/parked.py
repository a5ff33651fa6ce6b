# Threads parked at known places, and what the interpreter itself says of them: for each thread a
# line "tid", then "file|function|line" innermost first, then an empty line; at the end "ready".
import asyncio
import ctypes
import functools
import json
import os
import re
import sys
import threading

tids = {}
parked = []
gate = threading.Lock()
gate.acquire()


def park():
    with gate:
        pass


def recurse(depth):
    if depth == 0:
        return park()
    return recurse(depth - 1)


def generate(depth):
    if depth == 0:
        yield park()
    else:
        yield from generate(depth - 1)


class Thing:
    def method(self):
        return [
            self.inner(value)
            for value in
            (1,)
        ]

    def inner(self, value):
        return sorted([3, 1, 2],
                      key=lambda item:
                      self.deepest(item))

    @functools.lru_cache(None)
    def deepest(self, item):
        json.dumps({"a": Odd()},
                   default=self.default)

    def default(self, odd):
        re.sub("x", self.replace, "axb")

    def replace(self, match):
        return str(park())


class Odd:
    pass


compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


def through_c():
    libc = ctypes.CDLL(None)
    numbers = (ctypes.c_int * 2)(2, 1)

    def compare(a, b):
        park()
        return 0

    libc.qsort(numbers, 2, 4, compare_type(compare))


def много(глубина):
    recurse(глубина)


def add(total, item):
    return park()


def fold():
    return functools.reduce(add, [1, 2, 3])


async def wait_for(depth):
    if depth == 0:
        return fold()
    return await wait_for(depth - 1)


async def tasks():
    await asyncio.create_task(wait_for(3))


work = [
    park,
    lambda: recurse(25),
    lambda: list(generate(5)),
    lambda: Thing().method(),
    through_c,
    lambda: много(3),
    lambda: recurse(400),
    lambda: asyncio.run(tasks()),
]


def run(call):
    tids[threading.get_ident()] = threading.get_native_id()
    parked.append(1)
    call()


sys.setrecursionlimit(5000)
tids[threading.get_ident()] = threading.get_native_id()
threads = [threading.Thread(target=run, args=(call,), daemon=True) for call in work]
for thread in threads:
    thread.start()


def wait_for_end():
    os.read(0, 1)


def asleep(tid):
    with open(f"/proc/self/task/{tid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "S"


# On the line that waits: one that sleeps on its way there only waits for the interpreter.
def arrived(frame):
    code = frame.f_code
    return code.co_name in ("park", "wait_for_end") and frame.f_lineno == code.co_firstlineno + 1


def report():
    while True:
        frames = sys._current_frames()
        if len(parked) == len(work) and all(
            asleep(tids[ident]) and arrived(frame)
            for ident, frame in frames.items()
            if ident in tids
        ):
            break
    for ident, frame in sys._current_frames().items():
        if ident not in tids:
            continue
        print(tids[ident])
        while frame is not None:
            name = getattr(frame.f_code, "co_qualname", frame.f_code.co_name)
            print(f"{frame.f_code.co_filename}|{name}|{frame.f_lineno}")
            frame = frame.f_back
        print()
    print("ready", flush=True)


threading.Thread(target=report, daemon=True).start()
wait_for_end()
