"""Where models lie in the partner's bucket, and JSON there.

What lies under `runs/` and `control/` is kept; training sets and candidates go after 30 days.
"""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

SCORES = "scores.parquet"  # of Run.scores


@dataclass(frozen=True)
class Run:
    """One training: everything of it lies below its name."""

    model: str
    run: str

    @property
    def prepared(self) -> str:
        return f"prepared/{self.model}/{self.run}"

    @property
    def candidates(self) -> str:
        return f"candidates/{self.model}/{self.run}"

    @property
    def folder(self) -> str:
        return f"runs/{self.model}/{self.run}"

    def job(self, name: str) -> str:
        """The name of one of its jobs: a candidate's, or a step's."""
        return f"{self.model}-{self.run}-{name}"

    @property
    def scores(self) -> str:
        """What the model in use said of every row of a snapshot."""
        return f"scores/{self.model}/{self.run}"

    @property
    def scored(self) -> str:
        """Of which snapshot, by which model, and how many."""
        return f"{self.scores}/scored.json"

    @property
    def pin(self) -> str:
        return f"{self.folder}/pin.json"

    @property
    def report(self) -> str:
        return f"{self.folder}/report.json"

    @property
    def verdict(self) -> str:
        """What the gate said."""
        return f"{self.folder}/verdict.json"

    @property
    def rounds(self) -> str:
        """Below it, what was seen in each round."""
        return f"{self.folder}/rounds/"

    @property
    def file(self) -> str:
        """The winner's file."""
        return f"{self.folder}/model.skops"

    def metrics(self, candidate: str) -> str:
        return f"{self.folder}/metrics/{candidate}.json"


def champion_key(model: str) -> str:
    """The model in use: its pin's key, its file's key and hash, its threshold, its package."""
    return f"control/{model}/champion.json"


def running_key(model: str) -> str:
    """The execution that trains the model, or was the last to; and whether another waits for its end."""
    return f"control/{model}/running.json"


def judged_key(model: str) -> str:
    """The pin's key of the run that last came to the gate, whatever that said."""
    return f"control/{model}/judged.json"


def packages_of(registry: Any, group: str) -> list[dict[str, Any]]:
    """The model packages of a group, newest first, as SageMaker AI summarises them."""
    pages = registry.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    found = [one for page in pages for one in page["ModelPackageSummaryList"]]
    return sorted(found, key=lambda one: -int(one["ModelPackageVersion"]))


class Store:
    """JSON documents in one bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self.s3, self.bucket = s3, bucket

    def get(self, key: str) -> dict[str, Any] | None:
        """None if there is none."""
        data = self.get_bytes(key)
        return None if data is None else dict(json.loads(data))

    def get_bytes(self, key: str) -> bytes | None:
        try:
            return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        except self.s3.exceptions.NoSuchKey:
            return None

    def put(self, key: str, document: Any, **condition: str) -> str:
        """The object's URI."""
        body = json.dumps(document, indent=1).encode()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **condition)
        return f"s3://{self.bucket}/{key}"

    def replace(self, key: str, document: Any, before: dict[str, Any] | None) -> bool:
        """Write it if what is there is still what was read before; of several, one does."""
        condition: dict[str, str] = {"IfNoneMatch": "*"}
        if before is not None:
            found = self.s3.get_object(Bucket=self.bucket, Key=key)
            if json.loads(found["Body"].read()) != before:
                return False
            condition = {"IfMatch": found["ETag"]}
        try:
            self.put(key, document, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
                return False
            raise
        return True

    def list(self, prefix: str) -> list[dict[str, Any]]:
        """The documents below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return [document for key in keys if (document := self.get(key)) is not None]
