"""`make demo`: the whole of Causeway on this machine, from an empty AWS to the partner's answer."""

import contextlib
import os
import sys

from causeway.settings import load_settings
from local.aws.embedded import ROOT, EmbeddedAws
from local.demo.deploy import deploy
from local.demo.progress import Progress
from local.demo.run import run

BUILD = ROOT / "build"


def main() -> int:
    company, progress = load_settings().company, Progress()
    aws = EmbeddedAws(account=company.account, region=company.region, logs=BUILD / "demo" / "logs")
    with contextlib.ExitStack() as stack:
        try:
            with progress.phase("start", f"Starting an embedded AWS on {aws.endpoint}"):
                stack.enter_context(aws)
            problems = run(aws, deploy(aws, BUILD / "demo", progress), BUILD, progress)
            if os.environ.get("KEEP") == "1":
                keep(aws)
            return 1 if problems else 0
        except RuntimeError as error:
            print(f"✗ {error}\n  Logs: {aws.logs}\nFAILED. TOOK={progress.total:.0f}s")
            return 1


def keep(aws: EmbeddedAws) -> None:
    """Leave the embedded AWS up until interrupted, and say how to talk to it."""
    root = f"AWS_ACCESS_KEY_ID={aws.account} AWS_SECRET_ACCESS_KEY=embedded"
    print("The embedded AWS stays up until Ctrl-C. In another terminal:")
    print(f"  export AWS_ENDPOINT_URL={aws.endpoint} AWS_DEFAULT_REGION={aws.region}")
    print(f"  export {root}  # the account's root")
    print("  aws s3 ls   # or boto3, which reads the same variables", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        aws.process.wait()


if __name__ == "__main__":
    sys.exit(main())
