"""S3's event notifications in the queue: read, and written as S3 would, when a source is queued again."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from causeway.flow.codes import Code
from causeway.flow.datasets import LANDING_PREFIX, dataset_of, is_beside_data
from causeway.flow.manifest import REMOVED, SourceVersion

# The log's words for what a person should look at: an alarm counts them.
NO_DATASET = "no dataset takes it"
HARMLESS = (Code.FOLDER_MARKER, Code.MARKER_FILE, Code.TEST_EVENT)
MESSAGE_BYTES = 20_000  # ten of them stay below SQS's limit; one record has 3,400 at most


@dataclass(frozen=True)
class Change:
    """A record's word that a source may have changed. `order` sorts versions of one source.

    `held`: the record waited in the queue for its dataset's own window to close.
    """

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
    """Something that no dataset can take: why, and what was received."""

    message: str
    code: str
    reason: str
    received: str
    source: str | None = None
    version: str | None = None


def read_message(message: str, body: str, datasets: Collection[str]) -> Iterable[Change | Unrouted]:
    """Every record of one message, in its order."""
    try:
        document = _unwrapped(json.loads(body))
    except (ValueError, RecursionError) as error:
        yield Unrouted(message, Code.UNDECODABLE_MESSAGE, f"not JSON: {error}", body)
        return
    if isinstance(document, dict) and document.get("Event") == "s3:TestEvent":
        yield Unrouted(message, Code.TEST_EVENT, Code.TEST_EVENT.meaning, body)
        return
    records = document.get("Records") if isinstance(document, dict) else None
    if not isinstance(records, list) or not records:
        yield Unrouted(message, Code.UNDECODABLE_MESSAGE, "not an S3 event: no Records", body)
        return
    for record in records:
        yield _read_record(message, record, datasets, held=bool(document.get("held")))


def _unwrapped(document: Any) -> Any:
    """S3's own message, out of what SNS or EventBridge made of it on the way. Raises ValueError."""
    if not isinstance(document, dict):
        return document
    if document.get("Type") == "Notification" and isinstance(document.get("Message"), str):
        return _unwrapped(json.loads(document["Message"]))
    detail = document.get("detail")
    if document.get("source") != "aws.s3" or not isinstance(detail, dict):
        return document
    described = detail.get("object") or {}
    marker = "DeleteMarkerCreated" if detail.get("deletion-type") == "Delete Marker Created" else "Delete"
    removed = document.get("detail-type") == "Object Deleted"
    version = {"versionId": described["version-id"]} if "version-id" in described else {}
    # EventBridge does not encode keys.
    described = {**described, **version, "key": quote_plus(str(described.get("key", "")))}
    name = f"ObjectRemoved:{marker}" if removed else "ObjectCreated:Put"
    return {"Records": [{"eventName": name, "s3": {"object": described}}]}


def _read_record(message: str, record: Any, datasets: Collection[str], *, held: bool) -> Change | Unrouted:
    received = json.dumps(record)
    try:
        described = record["s3"]["object"]
        # Keys in notifications are form-encoded: a space is "+", a plus sign "%2B".
        source = unquote_plus(described["key"], errors="strict")
        version, size = described.get("versionId", "null"), int(described.get("size", 0))
        order = described.get("sequencer", "").zfill(64)
        event, _, cause = record.get("eventName", "").partition(":")
        hint = REMOVED + cause if event == "ObjectRemoved" else record.get("causeway", {}).get("hint", "")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Unrouted(message, Code.UNDECODABLE_MESSAGE, f"not an S3 event record: {error!r}", received)
    change = Change(message, SourceVersion(source, version, size, hint), order, received, held)
    if is_beside_data(source):
        code = Code.FOLDER_MARKER if source.endswith("/") else Code.MARKER_FILE
        reason = code.meaning
    elif not change.dataset:
        code, reason = Code.UNKNOWN_DATASET, f"the key is not {LANDING_PREFIX}<dataset>/<file>"
    elif change.dataset not in datasets:
        code = Code.UNKNOWN_DATASET
        reason = f"no contract for {change.dataset!r}; known: {', '.join(sorted(datasets))}"
    else:
        return change
    return Unrouted(message, code, reason, received, source, version)


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


def held_message(change: Change) -> str:
    """The change's record again, marked as held."""
    return f'{{"held": true, "Records": [{change.record}]}}'


def _record(source: SourceVersion) -> dict[str, Any]:
    removed = source.hint.startswith(REMOVED)
    name = f"ObjectRemoved:{source.hint.removeprefix(REMOVED)}" if removed else "ObjectCreated:Again"
    described = {"key": quote_plus(source.source), "versionId": source.version, "size": source.size}
    return {
        "eventSource": "causeway",
        "eventName": name,
        "s3": {"object": described},
        "causeway": {"hint": source.hint},
    }
