"""The JAVA_HOME that jobs start Spark with."""

import os
import sys
import threading
from pathlib import Path

import pytest

from local.aws.java import java_home


def test_jobs_that_start_in_the_same_moment_all_get_a_java(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    together, errors = threading.Barrier(16), []

    def start() -> None:
        together.wait()
        try:
            for _ in range(50):
                assert os.access(java_home() / "bin" / "java", os.X_OK)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [path.name for path in (tmp_path / "java" / "bin").iterdir()] == ["java"]
