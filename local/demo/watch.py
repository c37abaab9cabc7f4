"""Watches the pipeline from the company's side: what landed, what became of it, what failed."""

import json
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from causeway.flow.report import Report
from causeway.operate.executions import RED, cause
from local.aws.embedded import EmbeddedAws
from local.demo.story import File

LATEST = 300  # seconds until something that should have happened counts as not happening


class Watch:
    """The company's view of one deployment, by the outputs of its stacks."""

    def __init__(self, aws: EmbeddedAws, lake: dict[str, str], pipeline: dict[str, str]) -> None:
        self.landing, self.quarantine = lake["LandingBucket"], lake["QuarantineBucket"]
        self._s3 = aws.client("s3", aws.account)
        self._states = aws.client("stepfunctions", aws.account)
        self._machine, self._profiles = pipeline["StateMachine"], pipeline["ProfilesMachine"]

    def reports(self) -> list[Report]:
        """Every report of every batch, in the order in which they were written."""
        return [Report.from_json(body) for body in self._bodies(self.landing, "batches/", "/report-")]

    def unrouted(self) -> list[dict[str, Any]]:
        """The records of what belongs to no dataset, each with its reason."""
        return [json.loads(body) for body in self._bodies(self.quarantine, "unrouted/")]

    def _bodies(self, bucket: str, prefix: str, part: str = "") -> list[bytes]:
        """The objects below a prefix whose keys have that part, oldest first."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        listed = [item for page in pages for item in page.get("Contents", []) if part in item["Key"]]
        keys = [item["Key"] for item in sorted(listed, key=lambda item: item["LastModified"])]
        return [self._s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]

    def executions(self) -> list[dict[str, Any]]:
        return self._executions(self._machine)

    def _executions(self, machine: str) -> list[dict[str, Any]]:
        return list(self._states.list_executions(stateMachineArn=machine)["executions"])

    def land(self, files: Sequence[File], note: Callable[[str], None]) -> None:
        """Put the files into the landing bucket; wait until each is accounted for and no execution runs.

        Raises RuntimeError when an execution fails, with its cause, or when it takes too long.
        """
        put = partial(self._s3.put_object, Bucket=self.landing)
        landed = {(file.key, put(Key=file.key, Body=file.data)["VersionId"]) for file in files}
        deadline = time.monotonic() + LATEST
        while True:
            running = self._running()
            accounted: set[Any] = {(s.source, s.version) for report in self.reports() for s in report.sources}
            accounted |= {(record.get("source"), record.get("version")) for record in self.unrouted()}
            missing = sorted(key for key, _version in landed - accounted)
            if not missing and not running:
                return
            if time.monotonic() > deadline:
                late = f"not accounted for: {', '.join(missing)}; running: {running}"
                raise RuntimeError(f"after {LATEST} s {late}")
            done = len(landed) - len(missing)
            note(f"{done} of {len(landed)} files accounted for, {len(running)} executions running")
            time.sleep(0.5)

    def await_profiles(self, datasets: Collection[str], note: Callable[[str], None]) -> None:
        """Wait until each dataset has a profile. Raises RuntimeError as `land` does."""
        deadline = time.monotonic() + LATEST
        while True:
            ended = [e["name"] for e in self._unfailed(self._profiles) if e["status"] == "SUCCEEDED"]
            missing = [name for name in datasets if not any(end.startswith(f"{name}-") for end in ended)]
            if not missing:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"after {LATEST} s without a profile: {', '.join(missing)}")
            note(f"without a profile so far: {', '.join(missing)}")
            time.sleep(0.5)

    def _running(self) -> list[str]:
        """The names of the batches' executions that run. Raises RuntimeError when one has failed."""
        return [e["name"] for e in self._unfailed(self._machine) if e["status"] == "RUNNING"]

    def _unfailed(self, machine: str) -> list[dict[str, Any]]:
        executions = self._executions(machine)
        for execution in executions:
            if execution["status"] in RED:
                reason = cause(self._states, execution["executionArn"])
                raise RuntimeError(f"execution {execution['name']} failed: {reason}")
        return executions
