"""The embedded AWS: start it, talk to it as either account, stop it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 60  # seconds


class EmbeddedAws:
    """A process of ours on loopback that answers as AWS. Use it as a context manager.

    The emulator's and the jobs' logs go to `logs`, where they outlive it; without, they go with it.
    Raises RuntimeError, with the emulator's last words, when it does not come up.
    """

    process: subprocess.Popen[bytes]  # once it is entered

    def __init__(self, *, account: str, region: str, logs: Path | None = None) -> None:
        self.account, self.region = account, region
        self.folder = Path(tempfile.mkdtemp(prefix="causeway-aws-"))
        self.logs = logs or self.folder / "logs"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> EmbeddedAws:
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        environment = {
            **self.environment(self.account),
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_ACCOUNT_ID": self.account,
            "MINISTACK_REGION": self.region,
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "TMPDIR": str(self.folder),
            "CAUSEWAY_LOGS": str(self.logs),
        }
        log = self.logs / "emulator.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local.aws.emulator"],
                cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT,
                # A group of its own: Lambda functions and Glue jobs end with it.
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                lines = log.read_text(errors="replace").strip().splitlines() or ["no output"]
                self.__exit__()
                raise RuntimeError(f"the embedded AWS did not start: {lines[-1]}")
            time.sleep(0.1)
        return self

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/ready", timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def __exit__(self, *_: object) -> None:
        """End the process and all it started; remove what it kept."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, account: str, **credentials: str) -> dict[str, str]:
        """The environment of a process that talks to this AWS, as whom `client` says."""
        # Without what might send a client somewhere else than to the embedded AWS.
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        token = {"AWS_SESSION_TOKEN": credentials["SessionToken"]} if credentials else {}
        return {
            **inherited,
            **token,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": credentials.get("AccessKeyId", account),
            "AWS_SECRET_ACCESS_KEY": credentials.get("SecretAccessKey", "embedded"),
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, account: str, **credentials: str) -> Any:
        """A boto3 client: the account's root, or whoever the credentials (as STS gives them) are."""
        return self._session(account, **credentials).client(service, endpoint_url=self.endpoint)

    def resource(self, service: str, account: str, **credentials: str) -> Any:
        """Likewise a boto3 resource."""
        return self._session(account, **credentials).resource(service, endpoint_url=self.endpoint)

    def _session(self, account: str, **credentials: str) -> boto3.Session:
        return boto3.Session(
            region_name=self.region,
            aws_access_key_id=credentials.get("AccessKeyId", account),
            aws_secret_access_key=credentials.get("SecretAccessKey", "embedded"),
            aws_session_token=credentials.get("SessionToken"),
        )

    def catalog(self) -> Catalog:
        """The Glue Catalog of the account, as its root reads it."""
        from pyiceberg.catalog.glue import GlueCatalog

        keys = {"access-key-id": self.account, "secret-access-key": "embedded", "region": self.region}
        place = {**keys, "endpoint": self.endpoint}
        properties = {f"{service}.{key}": value for service in ("glue", "s3") for key, value in place.items()}
        return GlueCatalog("company", **properties)
