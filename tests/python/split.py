# Four kinds of work, in turn, and the CPU time that each took as the program itself measures it:
# lines "FUNCTION SECONDS".  The argument is how many of them there are.
import ctypes
import ctypes.util
import sys
import time
import zlib

text = b"".join(b"%d %x;" % (i * i, i) for i in range(4000))
values = [(i * 7919) % 10007 for i in range(12000)]
native = ctypes.CDLL(ctypes.util.find_library("z") or "libz.so.1")
native.adler32.restype = ctypes.c_ulong
native.adler32.argtypes = [ctypes.c_ulong, ctypes.c_void_p, ctypes.c_uint]
block = ctypes.create_string_buffer(1 << 20)


def loop_in_python():
    total = 0
    for i in range(100000):
        total += i & 7
    return total


def compress():
    return zlib.compress(text, 6)


def order_by_key():
    return sorted(values, key=lambda value: -value)


def loop_in_c():
    for _ in range(12):
        native.adler32(1, block, len(block))


def work(seconds):
    took = {}
    while time.process_time() < seconds:
        for part in loop_in_python, compress, order_by_key, loop_in_c:
            began = time.thread_time()
            part()
            took[part.__name__] = took.get(part.__name__, 0) + time.thread_time() - began
    return took


for name, seconds in work(float(sys.argv[1])).items():
    print(name, seconds)
