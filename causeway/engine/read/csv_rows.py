"""CSV records to columns of text, by a parser that sees only records of the right structure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from causeway.contract.model import Contract
from causeway.engine.model import Parsed, Unreadable, text
from causeway.engine.read.dialect import PLAIN_QUOTE, fields_of
from causeway.engine.read.headers import UNNAMED, check_names, named
from causeway.engine.read.records import Records, malformed
from causeway.flow.codes import Code

LONE_RETURN = "a carriage return alone (CR) ends lines; they must end with LF or CR LF"


def read_header(data: bytes, records: Records, contract: Contract) -> list[str]:
    """The names in the first record. Raises Unreadable when they do not suit the contract."""
    names = header_names(data, records, contract)
    check_names([name for name in names if not name.startswith(UNNAMED)], contract)
    return names


def header_names(data: bytes, records: Records, contract: Contract) -> list[str]:
    first = fields_of(data[records.start[0] : records.end[0]], contract)
    if first is None:
        raise Unreadable(Code.FORMAT, LONE_RETURN)
    names = [text(name.encode("utf-8", "surrogateescape")).strip() for name in first]
    while names and not names[-1]:  # spreadsheets write empty columns beside the table
        names.pop()
    return names + [f"{UNNAMED}{i + 1}" for i in range(len(names), len(first))]


def parse_csv(data: bytes, records: Records, names: list[str], contract: Contract) -> Parsed:
    ragged = (records.fields != len(names)) & ~records.stray
    wrong = [
        *malformed(data, records, records.stray, Code.QUOTE, "a quote inside a field, or one never closed"),
        *malformed(
            data,
            records,
            ragged,
            Code.FIELDS,
            lambda i: f"{records.fields[i]} fields instead of {len(names)}",
        ),
    ]
    good = records[~(ragged | records.stray)] if wrong else records
    frame = _read(data, good, names, contract)
    unnamed = [name for name in names if name.startswith(UNNAMED)]
    empty = [name for name in unnamed if not (frame[name].fill_null("") != "").any()]
    frame = named(frame.drop(empty), contract)
    return Parsed(frame, good.start, good.end, good.line, data, malformed=wrong)


def _read(data: bytes, records: Records, names: list[str], contract: Contract) -> pl.DataFrame:
    schema = dict.fromkeys(names, pl.String())
    if not len(records):
        return pl.DataFrame(schema=schema)
    skipped = int(records.line[0])
    cuts = records.start[1:] != records.next[:-1]  # what stands between is left out
    if records.mended or cuts.any() or records.next[-1] < len(data):
        data, skipped = b"".join(_runs(data, records, cuts)), 0
    frame = pl.read_csv(
        data,
        has_header=False,
        skip_lines=skipped,
        schema=schema,
        separator=contract.delimiter,
        quote_char=contract.quote or (PLAIN_QUOTE if records.mended else None),
        null_values=[null for null in contract.nulls if null] or None,
        empty_string_is_null="" in contract.nulls,
    ).rechunk()  # or every select that follows does it again
    if frame.height != len(records):
        raise Unreadable(Code.STRUCTURE, f"{len(records)} records, of which the parser saw {frame.height}")
    if "" in contract.nulls and records.quoted_nothing:
        return frame.with_columns(pl.all().replace("", None))  # an empty text is the same in quotes
    return frame


def _runs(data: bytes, records: Records, cuts: Any) -> Iterator[bytes | memoryview]:
    """The records alone, in as few stretches as they stand in, mended ones in their place."""
    mended = np.isin(records.start, list(records.mended))
    edges = np.flatnonzero(np.append(True, cuts | mended[1:] | mended[:-1]))
    view = memoryview(data)
    for first, after in pairwise([*edges, len(records)]):
        start = int(records.start[first])
        run = records.mended.get(start) or view[start : records.next[after - 1]]
        yield run
        if run[-1:] != b"\n" and after < len(records):
            yield b"\n"
