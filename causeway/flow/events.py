"""Reads what SQS delivers: S3 event notifications, and whatever else ended up in the queue."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from causeway.flow.codes import Code
from causeway.flow.datasets import LANDING_PREFIX, dataset_of
from causeway.flow.manifest import REMOVED, SourceVersion


@dataclass(frozen=True)
class Change:
    """One message's word that a source may have changed. `order` sorts versions of one source."""

    message: str
    source: SourceVersion
    order: str
    record: str
    held: bool

    @property
    def dataset(self) -> str:
        return dataset_of(self.source.source)


@dataclass(frozen=True)
class Unrouted:
    """Something that no dataset can take, and why: it is set aside, with what was received."""

    message: str
    code: str
    reason: str
    received: str
    source: str | None = None
    version: str | None = None


def read_message(message: str, body: str, datasets: Collection[str]) -> Iterable[Change | Unrouted]:
    """Everything that one message says, in its order."""
    try:
        document = json.loads(body)
    except json.JSONDecodeError as error:
        yield Unrouted(message, Code.UNDECODABLE_MESSAGE, f"not JSON: {error}", body)
        return
    if isinstance(document, dict) and document.get("Event") == "s3:TestEvent":
        yield Unrouted(message, Code.TEST_EVENT, "S3 tests a new notification with it; nothing landed", body)
        return
    records = document.get("Records") if isinstance(document, dict) else None
    if not isinstance(records, list) or not records:
        yield Unrouted(message, Code.UNDECODABLE_MESSAGE, "not an S3 event: no Records", body)
        return
    for record in records:
        yield _read_record(message, record, datasets, held=bool(document.get("held")))


def _read_record(message: str, record: Any, datasets: Collection[str], *, held: bool) -> Change | Unrouted:
    received = json.dumps(record)
    try:
        described = record["s3"]["object"]
        # Keys in notifications are form-encoded: a space is "+", a plus sign "%2B".
        source = unquote_plus(described["key"], errors="strict")
        version, size = described.get("versionId", "null"), int(described.get("size", 0))
        order = described.get("sequencer", "").zfill(64)
        what, _, how = record.get("eventName", "").partition(":")
        hint = REMOVED + how if what == "ObjectRemoved" else record.get("causeway", {}).get("hint", "")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Unrouted(message, Code.UNDECODABLE_MESSAGE, f"not an S3 event record: {error!r}", received)
    change = Change(message, SourceVersion(source, version, size, hint), order, received, held)
    if source.endswith("/"):
        code, reason = Code.FOLDER_MARKER, "the key ends in a slash: a console's folder, not a file"
    elif not change.dataset:
        code, reason = Code.UNKNOWN_DATASET, f"the key is not {LANDING_PREFIX}<dataset>/<file>"
    elif change.dataset not in datasets:
        code = Code.UNKNOWN_DATASET
        reason = f"no contract for {change.dataset!r}; known: {', '.join(sorted(datasets))}"
    else:
        return change
    return Unrouted(message, code, reason, received, source, version)


MESSAGE_BYTES = 20_000  # ten of them stay below SQS's limit; one record has 3,400 at most


def messages_of(sources: Iterable[SourceVersion]) -> Iterator[str]:
    """As many records to a message as fit: what is queued by the million should not cost by the record."""
    records: list[str] = []
    size = 0
    for source in sources:
        record = json.dumps(_record(source))
        if records and size + len(record) > MESSAGE_BYTES:
            yield f'{{"Records": [{", ".join(records)}]}}'
            records, size = [], 0
        records.append(record)
        size += len(record)
    if records:
        yield f'{{"Records": [{", ".join(records)}]}}'


def _record(source: SourceVersion) -> Mapping[str, Any]:
    name = f"Object{'Removed' if source.hint.startswith(REMOVED) else 'Created'}"
    how = source.hint.removeprefix(REMOVED) if name == "ObjectRemoved" else "Again"
    described = {"key": quote_plus(source.source), "versionId": source.version, "size": source.size}
    return {
        "eventSource": "causeway",
        "eventName": f"{name}:{how}",
        "s3": {"object": described},
        "causeway": {"hint": source.hint},
    }
