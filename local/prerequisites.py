"""Says in one line what this machine lacks. Runs on whatever Python there is, before anything is installed."""

import importlib.util
import shutil
import sys


def lacking():
    if sys.version_info < (3, 11):
        found = ".".join(str(part) for part in sys.version_info[:3])
        return "Python 3.11 or newer is needed, found %s; name another: make PYTHON=python3.13 …" % found
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            return "Python's %s module is needed (Debian: apt install python3-venv)" % module
    free = shutil.disk_usage(".").free
    if free < 4 * 10**9:
        return "4 GB of free disk are needed here, found %.1f GB" % (free / 1e9)
    return None


if __name__ == "__main__":
    problem = lacking()
    if problem:
        sys.exit("make: " + problem)
