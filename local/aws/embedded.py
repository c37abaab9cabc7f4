"""The embedded AWS: start it, talk to it as either account, deploy to it, stop it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 60
# What would send a client somewhere else than to the embedded AWS.
FOREIGN = ("AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")


class EmbeddedAws:
    """A process of ours on loopback that answers as AWS. Use it as a context manager.

    Raises RuntimeError, with the emulator's last words, when it does not come up.
    """

    def __init__(self, *, account: str, region: str) -> None:
        self.account, self.region = account, region
        self.folder = Path(tempfile.mkdtemp(prefix="causeway-aws-"))
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "EmbeddedAws":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        scratch = self.folder / "tmp"
        scratch.mkdir()
        environment = {
            **self.environment(self.account),
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_ACCOUNT_ID": self.account,
            "MINISTACK_REGION": self.region,
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "TMPDIR": str(scratch),
            "CAUSEWAY_LOGS": str(self.logs),
        }
        log = self.logs / "emulator.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.aws.emulator"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own: Lambda functions and Glue jobs end with it.
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
                self.stop()
                raise RuntimeError(f"the embedded AWS did not start: {last[0]}")
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """End the process and all it started; remove what it kept."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self) -> None:
        """Until the process ends."""
        if self._process:
            self._process.wait()

    def keep_logs(self, folder: Path) -> Path:
        """Copy the emulator's and the jobs' logs to where they outlive it."""
        shutil.rmtree(folder, ignore_errors=True)
        return Path(shutil.copytree(self.logs, folder))

    def environment(self, account: str) -> dict[str, str]:
        """The environment of a process that talks to this AWS as the account's root."""
        inherited = {key: value for key, value in os.environ.items() if key not in FOREIGN}
        return {
            **inherited,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, account: str, **credentials: str) -> Any:
        """A boto3 client: the account's root, or whoever the credentials (as STS gives them) are."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=credentials.get("AccessKeyId", account),
            aws_secret_access_key=credentials.get("SecretAccessKey", "embedded"),
            aws_session_token=credentials.get("SessionToken"),
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
            verify=False,
        )
