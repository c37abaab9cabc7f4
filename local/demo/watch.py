"""Watches the pipeline from the company's side: what landed, what became of it, what failed."""

import json
import time
from collections.abc import Callable
from typing import Any

from causeway.flow.report import Report, SourceReport
from local.aws.embedded import EmbeddedAws

LATEST = 300  # seconds until something that should have happened counts as not happening


class Watch:
    """The company's view of one deployment. `lake` are the lake stack's outputs."""

    def __init__(self, aws: EmbeddedAws, lake: dict[str, str]) -> None:
        self.landing, self.quarantine = lake["LandingBucket"], lake["QuarantineBucket"]
        self._s3 = aws.client("s3", aws.account)
        self._states = aws.client("stepfunctions", aws.account)
        machines = self._states.list_state_machines()["stateMachines"]
        self._machine = machines[0]["stateMachineArn"]

    def reports(self) -> list[Report]:
        """Every report of every batch, in the order in which they were written."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.landing, Prefix="batches/")
        found = [item for page in pages for item in page.get("Contents", []) if "/report-" in item["Key"]]
        found.sort(key=lambda item: item["LastModified"])
        return [
            Report.from_json(self._s3.get_object(Bucket=self.landing, Key=item["Key"])["Body"].read())
            for item in found
        ]

    def unrouted(self) -> list[dict[str, Any]]:
        """What no dataset could take, with its reason."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.quarantine, Prefix="unrouted/")
        return [
            json.loads(self._s3.get_object(Bucket=self.quarantine, Key=item["Key"])["Body"].read())
            for page in pages
            for item in page.get("Contents", [])
        ]

    def executions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._states.list_executions(stateMachineArn=self._machine)[
            "executions"
        ]
        return found

    def wait_until_done(self, landed: dict[str, str], note: Callable[[str], None]) -> None:
        """Until each of these versions (by key) is accounted for and no execution runs.

        Raises RuntimeError when an execution fails, with its cause, or when it takes too long.
        """
        deadline = time.monotonic() + LATEST
        while True:
            executions = self.executions()
            running = [e["name"] for e in executions if e["status"] == "RUNNING"]
            for execution in executions:
                if execution["status"] not in ("RUNNING", "SUCCEEDED"):
                    told = self._states.describe_execution(executionArn=execution["executionArn"])
                    raise RuntimeError(f"execution {execution['name']} failed: {_why(told.get('cause', ''))}")
            seen: set[Any] = {(s.source, s.version) for report in self.reports() for s in report.sources}
            seen |= {(u.get("source"), u.get("version")) for u in self.unrouted()}
            missing = [key for key, version in landed.items() if (key, version) not in seen]
            if not missing and not running:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"after {LATEST} s not accounted for: {', '.join(missing)}; running: {running}"
                )
            done = len(landed) - len(missing)
            note(f"{done} of {len(landed)} files accounted for, {len(running)} executions running")
            time.sleep(0.5)


def _why(cause: str) -> str:
    """A failed job's own message, out of the run that Step Functions gives as the cause."""
    try:
        return str(json.loads(cause)["ErrorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause


def newest(reports: list[Report]) -> tuple[dict[str, dict[str, SourceReport]], dict[str, int]]:
    """By dataset: what became of each source's newest version; and rows of versions superseded since."""
    current: dict[str, dict[str, SourceReport]] = {}
    superseded: dict[str, int] = {}
    for report in reports:
        sources = current.setdefault(report.dataset, {})
        superseded.setdefault(report.dataset, 0)
        for source in report.sources:
            if source.source in sources:
                superseded[report.dataset] += sources[source.source].landed
            sources[source.source] = source
    return current, superseded
