"""Deploys the demo's stacks with the real CDK command line."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from causeway.settings import SETTINGS_FILE, load_settings
from local.aws.embedded import ROOT, EmbeddedAws
from local.demo.progress import Progress
from local.deploy import stacks_of

# So that nobody waits here for a minute, and with a store; everything else is as settings.toml says.
WINDOW, SHORT_WINDOW = r"(?m)^batch_window_seconds = \d+", "batch_window_seconds = 2"
STORE = "[store]\nenabled = false", "[store]\nenabled = true"


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


def deploy(
    aws: EmbeddedAws, folder: Path, progress: Progress, *changes: tuple[str, str]
) -> dict[str, dict[str, str]]:
    """Synthesize into the folder; bootstrap and deploy both accounts; returns the stacks' outputs.

    `changes`: texts of the settings and what they are replaced with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    app, settings = folder / "cdk.out", folder / "settings.toml"
    text = re.sub(WINDOW, SHORT_WINDOW, SETTINGS_FILE.read_text())
    for change in (STORE, *changes):
        text = text.replace(*change)
    settings.write_text(text)
    accounts = {"partner": load_settings(settings).partner.account, "company": aws.account}
    environments = {
        account: {**aws.environment(account), "CAUSEWAY_SETTINGS": str(settings)}
        for account in accounts.values()
    }
    description = "Synthesizing the stacks and bootstrapping both accounts (cdk)"
    with progress.phase("synthesize and bootstrap", description), ThreadPoolExecutor() as pool:
        # An empty app: bootstrapping needs none, and the configured one would be synthesized for nothing.
        bootstraps = [
            pool.submit(cdk, "bootstrap", f"aws://{account}/{aws.region}", "--app", "", environment=names)
            for account, names in environments.items()
        ]
        # The embedded AWS runs functions with what is installed here.
        here = ("--context", "layers=none")
        cdk("synth", "--quiet", "--output", str(app), *here, environment=environments[aws.account])
        for bootstrap in bootstraps:
            bootstrap.result()
    outputs: dict[str, dict[str, str]] = {}
    # The company's rules tell the partner's event bus: it is there first.
    for whose, account in accounts.items():
        if stacks := stacks_of(app, account):
            description = f"Deploying the {whose}'s stacks (cdk deploy)"
            with progress.phase(f"deploy {whose}", description):
                outputs |= _deploy(app, stacks, environments[account])
    return outputs


def _deploy(app: Path, stacks: list[str], environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Deploy these stacks to the account that the environment names; returns their outputs."""
    outputs = app.parent / "outputs.json"
    cdk(
        "deploy", *stacks, "--app", str(app), "--require-approval", "never", "--concurrency", "3",
        "--outputs-file", str(outputs), environment=environment,
    )  # fmt: skip
    return dict(json.loads(outputs.read_text()))
