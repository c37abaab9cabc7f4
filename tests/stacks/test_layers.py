"""The modules that the predicting function is given are all that it needs, and no more than Lambda takes."""

import json
import subprocess
import sys
from pathlib import Path

import boto3

from stacks.parts.assets import PREDICT_MODULES, ROOT
from stacks.parts.layers import PLATFORM, PYTHON, Wheels, install

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
