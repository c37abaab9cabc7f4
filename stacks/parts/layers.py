"""Python modules for functions, in a layer: wheels for Lambda's platform, fetched at synth."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

# "none": the modules are there already, as on the embedded AWS.
CONTEXT, ENVIRONMENT = "layers", "CAUSEWAY_LAYERS"
PLATFORM, PYTHON = "aarch64-manylinux_2_28", "3.13"  # of stacks.parts.functions.PythonFunction


@jsii.implements(ILocalBundling)
class Wheels:
    """Pinned, hashed, nothing built: needs neither Docker nor Lambda's platform."""

    def __init__(self, requirements: Path, archive: str = "") -> None:
        self._requirements, self._archive = requirements, archive

    def try_bundle(self, output_dir: str, *_options: Any, **_more: Any) -> bool:
        folder = Path(output_dir)
        install(self._requirements, folder / "python", PLATFORM, PYTHON)
        if self._archive:
            zip_folder(folder / "python", folder / self._archive)
            shutil.rmtree(folder / "python")
        return True


def zip_folder(folder: Path, archive: Path) -> None:
    """Fast rather than small: the archive only has to be half of what is in it."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        for path in sorted(folder.rglob("*")):
            zipped.write(path, path.relative_to(folder))


def install(requirements: Path, folder: Path, platform: str, python: str) -> None:
    """The modules, without their tests, which are an eighth of what a function may have."""
    uv = Path(sys.executable).with_name("uv")
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet"]
    target = ["--python-platform", platform, "--python-version", python, "--target", str(folder)]
    subprocess.run([str(uv), "pip", "install", *options, *target, "-r", str(requirements)], check=True)
    for tests in sorted(folder.rglob("tests")):
        if tests.is_dir():
            shutil.rmtree(tests)


def modules_layer(
    scope: Construct, construct_id: str, requirements: Path, *, archive: str = ""
) -> lambda_.LayerVersion | None:
    """To import; or, being more than a function may have, as /opt/<archive>. None if that is said."""
    if "none" in (scope.node.try_get_context(CONTEXT), os.environ.get(ENVIRONMENT)):
        return None
    # The image is not used: modules are installed here.
    bundling = BundlingOptions(image=DockerImage.from_registry("none"), local=Wheels(requirements, archive))
    made_from = f"{requirements.read_text()}{PLATFORM}{PYTHON}{archive}"
    return lambda_.LayerVersion(
        scope,
        construct_id,
        code=lambda_.Code.from_asset(
            str(requirements.parent),
            asset_hash_type=AssetHashType.CUSTOM,
            asset_hash=hashlib.sha256(made_from.encode()).hexdigest(),
            bundling=bundling,
        ),
        compatible_architectures=[lambda_.Architecture.ARM_64],
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
    )
