"""Where each CSV record begins and ends, found before any parser runs.

Parsers guess at a broken row: they pad it, cut it, or let a stray quote swallow the rows after it. So the
structure is settled first, in a few passes over the bytes with numpy, and the parser sees only records that
have the right number of fields and well-formed quotes. Record i of the parser is record i of this index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
MAX_RECORD = 1 << 20  # bytes a quoted value may span before its opening quote is called stray
CHUNK = 1 << 20  # scans stay in the processor's cache
NEWLINE, RETURN = 10, 13


@dataclass
class Records:
    start: Positions
    end: Positions  # without the line end
    line: Positions  # of its first byte, counted from 1
    stray: NDArray[np.bool_]  # its quotes are not well formed
    fields: NDArray[np.int64]
    lines: int
    multiline: bool = False

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Records:
        kept = (self.start[chosen], self.end[chosen], self.line[chosen], self.stray[chosen], self.fields[chosen])
        return Records(*kept, self.lines, self.multiline)


def positions(buffer: NDArray[np.uint8], byte: int) -> Positions:
    parts = [np.flatnonzero(buffer[i : i + CHUNK] == byte) + i for i in range(0, len(buffer), CHUNK)]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def find_records(data: bytes, delimiter: str, quote: str) -> Records:
    """Every record of `data`, blank lines left out."""
    buffer = np.frombuffer(data, np.uint8)
    ends = positions(buffer, NEWLINE)
    if len(buffer) and buffer[-1] != NEWLINE:
        ends = np.append(ends, len(buffer))
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1]) if len(ends) else ends
    count = len(starts)
    quotes = positions(buffer, ord(quote)) if quote and quote.encode() in data else np.empty(0, np.int64)
    fields = _count_fields(buffer, starts, quotes, ord(delimiter))
    stops = ends - ((ends > starts) & (buffer[np.maximum(ends, 1) - 1] == RETURN))
    records = Records(starts, stops, np.arange(1, count + 1), np.zeros(count, np.bool_), fields, count)
    if len(quotes):
        records.stray = _stray(buffer, starts, stops, quotes, ord(delimiter))
        if records.stray.any():
            _join_lines(data, records, delimiter, quote)
            records = records[records.start >= 0]
    blank = records.start == records.end
    return records[~blank] if blank.any() else records


def _count_fields(buffer: NDArray[np.uint8], starts: Positions, quotes: Positions, delimiter: int) -> Positions:
    """Fields of each line; delimiters between a line's odd and even quotes do not count."""
    if not len(starts):
        return starts
    cuts = starts if not len(quotes) else np.sort(np.concatenate([starts, quotes]), kind="stable")
    counts = np.empty(len(cuts), np.int64)
    edges = np.searchsorted(cuts, np.arange(0, len(buffer), CHUNK * 8))
    for i, first in enumerate(edges):  # in chunks, or the comparison would double the memory
        last = edges[i + 1] if i + 1 < len(edges) else len(cuts)
        if first < last:
            stop = cuts[last] if last < len(cuts) else len(buffer)
            here = buffer[cuts[first] : stop] == delimiter
            counts[first:last] = np.add.reduceat(here, cuts[first:last] - cuts[first], dtype=np.int64)
    if len(quotes):
        doubled = np.flatnonzero(np.diff(cuts) == 0)  # a quote at the start of a line: reduceat gives [x], not 0
        counts[doubled] = 0
        heads = np.searchsorted(cuts, starts)
        ordinal = np.arange(len(cuts)) - np.repeat(heads, np.diff(np.append(heads, len(cuts))))
        counts[ordinal % 2 == 1] = 0
        return np.add.reduceat(counts, heads) + 1
    return counts + 1


def _stray(
    buffer: NDArray[np.uint8], starts: Positions, stops: Positions, quotes: Positions, delimiter: int
) -> NDArray[np.bool_]:
    """Lines whose quotes do not open after a delimiter and close before one, taken alone."""
    line = np.searchsorted(starts, quotes, side="right") - 1
    ordinal = np.arange(len(quotes)) - np.searchsorted(line, line)
    opening = ordinal % 2 == 0
    before, after = buffer[quotes - 1], buffer[np.minimum(quotes + 1, len(buffer) - 1)]
    previous, following = np.append(-2, quotes[:-1]), np.append(quotes[1:], -2)
    opens = (quotes == starts[line]) | (before == delimiter) | ((previous == quotes - 1) & (ordinal > 0))
    closes = (quotes + 1 == stops[line]) | (after == delimiter) | (following == quotes + 1)
    wrong = np.where(opening, ~opens, ~closes)
    stray = np.zeros(len(starts), np.bool_)
    stray[line[wrong]] = True
    stray[np.bincount(line, minlength=len(starts)) % 2 == 1] = True
    return stray


def _join_lines(data: bytes, records: Records, delimiter: str, quote: str) -> None:
    """Lines that are one record, for a newline inside quotes; the lines it swallows get start -1."""
    d, q = re.escape(delimiter.encode()), re.escape(quote.encode())
    field = rb"(?:[^%b%b\r\n]*|%b(?:[^%b]|%b%b)*+%b)" % (d, q, q, q, q, q, q)
    whole = re.compile(rb"%b(?:%b%b)*" % (field, d, field))
    unclosed = re.compile(rb"(?:%b%b)*%b(?:[^%b]|%b%b)*" % (field, d, q, q, q, q))
    done = -1
    for i in np.flatnonzero(records.stray):
        if i <= done:
            continue
        start, j = int(records.start[i]), int(i)
        while unclosed.fullmatch(data, start, int(records.end[j])) and j + 1 < len(records.start):
            j += 1
            while j + 1 < len(records.start) and data.find(quote.encode(), int(records.start[j]), int(records.end[j])) < 0:
                j += 1
            if records.end[j] - start > MAX_RECORD:
                break
        stop = int(records.end[j])
        if j > i and whole.fullmatch(data, start, stop):
            text = re.sub(rb"%b(?:[^%b]|%b%b)*%b" % (q, q, q, q, q), b"", data[start:stop])
            records.end[i], records.stray[i], records.fields[i] = stop, False, text.count(delimiter.encode()) + 1
            records.start[i + 1 : j + 1] = -1
            records.multiline = True
            done = j
