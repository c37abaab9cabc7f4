"""Deploys the demo's stacks with the real CDK command line."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from causeway.settings import SETTINGS_FILE
from local.aws.embedded import ROOT, EmbeddedAws
from local.demo.progress import Progress

# So that nobody waits here for a minute; everything else is as settings.toml says.
WINDOW, SHORT_WINDOW = r"(?m)^batch_window_seconds = \d+", "batch_window_seconds = 2"


def cdk(*arguments: str, environment: Mapping[str, str]) -> list[str]:
    """Run one command against the AWS that the environment names; returns the lines it prints.

    Raises RuntimeError, with the last of them, when the command fails.
    """
    done = subprocess.run(
        [str(ROOT / "node_modules/.bin/cdk"), *arguments, "--ci", "--no-notices", "--no-color"],
        cwd=ROOT, env={**environment, "PATH": f"{sys.prefix}/bin:{environment['PATH']}"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if done.returncode:
        raise RuntimeError("\n".join([f"cdk {arguments[0]} failed:", *lines[-15:]]))
    return lines


def deploy(aws: EmbeddedAws, folder: Path, progress: Progress) -> dict[str, dict[str, str]]:
    """Synthesize into the folder, bootstrap and deploy; returns the stacks' outputs."""
    folder.mkdir(parents=True, exist_ok=True)
    app, settings, outputs = str(folder / "cdk.out"), folder / "settings.toml", folder / "outputs.json"
    settings.write_text(re.sub(WINDOW, SHORT_WINDOW, SETTINGS_FILE.read_text()))
    environment = {**aws.environment(aws.account), "CAUSEWAY_SETTINGS": str(settings)}
    account = f"aws://{aws.account}/{aws.region}"
    description = "Synthesizing the stacks and bootstrapping the account (cdk)"
    with progress.phase("synthesize and bootstrap", description), ThreadPoolExecutor() as pool:
        # An empty app: bootstrapping needs none, and the configured one would be synthesized for nothing.
        bootstrap = pool.submit(cdk, "bootstrap", account, "--app", "", environment=environment)
        cdk("synth", "--quiet", "--output", app, environment=environment)
        bootstrap.result()
    with progress.phase("deploy", "Deploying the stacks (cdk deploy)"):
        cdk(
            "deploy", "--all", "--app", app, "--require-approval", "never", "--concurrency", "3",
            "--outputs-file", str(outputs), environment=environment,
        )  # fmt: skip
    return dict(json.loads(outputs.read_text()))
