"""The real CDK command line, against whatever AWS its environment names."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CDK = ROOT / "node_modules" / ".bin" / "cdk"


class CdkError(RuntimeError):
    """The command line failed; the message has the end of what it printed."""


def cdk(
    *arguments: str, environment: Mapping[str, str], note: Callable[[str], None] = lambda _: None
) -> None:
    """Run one command; `note` hears each line it prints."""
    path = f"{Path(sys.prefix) / 'bin'}:{environment['PATH']}"
    process = subprocess.Popen(
        [str(CDK), *arguments, "--ci", "--no-notices", "--no-color"],
        cwd=ROOT,
        env={**environment, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        if line.strip():
            lines.append(line.rstrip())
            note(line.strip()[:100])
    if process.wait():
        raise CdkError(f"cdk {arguments[0]} failed:\n" + "\n".join(lines[-15:]))


def synth(output: Path, environment: Mapping[str, str], note: Callable[[str], None] = lambda _: None) -> None:
    cdk("synth", "--quiet", "--output", str(output), environment=environment, note=note)


def bootstrap(
    account: str, region: str, environment: Mapping[str, str], note: Callable[[str], None] = lambda _: None
) -> None:
    # An empty app: bootstrapping needs none, and the configured one would be synthesized for nothing.
    cdk("bootstrap", f"aws://{account}/{region}", "--app", "", environment=environment, note=note)


def deploy(
    assembly: Path, environment: Mapping[str, str], note: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Deploy every stack of a synthesized app; returns the outputs by stack."""
    outputs = assembly.parent / "outputs.json"
    cdk(
        "deploy", "--all", "--app", str(assembly), "--require-approval", "never",
        "--outputs-file", str(outputs), "--concurrency", "3",
        environment=environment, note=note,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(outputs.read_text())
    return answer
