"""The modules that functions are given are all that they need, and no more than Lambda takes."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from lambdas.curate_small.handler import unzip
from stacks.company.curate_small import MODULES_MB
from stacks.parts.assets import JOB_MODULES, PREDICT_MODULES, ROOT
from stacks.parts.layers import PLATFORM, PYTHON, Wheels, install, zip_folder

LIMIT = 250 * 2**20  # bytes of a function with its layers, unzipped
ASK = """
import sys
sys.path[:0] = [{code!r}, {layer!r}, {runtime!r}]
from lambdas.predict.handler import handler
import json, numpy, sklearn
assert numpy.__file__.startswith({layer!r}) and sklearn.__file__.startswith({layer!r})
print(json.dumps(handler({{"model": "spma"}}, None)))
"""


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_lambdas_platform_has_wheels_and_they_fit(tmp_path: Path) -> None:
    assert Wheels(PREDICT_MODULES).try_bundle(str(tmp_path))
    binaries = {path.name.split(".")[1] for path in (tmp_path / "python/numpy").rglob("*.so")}
    assert binaries == {f"cpython-{PYTHON.replace('.', '')}-aarch64-linux-gnu"}
    assert size(tmp_path) < LIMIT - 2**20  # and the function's code
    assert PLATFORM.startswith("aarch64")


def test_the_function_runs_with_these_modules_alone(tmp_path: Path) -> None:
    layer, runtime = tmp_path / "layer", tmp_path / "runtime"
    version = ".".join(map(str, sys.version_info[:2]))
    install(PREDICT_MODULES, layer, "x86_64-manylinux_2_28", version)
    runtime.mkdir()
    packages = Path(boto3.__file__).parents[1]
    for name in ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"):
        (runtime / name).symlink_to(packages / name)  # what Lambda has
    program = ASK.format(code=str(ROOT), layer=str(layer), runtime=str(runtime))
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"BUCKET": "b", "MODELS": '["spam"]', "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"error": "model: found 'spma'; did you mean 'spam'?"}


CURATE = """
import sys
sys.path[:0] = [{code!r}, {runtime!r}]
from pathlib import Path
from types import SimpleNamespace
from lambdas.curate_small import handler
handler.MODULES, handler.UNZIPPED = Path({archive!r}), Path({folder!r})
try:
    handler.handler({{}}, SimpleNamespace(aws_request_id="r", memory_limit_in_mb="3008"))
except KeyError as error:
    print("asked for", error)
import boto3, duckdb, polars, pyarrow, pyiceberg
from causeway.engine import curate
frame = polars.from_arrow(duckdb.sql("SELECT 42 AS answer").to_arrow_table())
print(frame.item(), {{module.__file__.startswith({folder!r}) for module in (boto3, duckdb, polars, pyarrow)}})
"""


def test_the_jobs_modules_zipped_fit_into_a_layer_and_unzipped_on_the_functions_disk(tmp_path: Path) -> None:
    assert Wheels(JOB_MODULES, "modules.zip").try_bundle(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["modules.zip"]
    assert size(tmp_path) < LIMIT - 2**20
    with zipfile.ZipFile(tmp_path / "modules.zip") as archive:
        assert sum(one.file_size for one in archive.infolist()) < 0.6 * MODULES_MB * 2**20
        names = archive.namelist()
    assert [name for name in names if name.startswith("pyarrow/lib.c")] == [
        f"pyarrow/lib.cpython-{PYTHON.replace('.', '')}-aarch64-linux-gnu.so"
    ]


def test_the_curating_function_runs_with_these_modules_alone(tmp_path: Path) -> None:
    layer, archive = tmp_path / "layer", tmp_path / "modules.zip"
    install(JOB_MODULES, layer, "x86_64-manylinux_2_28", ".".join(map(str, sys.version_info[:2])))
    zip_folder(layer, archive)
    folder = str(tmp_path / "unzipped")
    program = CURATE.format(code=str(ROOT), runtime="", archive=str(archive), folder=folder)
    for _ in range(2):  # the second finds what the first has unzipped
        done = subprocess.run(
            [sys.executable, "-S", "-c", program], env={"AWS_DEFAULT_REGION": "us-east-1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["asked for 'CONTRACTS'", "42 {True}"]
        archive.unlink(missing_ok=True)
        archive.touch()


def test_a_call_that_ended_while_it_unzipped_leaves_nothing_that_the_next_one_takes_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, archive = tmp_path / "folder", tmp_path / "modules.zip"
    folder.mkdir()
    (folder / "module.py").write_text("whole = True")
    zip_folder(folder, archive)
    unzipped = tmp_path / "unzipped"
    unzipped.with_suffix(".partial").mkdir()
    (unzipped.with_suffix(".partial") / "module.py").write_text("whole =")
    monkeypatch.setattr(sys, "path", [*sys.path])
    unzip(archive, unzipped)
    assert (unzipped / "module.py").read_text() == "whole = True"
    assert sys.path[0] == str(unzipped)
