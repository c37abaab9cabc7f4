"""What one worker must run alone is run by one worker: see tests/conftest.py."""

import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).with_name("conftest.py")
FILE = """
import pathlib, pytest
@pytest.mark.embedded
@pytest.mark.parametrize("n", range(8))
def test_one(n, worker_id):
    with pathlib.Path("workers").open("a") as file:
        file.write(worker_id + chr(10))
"""
INI = "[pytest]\nmarkers =\n  embedded: -\n  spark: -\n  quick: -\n"


def test_files_that_want_the_whole_machine_are_run_by_one_worker(tmp_path: Path) -> None:
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "pytest.ini").write_text(INI)
    for name in ("test_a.py", "test_b.py"):
        (tmp_path / name).write_text(FILE)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(set((tmp_path / "workers").read_text().split())) == 1
