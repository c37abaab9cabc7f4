"""The emulator's own process: the bridges, then ministack. Ends with the process that started it."""

import os
import runpy
import signal
import threading
import time

from local.aws.bridges import install


def end_with(parent: int) -> None:
    """However the parent ends, end this process and all that it started."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    install()
    runpy.run_module("ministack", run_name="__main__")
