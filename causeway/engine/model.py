"""The words the engine's parts share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from causeway.contract.schema import REJECTED_SCHEMA
from causeway.flow.manifest import SourceVersion

RAW_LIMIT = 1 << 20  # bytes of a rejected record that quarantine keeps

Fetch = Callable[[str, str, int, int], bytes]  # source, version, start, stop → those bytes


class Unreadable(Exception):  # noqa: N818 - what the object is
    """A whole object that cannot be read; ends as one rejected record."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Slice:
    """The records of an object that begin in [start, stop) of its stored bytes."""

    source: str
    version: str
    start: int
    stop: int
    size: int  # of the whole object

    @property
    def whole(self) -> bool:
        return self.start == 0 and self.stop >= self.size


@dataclass(frozen=True)
class Malformed:
    """A record that has no columns to check: its structure is wrong."""

    line: int
    offset: int
    raw: str
    code: str
    message: str


@dataclass
class Parsed:
    """Some records of an object: text (or typed) columns, where each stands, and the malformed."""

    frame: pl.DataFrame
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    line: NDArray[np.int64]
    data: bytes = b""  # what `start` and `end` point into; without it the record is its JSON
    offset: int = 0  # of data in the object
    size: int = 0  # bytes that these records take in memory
    lines: int = 0
    malformed: list[Malformed] = field(default_factory=list)
    torn: bool = False  # a quoted newline may cross the edge of this slice

    @property
    def rows(self) -> int:
        return self.frame.height + len(self.malformed)


NOWHERE = np.empty(0, np.int64)
NOTHING = Parsed(pl.DataFrame(), NOWHERE, NOWHERE, NOWHERE)

# What is checked together: parsed blocks of some slices, or why one cannot be read.
Group = list[tuple[Slice, Parsed | Unreadable]]


@dataclass(frozen=True)
class SourceCount:
    """What became of one slice of a source; add up those of a source with `total`."""

    source: str
    version: str
    rows: int
    curated: int
    rejected: int
    reasons: dict[str, int] = field(
        default_factory=dict
    )  # code → rows; a row counts once for each of its codes
    unreadable: bool = False  # a whole object, of no known number of rows, as one rejected record
    start: int = 0  # of the slice
    lines: int = 0
    torn: bool = False  # slices cannot tell its records apart: curate it again as one


def text(raw: bytes) -> str:
    return raw[:RAW_LIMIT].decode("utf-8", "backslashreplace")


def unread(
    messages: Mapping[SourceVersion, str], *, code: str, **lineage: object
) -> tuple[tuple[SourceCount, ...], pa.Table]:
    """Whole objects that are quarantined without a look inside, each with why.

    `lineage` names LINEAGE's other columns.
    """
    counts = tuple(SourceCount(o.source, o.version, 0, 0, 0, {code: 1}, unreadable=True) for o in messages)
    rows = [
        {"_source": o.source, "_source_version": o.version}
        | {"faults": [{"column": "", "code": code, "message": message}]}
        | {f"_{name}": value for name, value in lineage.items()}
        for o, message in messages.items()
    ]
    return counts, pa.Table.from_pylist(rows, REJECTED_SCHEMA)


EXTRA = "extra:"  # prefix of columns that the contract does not know


RAW = "raw:"  # prefix of the column a typed column came from


# Prefixes of the columns with what an SQL expression gave, and why it gave nothing: of a derived column by
# its name, of a rule by its number after an underscore, with which no column's name begins.
COMPUTED, FAILED = "computed:", "failed:"
