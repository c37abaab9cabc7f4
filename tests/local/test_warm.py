"""A job that is a fork is still a process of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from local.aws.bridges.warm import run_module

JOB = """
import json, os, sys
print(json.dumps([os.environ["NAME"], os.getcwd(), sys.argv, os.getpid(), "HOME" in os.environ, __name__]))
print("to stderr", file=sys.stderr)
if sys.argv[1:] == ["fail"]:
    raise ValueError("so it is")
if sys.argv[1:] == ["sleep"]:
    import time; time.sleep(60)
sys.exit(3 if sys.argv[1:] == ["three"] else 0)
"""


def ran(
    folder: Path, *arguments: str, name: str = "a", job: str = JOB, limit: int = 60
) -> tuple[int, list[str]]:
    """The exit code and the log of a job whose code is a package in the folder."""
    package, log = folder / name, folder / f"{name}.log"
    package.mkdir(exist_ok=True)
    (package / "a_job.py").write_text(job)
    environment = {"NAME": name, "PYTHONPATH": str(package)}
    code = run_module(["a_job", *arguments], folder, environment, log, limit)
    return code, log.read_text().splitlines()


def test_a_job_has_its_own_folder_environment_arguments_and_log(tmp_path: Path) -> None:
    code, (first, second) = ran(tmp_path, "well")
    name, folder, command, process, has_home, module = json.loads(first)
    assert (code, second) == (0, "to stderr")
    assert (name, folder, command, module) == ("a", str(tmp_path), [command[0], "well"], "__main__")
    assert process != os.getpid()
    assert not has_home
    assert "NAME" not in os.environ


def test_a_job_has_the_code_of_its_own_package(tmp_path: Path) -> None:
    logs = [ran(tmp_path, name=name, job=f"print('this is {name}')")[1] for name in ("a", "b")]
    assert logs == [["this is a"], ["this is b"]]


def test_a_job_has_its_packages_modules_and_not_the_checkouts_of_the_same_name(tmp_path: Path) -> None:
    for name in ("causeway", "local"):  # `local` is imported to start the job
        (tmp_path / "a" / name).mkdir(parents=True)
        (tmp_path / "a" / name / "__init__.py").write_text("ORIGIN = 'package'")
    _, log = ran(tmp_path, job="import causeway, local; print(causeway.ORIGIN, local.ORIGIN)")
    assert log == ["package package"]


def test_a_job_has_nothing_of_the_checkout_that_its_package_lacks(tmp_path: Path) -> None:
    code, log = ran(tmp_path, job="import causeway")
    assert (code, log[-1]) == (1, "ModuleNotFoundError: No module named 'causeway'")


def test_a_jobs_exit_code_is_the_processes(tmp_path: Path) -> None:
    assert ran(tmp_path, "three")[0] == 3
    code, log = ran(tmp_path, "fail")
    assert (code, log[-1]) == (1, "ValueError: so it is")


def test_a_job_beyond_its_time_is_killed(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        ran(tmp_path, "sleep", limit=2)
    process = json.loads((tmp_path / "a.log").read_text().splitlines()[0])[3]
    assert not Path(f"/proc/{process}").exists()
