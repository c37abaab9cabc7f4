"""The CDK's command line, as the commands of `make` run it."""

import os
import subprocess
import sys

from local.aws.embedded import ROOT


def run_cdk(*arguments: str) -> bool:
    """Run one command of the CDK, which prints what it does; returns whether it succeeded."""
    environment = {**os.environ, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    command = [str(ROOT / "node_modules/.bin/cdk"), *arguments, "--no-notices"]
    return not subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
