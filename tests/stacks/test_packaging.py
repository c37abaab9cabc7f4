"""What is packaged is what runs: each asset imports where only its runtime's modules are."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import aws_cdk as cdk
import pytest

from causeway.settings import Settings
from tests.stacks.conftest import ROOT, build_app

LAMBDA_RUNTIME = ["boto3"]
FUNCTIONS = ("batch_events", "split_batch", "reconcile", "measure", "search")
# Glue brings Spark; everything else the job asks for itself, in glue_jobs/requirements.txt.
GLUE_RUNTIME = ("pyspark", "py4j")


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> dict[str, Path]:
    """The packaged folders by a file that only they hold."""
    outdir = tmp_path_factory.mktemp("packaged")
    store = settings.store.model_copy(update={"enabled": True})
    build_app(settings.model_copy(update={"store": store}), outdir).synth()
    found = {}
    for folder in outdir.glob("asset.*"):
        for name in (*(f"lambdas/{function}/handler.py" for function in FUNCTIONS), "glue_jobs/batch.py"):
            if (folder / name).exists():
                found[name] = folder
    return found


def interpreter(folder: Path, *arguments: str) -> Path:
    """A new interpreter of this Python with just these packages, at the locked versions and hashes."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([str(uv), "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [str(uv), "pip", "install", "--quiet", "--require-hashes", "--python", str(python), *arguments]
    subprocess.run(install, check=True)
    return python


def locked(tmp_path: Path, packages: list[str]) -> Path:
    """A lock of just these packages, out of the project's."""
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("\n".join(packages))
    lock = tmp_path / "lock.txt"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [str(uv), "pip", "compile", "--quiet", "--generate-hashes", "--python", sys.executable,
         "--constraints", str(ROOT / "requirements.txt"), str(wanted), "--output-file", str(lock)],
        check=True,
    )  # fmt: skip
    return lock


def imports(python: Path, module: str, *path: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(map(str, path))
    environment = {"PYTHONPATH": paths, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(python), "-P", "-c", f"import {module}"]
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)


def test_the_functions_import_with_only_what_the_lambda_runtime_has(
    assets: dict[str, Path], tmp_path: Path
) -> None:
    python = interpreter(tmp_path / "venv", "-r", str(locked(tmp_path, LAMBDA_RUNTIME)))
    for name in FUNCTIONS:
        done = imports(python, f"lambdas.{name}.handler", assets[f"lambdas/{name}/handler.py"])
        assert done.returncode == 0, done.stderr


def test_the_job_imports_with_only_spark_and_the_modules_it_asks_for(
    assets: dict[str, Path], tmp_path: Path
) -> None:
    python = interpreter(tmp_path / "venv", "-r", str(ROOT / "glue_jobs" / "requirements.txt"))
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for package in GLUE_RUNTIME:
        found = importlib.util.find_spec(package)
        assert found
        assert found.origin
        (runtime / package).symlink_to(Path(found.origin).parent)
    # As Glue has it: the library as a zip on the path, the script by itself.
    archive = tmp_path / "library.zip"
    folder = assets["glue_jobs/batch.py"]
    with zipfile.ZipFile(archive, "w") as library:
        for file in sorted(folder.rglob("*.py")):
            library.write(file, file.relative_to(folder))
    script = tmp_path / "script"
    script.mkdir()
    shutil.copy(ROOT / "glue_jobs" / "curate.py", script / "job.py")
    done = imports(python, "job, causeway.contract.odcs", archive, script, runtime)
    assert done.returncode == 0, done.stderr


def test_the_assets_hold_no_file_that_does_not_run_there(assets: dict[str, Path]) -> None:
    for folder in assets.values():
        packaged = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}
        assert {f for f in packaged if not f.endswith((".py", ".odcs.yaml"))} == set()
        assert not any(f.startswith(("tests", "local", "stacks", "bench")) for f in packaged)


def test_the_job_pins_every_module_with_a_hash() -> None:
    lines = (ROOT / "glue_jobs" / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert pins
    assert all("==" in pin and pin.endswith("\\") for pin in pins)


def test_the_assets_are_the_same_for_the_same_code(settings: Settings, tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        assembly = build_app(settings, tmp_path / name).synth()
        assert isinstance(assembly, cdk.cx_api.CloudAssembly)
        digests.append(sorted(path.name for path in (tmp_path / name).glob("asset.*")))
    assert digests[0] == digests[1]
