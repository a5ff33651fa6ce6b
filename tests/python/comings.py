# Threads, forked children and interpreters that come and go while they are looked at; the argument
# is how many seconds.  Ends with status 3, having said how many rounds it did.
import os
import subprocess
import sys
import threading
import time


def spin(n):
    return sum(i & 3 for i in range(n))


def fork_and(end):
    pid = os.fork()
    if pid == 0:
        spin(20000)
        end()
    return os.waitpid(pid, 0)[1]


rounds = 0
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    threads = [threading.Thread(target=spin, args=(3000,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fork_and(lambda: os._exit(0)) == 0
    assert fork_and(lambda: os.execv(sys.executable, [sys.executable, "-S", "-c", "pass"])) == 0
    subprocess.run([sys.executable, "-S", "-c", "import threading; threading.Thread(target=print).start()"],
                   stdout=subprocess.DEVNULL, check=True)
    rounds += 1
print("rounds", rounds, flush=True)
sys.exit(3)
