"""Checks by others of what would be deployed: `python -m tests.stacks.lint`, a part of `make lint`.

checkov reads the templates, asl-validator the state machines in them: as settings.toml says, and with
every option on.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ["CDK_VALIDATION"] = "false"

from causeway.settings import load_settings
from tests.stacks.conftest import EVERY_CONTRACT, ROOT, build_app, every_option

CHECKOV = ROOT / ".venv/checkov/bin/checkov"
SOME_ARN = "arn:aws:lambda:us-east-1:111111111111:function:any"
VALIDATOR = ROOT / "node_modules/.bin/asl-validator"


def machines(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Logical id and definition of each state machine; an ARN stands for each reference."""
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            parts = resource["Properties"]["DefinitionString"]["Fn::Join"][1]
            yield logical_id, "".join(part if isinstance(part, str) else _stand_in(part) for part in parts)


def _stand_in(reference: dict[str, Any]) -> str:
    return "aws" if reference == {"Ref": "AWS::Partition"} else SOME_ARN


def check_templates(folder: Path) -> str:
    """What checkov finds that nothing beside the resource answers; "" if nothing."""
    options = ["--framework", "cloudformation", "--quiet", "--compact", "--skip-download"]
    command = [str(CHECKOV), "--directory", str(folder), *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def check_machines(folder: Path) -> str:
    """What is wrong with a state machine's definition; "" if nothing."""
    paths = []
    for path in folder.rglob("*.template.json"):
        for logical_id, definition in machines(json.loads(path.read_text())):
            paths.append(path.with_name(f"{path.name.split('.')[0]}-{logical_id}.asl"))
            paths[-1].write_text(definition)
    assert paths
    options = [word for path in paths for word in ("--json-path", str(path))]
    node = ROOT / ".venv/bin/node"
    done = subprocess.run([str(node), str(VALIDATOR), *options], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def main() -> int:
    settings = load_settings()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as pool:
        folder = Path(name)
        build_app(settings, folder / "default").synth()
        build_app(every_option(settings), folder / "every-option", EVERY_CONTRACT).synth()
        checks = [pool.submit(check, folder) for check in (check_templates, check_machines)]
        findings = [text for check in checks if (text := check.result())]
    print(*findings, sep="\n", end="")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
