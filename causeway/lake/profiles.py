"""The profiles of a table's snapshots, beside its files: where whoever reads the table may read them.

Below the table's location: profiles/<snapshot>.json; profiles/counts/<snapshot>, with which later snapshots
are compared; profiles/files/<fingerprint>/<file>, the counts of one file, so that it is read once.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from causeway.flow.profiles import FOLDER


@dataclass(frozen=True)
class Profiles:
    """Of the table at that location (a URI)."""

    location: str

    def uri(self, snapshot: int) -> str:
        return f"{self.location}/{FOLDER}/{snapshot}.json"

    def read(self, s3: Any, snapshot: int) -> dict[str, Any] | None:
        stored = self._get(s3, f"{snapshot}.json")
        document: dict[str, Any] | None = json.loads(stored) if stored else None
        return document

    def write(self, s3: Any, snapshot: int, document: Mapping[str, Any]) -> None:
        text = json.dumps(document, allow_nan=False)
        self._put(s3, f"{snapshot}.json", text.encode(), "application/json")

    def nearest(self, s3: Any, table: Table, snapshot: int) -> int | None:
        """The newest snapshot with a profile among this one and those before it."""
        profiled = set(self._names(s3, "", Delimiter="/"))
        before = (one.snapshot_id for one in lineage(table, snapshot))
        return next((id_ for id_ in before if f"{id_}.json" in profiled), None)

    def first_with(self, s3: Any, table: Table, snapshot: int) -> int | None:
        """The oldest snapshot with a profile among this one and those that followed from it."""
        profiled, newest = set(self._names(s3, "", Delimiter="/")), table.current_snapshot()
        after: list[int] = []
        for one in lineage(table, newest.snapshot_id) if newest else ():
            after.append(one.snapshot_id)
            if one.snapshot_id == snapshot:
                return next((id_ for id_ in reversed(after) if f"{id_}.json" in profiled), None)
        return None

    def counts(self, s3: Any, snapshot: int) -> bytes | None:
        return self._get(s3, f"counts/{snapshot}")

    def write_counts(self, s3: Any, snapshot: int, counts: bytes) -> None:
        self._put(s3, f"counts/{snapshot}", counts)

    def file_counts(self, s3: Any, fingerprint: str, path: str) -> bytes | None:
        return self._get(s3, _of_file(fingerprint, path))

    def write_file_counts(self, s3: Any, fingerprint: str, path: str, counts: bytes) -> None:
        self._put(s3, _of_file(fingerprint, path), counts)

    def forget_others(
        self, s3: Any, snapshots: Collection[int], fingerprint: str, paths: Collection[str]
    ) -> None:
        """Delete what is of other snapshots and files: it holds values of rows that were removed."""
        kept = {_of_file(fingerprint, path) for path in paths}
        kept |= {name for one in snapshots for name in (f"{one}.json", f"counts/{one}")}
        for name in self._names(s3, ""):
            if name not in kept:
                s3.delete_object(Bucket=self._bucket, Key=self._key(name))

    @property
    def _bucket(self) -> str:
        return urlsplit(self.location).netloc

    def _key(self, name: str) -> str:
        return f"{urlsplit(self.location).path.strip('/')}/{FOLDER}/{name}"

    def _names(self, s3: Any, folder: str, **options: str) -> Iterator[str]:
        place = {"Bucket": self._bucket, "Prefix": self._key(folder)}
        pages = s3.get_paginator("list_objects_v2").paginate(**place, **options)
        for page in pages:
            for listed in page.get("Contents", []):
                yield listed["Key"].removeprefix(self._key(""))

    def _get(self, s3: Any, name: str) -> bytes | None:
        try:
            body: bytes = s3.get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        return body

    def _put(self, s3: Any, name: str, body: bytes, kind: str = "application/octet-stream") -> None:
        s3.put_object(Bucket=self._bucket, Key=self._key(name), Body=body, ContentType=kind)


def lineage(table: Table, snapshot: int) -> Iterator[Snapshot]:
    """The snapshot, its parent, and so on, as far back as they are kept."""
    one = table.snapshot_by_id(snapshot)
    while one is not None:
        yield one
        one = None if one.parent_snapshot_id is None else table.snapshot_by_id(one.parent_snapshot_id)


def facts_of(snapshot: Snapshot) -> dict[str, Any]:
    """Which snapshot it is, as profiles say it."""
    at = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)
    return {"snapshot": snapshot.snapshot_id, "committed_at": at.isoformat(timespec="seconds")}


def age(table: Table, older: int, newer: int) -> dict[str, Any]:
    """How much older one is than the other, which follows from it: in commits, and in hours."""
    times = {one.snapshot_id: one.timestamp_ms for one in lineage(table, newer)}
    hours = (times[newer] - times[older]) / 3_600_000
    return {"than": newer, "commits": list(times).index(older), "hours": round(hours, 3)}


def _of_file(fingerprint: str, path: str) -> str:
    return f"files/{fingerprint}/{hashlib.sha256(path.encode()).hexdigest()[:32]}"
