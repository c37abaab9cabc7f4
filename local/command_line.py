"""What the commands of `make` share: the CDK's command line, and asking before what cannot be undone."""

import os
import subprocess
import sys

from local.aws.embedded import ROOT


def run_cdk(*arguments: str) -> bool:
    """Run one command of the CDK, which prints what it does; returns whether it succeeded."""
    environment = {**os.environ, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    command = [str(ROOT / "node_modules/.bin/cdk"), *arguments, "--no-notices"]
    return not subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def confirm(command: str, undone: str) -> None:
    """Go on only if YES=1 or a person says so; `undone`: what then did not happen, as "was deployed"."""
    if os.environ.get("YES") == "1":
        return
    if not sys.stdin.isatty():
        print(f"make {command}: nobody to ask, so nothing {undone}; YES=1 answers", file=sys.stderr)
        sys.exit(2)
    if input("Type yes to go on: ").strip() != "yes":
        sys.exit(f"make {command}: nothing {undone}")
