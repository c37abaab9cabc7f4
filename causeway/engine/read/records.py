"""Where each record begins and ends, found before any parser runs.

Parsers guess at a broken row: they pad it, cut it, or let a stray quote swallow the rows after it. So the
structure is settled first, in a few passes over the bytes with numpy, and the parser sees only records that
have the right number of fields and well-formed quotes. Row i of the parser is record i of this index.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from causeway.contract.model import Contract
from causeway.engine.model import Malformed, text
from causeway.engine.read.dialect import MAX_RECORD, masked, mend
from causeway.engine.read.positions import Positions, count_before, positions

NEWLINE, RETURN, TWICE_RETURNED = 10, 13, b"\r\r\n"


@dataclass
class Records:
    """An index of the records of some bytes: arrays as long as there are records."""

    start: Positions
    end: Positions  # without the line end
    next: Positions  # after the line end
    line: Positions  # of the first byte, from 0
    fields: Positions
    stray: NDArray[np.bool_]  # the quotes are not well formed
    lines: int
    quoted_nothing: bool = False  # some field may be an empty text in quotes
    unclosed: int | None = None  # where a record begins whose closing quote is not in the data
    mended: dict[int, bytes] = field(default_factory=dict)  # start → the record in plainer quotes

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, chosen: NDArray[np.bool_] | slice) -> Records:
        rows = ("start", "end", "next", "line", "fields", "stray")
        return replace(self, **{name: getattr(self, name)[chosen] for name in rows})


def malformed(
    data: bytes, records: Records, chosen: NDArray[np.bool_], code: str, message: str | Callable[[int], str]
) -> list[Malformed]:
    """The chosen records as malformed ones; `message` may be made for each, by its number."""
    rejected = []
    for i in map(int, np.flatnonzero(chosen)):
        start, end = int(records.start[i]), int(records.end[i])
        reason = message if isinstance(message, str) else message(i)
        rejected.append(Malformed(int(records.line[i]), start, text(data[start:end]), code, reason))
    return rejected


def find_records(data: bytes, contract: Contract) -> Records:
    """Every record of `data`, without blank lines and comments."""
    if contract.format != "csv":
        return _index(data, None, "", "")
    plain = masked(data, contract)
    records = _index(plain, contract.delimiter, contract.quote, contract.comment)
    if plain is not data:
        _number_lines(data, records)
        if plain[-1:] != data[-1:] and len(records):  # its line end is escaped: the record goes on
            records.unclosed = int(records.start[-1])
    if contract.escape or contract.skip_initial_space or records.mended:
        mend(data, records, contract)
    return records


def _number_lines(data: bytes, records: Records) -> None:
    ends = positions(np.frombuffer(data, np.uint8), b"\n")
    records.line = np.searchsorted(ends, records.start)
    records.lines = len(ends) + (data[-1:] not in (b"", b"\n"))


def _index(data: bytes, delimiter: str | None, quote: str, comment: str) -> Records:
    buffer = np.frombuffer(data, np.uint8)
    if delimiter is None or not quote or quote.encode() not in data:
        quote = ""
    # b'a,b\nc\n' → marks [3, 5], after [4, 6], starts [0, 4], ends [3, 5]
    marks = positions(buffer, b"\n" + quote.encode())
    quoted = buffer[marks] != NEWLINE
    after = marks[~quoted] + 1
    if len(buffer) and buffer[-1] != NEWLINE:
        after = np.append(after, len(buffer))
    count = len(after)
    starts = np.concatenate([np.zeros(min(count, 1), np.int64), after[:-1]])
    ends = after - (buffer[after - 1] == NEWLINE)
    # By a program that writes CR LF for LF, twice. To look for one byte first costs nothing.
    doubled = b"\r" in data and TWICE_RETURNED in data
    for _ in range(2 if doubled else 1):
        ends -= (ends > starts) & (buffer[np.maximum(ends, 1) - 1] == RETURN)
    fields = np.zeros(count, np.int64)
    if delimiter:
        fields = _count_fields(buffer, marks, quoted, ord(delimiter))[:count]
    records = Records(starts, ends, after, np.arange(count), fields, np.zeros(count, np.bool_), count)
    commented = np.zeros(count, np.bool_)
    if comment:
        commented = (starts < ends) & (buffer[np.minimum(starts, len(buffer) - 1)] == ord(comment))
    if quote and delimiter:
        quotes, owner = marks[quoted], np.cumsum(~quoted)[quoted]
        _look_at_quotes(buffer, records, quotes, owner, ord(delimiter))
        records.stray &= ~commented
        if records.stray.any():
            _settle(data, records, delimiter, quote)
    if comment or (records.start < 0).any():
        records = records[(records.start >= 0) & ~commented]
    if doubled:
        for i in map(int, np.flatnonzero(records.next - records.end > len(b"\r\n"))):
            start, end = int(records.start[i]), int(records.end[i])
            records.mended.setdefault(start, data[start:end] + b"\n")
    blank = records.start == records.end
    return records[~blank] if blank.any() else records


def _count_fields(
    buffer: NDArray[np.uint8], marks: Positions, quoted: NDArray[np.bool_], delimiter: int
) -> Positions:
    """How many fields each line has: one more than its delimiters, but for those inside quotes.

    `marks`, line ends and quotes, cut the text into stretches. Of a line's stretches every second one is
    inside quotes: b'a,"b,c",d\n' is cut into b'a,', b'"b,c' (inside) and b'",d', and has 3 fields.
    """
    ranks = count_before(
        np.append(marks, len(buffer)), len(buffer), lambda start, stop: buffer[start:stop] == delimiter
    )
    counts = np.diff(ranks, prepend=0)
    heads = np.flatnonzero(np.append(True, ~quoted))
    if len(heads) == len(counts):
        return counts + 1
    ordinal = np.arange(len(counts)) - np.repeat(heads, np.diff(np.append(heads, len(counts))))
    counts[ordinal % 2 == 1] = 0
    fields: Positions = np.add.reduceat(counts, heads) + 1
    return fields


def _look_at_quotes(
    buffer: NDArray[np.uint8], records: Records, quotes: Positions, owner: Positions, delimiter: int
) -> None:
    """Mark lines whose quotes, each line taken alone, do not open a field and close one in turn.

    b'a,"b"\n' is well formed, b'c"d\n' and b'"e\n' are stray. `owner` is the line of each quote.
    """
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    ordinal = np.arange(len(quotes)) - np.repeat(first, np.diff(np.append(first, len(quotes))))
    adjacent = np.diff(quotes) == 1
    before, after = buffer[quotes - 1], buffer[np.minimum(quotes + 1, len(buffer) - 1)]
    first_of_field = (quotes == records.start[owner]) | (before == delimiter)
    opens = first_of_field | (np.append(False, adjacent) & (ordinal > 0))
    closes = (quotes + 1 == records.end[owner]) | (after == delimiter) | np.append(adjacent, False)
    records.quoted_nothing = bool((first_of_field[:-1] & adjacent).any())
    records.stray = np.bincount(owner, minlength=len(records)) % 2 == 1
    records.stray[owner[np.where(ordinal % 2 == 0, ~opens, ~closes)]] = True


def _settle(data: bytes, records: Records, delimiter: str, quote: str) -> None:
    """Decide what each stray line is: plain text with quotes in it, the first of several lines, or broken.

    Lines that a record of several takes in get start -1.
    """
    d, q = re.escape(delimiter.encode()), re.escape(quote.encode())
    inside = rb"%b(?:[^%b]|%b%b)*+" % (q, q, q, q)
    value = rb"(?:%b%b|(?!%b)[^%b\n]*+)" % (inside, q, q, d)
    whole = re.compile(rb"%b(?:%b%b)*+" % (value, d, value))
    unclosed = re.compile(rb"(?:%b%b)*?%b" % (value, d, inside))
    ends = records.end.copy()
    taken = -1  # the last line that belongs to a record before it
    for i in map(int, np.flatnonzero(records.stray)):
        start = int(records.start[i])
        if i <= taken:
            continue
        match = whole.match(data, start)
        stop = start + len(data[start : match.end()].rstrip(b"\r")) if match else start
        last = int(np.searchsorted(ends, stop))  # the line in which the record ends
        if last < len(ends) and ends[last] == stop and stop - start <= MAX_RECORD:
            records.end[i], records.next[i] = stop, records.next[last]
            records.start[i + 1 : last + 1], taken = -1, last
            records.mended[start], records.stray[i] = b"", False  # how, is to be found
        elif len(data) - start <= MAX_RECORD and unclosed.fullmatch(data, start):
            records.unclosed = start
            break
