"""A child of the node as it is shipped, that hangs when it is told to: ``hanging_child.py ears|eyes --socket PATH``.

SIGUSR1 holds its main thread for ever, as a driver that never returns does; its other threads go on.
"""

import signal
import sys
import time

from forge_edge.__main__ import main

FOR_EVER_SECONDS = 10**6

if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: time.sleep(FOR_EVER_SECONDS))
    sys.exit(main(sys.argv[1:]))
