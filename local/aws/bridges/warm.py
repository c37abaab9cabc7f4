"""Jobs as forks of a process that has imported what they import: that takes each of them seconds."""

import io
import multiprocessing
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path
from unittest.mock import patch

# Others' modules alone: a job's own code comes from its package.
IMPORTED = [
    "boto3",
    "fairlearn.metrics",
    "polars",
    "pydantic",
    "pyiceberg.catalog.glue",
    "pyiceberg.io.pyarrow",
    "sklearn.calibration",
    "sklearn.ensemble",
    "skops.io",
]
# Jobs share the processors of this machine: threads of several would fight over them.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
CHECKOUT = Path(__file__).parents[3]
_context = multiprocessing.get_context("forkserver")
_starting = threading.Lock()


def run_module(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, limit: int
) -> int:
    """Run `python -m …` in the folder to its end; its exit code. Raises subprocess.TimeoutExpired."""
    with _starting, patch.dict(os.environ, ONE_THREAD):  # read when numpy is imported
        _context.set_forkserver_preload(IMPORTED)
        forkserver.ensure_running()
    job = (list(command), str(folder), dict(environment), str(log))
    process = _context.Process(target=_be, args=job, daemon=True)
    process.start()
    process.join(limit)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise subprocess.TimeoutExpired(list(command), limit)
    return process.exitcode


def _be(command: list[str], folder: str, environment: dict[str, str], log: str) -> None:
    """Become the job."""
    with Path(log).open("wb") as output:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
    for stream in (sys.stdout, sys.stderr):  # lines in the order in which they are written
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep)
    _forget_checkout()
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


def _forget_checkout() -> None:
    """A job has its package alone: this checkout would stand in for what the package lacks, unnoticed."""
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != CHECKOUT]
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "/")
        if file.is_relative_to(CHECKOUT) and "site-packages" not in file.parts:
            del sys.modules[name]
