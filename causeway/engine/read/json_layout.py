"""JSON that is not one object a line: an array of them, or one after the other, over any number of lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from causeway.engine.read.positions import Positions, positions

if TYPE_CHECKING:
    from causeway.engine.read.records import Records

BLANKS = b" \t\r\n"
VALUE = re.compile(rb'(?:"(?:[^"\\]|\\.)*"|[^,"]|")+', re.DOTALL)  # up to a comma that is in no text


def base_depth(head: bytes) -> int | None:
    """How deep the records' objects stand: 1 in an array, 0 outside; None where each line is one record.

    `head` begins where the object does, and may end anywhere.
    """
    begun = head.lstrip(BLANKS)
    if begun.startswith(b"["):
        return 1
    if not begun.startswith(b"{"):
        return None
    line, ended, _ = begun.partition(b"\n")
    if not ended:
        line = line.rstrip(BLANKS)
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        more = error.msg == "Extra data" and line[error.pos :].lstrip(BLANKS).startswith(b"{")
        # A first line that is no object may be damaged; one that is only begun goes on in the next.
        return 0 if more or (ended and _goes_on(begun)) else None
    except (ValueError, RecursionError):
        return None
    return None


def _goes_on(begun: bytes) -> bool:
    """Whether the first line opens brackets that later ones close, as indented JSON does."""
    opened = begun.partition(b"\n")[0].rstrip(BLANKS)
    return opened[-1:] in (b"{", b"[", b",")


def index(data: bytes, base: int, *, begun: bool) -> tuple[Positions, Positions, int | None]:
    """Where records begin and end, objects or not; and where an object begins that is not closed.

    `begun`: the array's own bracket was in an earlier block.
    """
    buffer = np.frombuffer(data, np.uint8)
    quotes = positions(buffer, b'"')
    if b"\\" in data:
        escaped = np.array([match.start() + 1 for match in re.finditer(rb"\\.", data, re.DOTALL)], np.int64)
        quotes = quotes[~np.isin(quotes, escaped)]
    brackets = positions(buffer, b"{}[]")
    brackets = brackets[np.searchsorted(quotes, brackets) % 2 == 0]  # not inside a text
    opens = np.isin(buffer[brackets], np.frombuffer(b"{[", np.uint8))
    depth = np.cumsum(np.where(opens, 1, -1)) + (base if begun else 0)
    starts, ends = brackets[opens & (depth == base + 1)], brackets[~opens & (depth == base)] + 1
    unclosed = int(starts[-1]) if len(starts) > len(ends) else None
    starts = starts[: len(ends)]
    first = int(brackets[0]) + 1 if base and not begun and len(brackets) else 0
    stop = len(data) if unclosed is None else unclosed
    gaps = zip([first, *ends.tolist()], [*starts.tolist(), stop], strict=True)
    others = [span for start, end in gaps if end > start for span in _others(data[start:end], start)]
    if others:  # numbers, texts and what else is no object
        starts = np.concatenate([starts, [a for a, _ in others]])
        ends = np.concatenate([ends, [b for _, b in others]])
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], ends[order]
    return starts, ends, unclosed


def _others(between: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Where something stands between objects that is neither a blank, a comma nor an array's end."""
    for match in VALUE.finditer(between):
        value = match[0].strip(BLANKS)
        if value and value != b"]":
            start = at + match.start() + match[0].find(value)
            yield start, start + len(value.removesuffix(b"]").rstrip(BLANKS) or value)


def find(data: bytes, base: int, *, begun: bool, last: bool) -> Records:
    """The records as an index. What is not closed at the end of the last block is a damaged record."""
    from causeway.engine.read.records import Records  # noqa: PLC0415 - which finds those of other formats

    starts, ends, unclosed = index(data, base, begun=begun)
    if last and unclosed is not None:
        starts, ends, unclosed = np.append(starts, unclosed), np.append(ends, len(data)), None
    newlines = positions(np.frombuffer(data, np.uint8), b"\n")
    lines = np.searchsorted(newlines, starts)
    count = len(newlines) + (last and data[-1:] not in (b"", b"\n"))
    nothing = np.zeros(len(starts), np.int64)
    return Records(starts, ends, ends, lines, nothing, nothing.astype(np.bool_), count, unclosed=unclosed)
