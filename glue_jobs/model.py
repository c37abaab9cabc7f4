"""The words the engine's parts share."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

FAULT = pa.struct([("column", pa.string()), ("code", pa.string()), ("message", pa.string())])
LINEAGE = pa.schema(
    [
        ("_source", pa.string()),
        ("_source_version", pa.string()),
        ("_batch", pa.string()),
        ("_committed_at", pa.timestamp("us", tz="UTC")),
    ]
)
REJECTED_SCHEMA = pa.schema(
    [*LINEAGE, ("line", pa.int64()), ("raw", pa.string()), ("faults", pa.list_(FAULT))]
)
RAW_LIMIT = 1 << 20  # characters of a rejected record that quarantine keeps


class Unreadable(Exception):
    """A whole object that cannot be read; ends as one rejected record."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Piece:
    """A whole stored object, as its source keeps it (compressed or not)."""

    source: str
    version: str
    data: bytes


@dataclass(frozen=True)
class Misfit:
    """A record that has no columns to check: its structure is wrong."""

    line: int
    raw: str
    code: str
    message: str


@dataclass
class Parsed:
    """Records as text columns, plus `_line`, `_start`, `_end`: where each stands in `data`."""

    frame: pl.DataFrame
    data: bytes
    misfits: list[Misfit] = field(default_factory=list)
    extra: tuple[str, ...] = ()  # columns of the frame that the contract does not know

    @property
    def rows(self) -> int:
        return self.frame.height + len(self.misfits)


def text(raw: bytes) -> str:
    return raw[:RAW_LIMIT].decode("utf-8", "backslashreplace")[:RAW_LIMIT]
