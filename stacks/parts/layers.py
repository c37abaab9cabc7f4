"""Python modules for functions, in a layer: wheels for Lambda's platform, fetched at synth."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

CONTEXT = "layers"  # "none": the modules are there already, as on the embedded AWS
PLATFORM, PYTHON = "aarch64-manylinux_2_28", "3.13"  # of stacks.parts.functions.PythonFunction


@jsii.implements(ILocalBundling)
class Wheels:
    """Pinned, hashed, nothing built: needs neither Docker nor Lambda's platform."""

    def __init__(self, requirements: Path) -> None:
        self._requirements = requirements

    def try_bundle(self, output_dir: str, *_options: Any, **_more: Any) -> bool:
        install(self._requirements, Path(output_dir) / "python", PLATFORM, PYTHON)
        return True


def install(requirements: Path, folder: Path, platform: str, python: str) -> None:
    """The modules, without their tests, which are an eighth of what a function may have."""
    uv = Path(sys.executable).with_name("uv")
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet"]
    target = ["--python-platform", platform, "--python-version", python, "--target", str(folder)]
    subprocess.run([str(uv), "pip", "install", *options, *target, "-r", str(requirements)], check=True)
    for tests in sorted(folder.rglob("tests")):
        if tests.is_dir():
            shutil.rmtree(tests)


def modules_layer(scope: Construct, construct_id: str, requirements: Path) -> lambda_.LayerVersion | None:
    """None where the context says that there is to be none."""
    if scope.node.try_get_context(CONTEXT) == "none":
        return None
    # The image is not used: modules are installed here.
    bundling = BundlingOptions(image=DockerImage.from_registry("none"), local=Wheels(requirements))
    made_from = f"{requirements.read_text()}{PLATFORM}{PYTHON}"
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
