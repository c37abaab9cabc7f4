"""From a stored object to records in columns, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from causeway.contract.model import Contract
from causeway.engine.model import NOTHING, Fetch, Malformed, Parsed, Slice, Unreadable, text
from causeway.engine.read import json_layout
from causeway.engine.read.csv_rows import LONE_RETURN, parse_csv, read_header
from causeway.engine.read.dialect import preamble
from causeway.engine.read.json_layout import base_depth
from causeway.engine.read.json_rows import parse_jsonl
from causeway.engine.read.parquet_rows import read_parquet
from causeway.engine.read.records import Records, find_records, malformed
from causeway.engine.read.stored import BLOCK, BOM, Lines, head, text_blocks, whole_lines, without_footer
from causeway.flow.codes import Code

LAYOUT = 1 << 20  # bytes by which it is told how JSON is laid out
MOSTLY = 0.1  # share of undecodable lines from which the object, not the line, is in the wrong encoding


def read(piece: Slice, fetch: Fetch, contract: Contract) -> Iterator[Parsed]:
    """Read the slice's records a block at a time, so that memory does not grow with the object."""
    if piece.size <= BLOCK:
        fetch = _at_once(piece, fetch)
    if contract.format == "parquet":
        return read_parquet(piece, fetch, contract)
    return _Text(piece, fetch, contract).read()


def _at_once(piece: Slice, fetch: Fetch) -> Fetch:
    """Fetch a small object with one request, however often its reader asks."""
    data = fetch(piece.source, piece.version, 0, piece.size)
    return lambda _source, _version, start, stop: data[start:stop]


class _Text:
    """Reads the records of a slice of text; keeps, from block to block, what the next one needs."""

    def __init__(self, piece: Slice, fetch: Fetch, contract: Contract) -> None:
        self._piece, self._fetch, self._contract = piece, fetch, contract
        csv = contract.format == "csv"
        self._csv = csv
        self._names = self._names_elsewhere() if csv else []
        self._open = b""  # a record that the last block did not close
        self._base: int | None = None  # of JSON that is not one object a line
        self._line = 0
        self._begun = False
        self._empty = piece.start == 0

    def read(self) -> Iterator[Parsed]:
        blocks = text_blocks(self._piece, self._fetch, self._contract.encoding)
        for lines in without_footer(whole_lines(blocks), self._contract.skip_footer):
            if self._csv and self._line == 0 and self._piece.start == 0 and not lines.length:
                lines = self._without_preamble(lines)  # noqa: PLW2901
            if lines.length:
                yield from self._parse(Lines(lines.at, b"", last=True))
                yield self._too_long(lines)
            else:
                yield from self._parse(lines)
        if self._empty:
            raise Unreadable(Code.EMPTY, "the object has no records")

    def _names_elsewhere(self) -> list[str] | None:
        """Read the column names at the object's start, when this slice begins further on."""
        if not self._contract.header:
            return [column.field for column in self._contract.inputs]
        if self._piece.start == 0:
            return None
        first = head(self._piece, self._fetch).removeprefix(BOM)
        first = first[preamble(first, self._contract)[0] :]
        return read_header(first, find_records(first, self._contract), self._contract)

    def _without_preamble(self, lines: Lines) -> Lines:
        size, self._line = preamble(lines.data, self._contract)
        return replace(lines, at=lines.at + size, data=lines.data[size:])

    def _parse(self, lines: Lines) -> Iterator[Parsed]:
        data = self._open + lines.data if self._open else lines.data
        at = lines.at - len(self._open)
        if at == 0 and self._csv and lines.last and _ends_lines_with_return(data):
            raise Unreadable(Code.FORMAT, LONE_RETURN)
        if not self._csv and not self._begun:
            first = data[:LAYOUT] if self._piece.start == 0 else head(self._piece, self._fetch)
            self._base = base_depth(first)
        if self._base is not None and not self._piece.whole:
            yield replace(NOTHING, torn=True)
            return
        data, records = self._cut(data, last=lines.last)
        self._begun = True
        count, torn = records.lines, not self._piece.whole and bool(records.stray.any())
        if len(records):
            self._empty = False
            if self._names is None:
                self._names, records = read_header(data, records, self._contract), records[1:]
            whole = self._piece.whole and self._line == 0 and lines.last
            yield self._placed(self._columns(data, records, whole=whole), at, count, torn=torn)
        elif count:
            yield replace(NOTHING, lines=count)
        self._line += count

    def _cut(self, data: bytes, *, last: bool) -> tuple[bytes, Records]:
        """The records that end in here; one that does not is kept for the next block."""
        if self._base is None:
            records = find_records(data, self._contract)
        else:
            records = json_layout.find(data, self._base, begun=self._begun, last=last)
        self._open = b""
        if records.unclosed is None or last:
            return data, records
        data, self._open = data[: records.unclosed], data[records.unclosed :]
        if self._base is None:
            return data, find_records(data, self._contract)
        return data, replace(records, lines=data.count(b"\n"))

    def _columns(self, data: bytes, records: Records, *, whole: bool) -> Parsed:
        wrong: list[Malformed] = []
        if not _is_utf8(data):
            bad = np.array(
                [not _is_utf8(data[s:e]) for s, e in zip(records.start, records.end, strict=True)], np.bool_
            )
            if whole and bad.mean() > MOSTLY:
                raise Unreadable(Code.ENCODING, "not UTF-8; say in the contract which encoding it is")
            wrong, records = malformed(data, records, bad, Code.ENCODING, "not UTF-8"), records[~bad]
        if self._contract.format == "jsonl":
            parsed = parse_jsonl(data, records, self._contract, whole=whole)
        else:
            parsed = parse_csv(data, records, self._names or [], self._contract)
        parsed.malformed += wrong
        return parsed

    def _placed(self, parsed: Parsed, at: int, lines: int, *, torn: bool) -> Parsed:
        """Count lines and offsets from the object's start, not from the block's."""
        parsed.offset, parsed.lines, parsed.torn, parsed.size = at, lines, torn, len(parsed.data)
        parsed.line = parsed.line + self._line + 1
        parsed.malformed = [
            replace(m, line=m.line + self._line + 1, offset=m.offset + at) for m in parsed.malformed
        ]
        return parsed

    def _too_long(self, lines: Lines) -> Parsed:
        message = f"a line of {lines.length:,} bytes"
        if self._names is None:
            raise Unreadable(Code.LINE_LENGTH, f"the header is {message}")
        self._line, self._empty = self._line + 1, False
        malformed_record = Malformed(self._line, lines.at, text(lines.data), Code.LINE_LENGTH, message)
        return replace(NOTHING, lines=1, malformed=[malformed_record])


def _ends_lines_with_return(data: bytes) -> bool:
    line = data.rstrip()
    return b"\r" in line and b"\n" not in line


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    offsets = pa.array([0, len(data)], pa.int64()).buffers()[1]
    try:
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
