"""The embedded AWS as a process: where it listens, and that it ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

from local.aws.embedded import ROOT, EmbeddedAws

PARENT = """
import os, signal
from local.aws.embedded import EmbeddedAws
with EmbeddedAws(account="111111111111", region="us-east-1") as aws:
    print(aws.process.pid, aws.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def runs(pid: int) -> bool:
    """Whether the process is there, and not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_leaves_neither_process_nor_folder() -> None:
    with EmbeddedAws(account="111111111111", region="us-east-1") as aws:
        pid = aws.process.pid
        assert runs(pid)
    assert not runs(pid)
    assert not aws.folder.exists()


def test_it_ends_even_when_its_parent_is_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARENT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    pid, folder = done.stdout.split()
    deadline = time.monotonic() + 20
    while runs(int(pid)):
        assert time.monotonic() < deadline
        os.sched_yield()
    subprocess.run(["rm", "-rf", folder], check=True)
