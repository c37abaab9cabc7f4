"""Dialects of CSV that no two parsers read alike, in plain quotes, which all of them do."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from causeway.contract.model import Contract

if TYPE_CHECKING:
    from causeway.engine.read.records import Records

PLAIN_QUOTE = '"'
TEXT = b"\x01"  # a byte that stands for text in which nothing counts

MAX_RECORD = 16 << 20  # bytes a quoted value may span before its opening quote is called stray

csv.field_size_limit(MAX_RECORD)


def preamble(data: bytes, contract: Contract) -> tuple[int, int]:
    """How many bytes and lines at an object's beginning stand before its table."""
    size = 0
    for _ in range(contract.skip_lines):
        size = data.find(b"\n", size) + 1 or len(data)
    # What Excel takes a delimiter from.
    excel = re.compile(rb"sep=%b\r?\n" % re.escape(contract.delimiter.encode())).match(data, size)
    if contract.header and excel:
        return excel.end(), contract.skip_lines + 1
    return size, contract.skip_lines


def masked(data: bytes, contract: Contract) -> bytes:
    """The data, byte for byte, with nothing left that only this dialect takes for text.

    b'1,"a \\" b"\n' → b'1,"a \x01\x01 b"\n' and, with blanks after delimiters, b'1, "x"' → b'1," x"'.
    """
    if contract.escape and contract.escape.encode() in data:
        data = re.sub(_escaped(contract), TEXT * 2, data, flags=re.DOTALL)
    if contract.skip_initial_space and contract.quote:
        delimiter, quote = re.escape(contract.delimiter.encode()), re.escape(contract.quote.encode())
        data = re.sub(rb"(^|%b)( +)(%b)" % (delimiter, quote), rb"\1\3\2", data, flags=re.MULTILINE)
    return data


def _escaped(contract: Contract) -> bytes:
    """What is plain text after an escape; before anything else an escape is text itself."""
    special = {contract.escape, contract.delimiter, contract.quote or contract.escape, "\r", "\n"}
    return re.escape(contract.escape.encode()) + b"[%b]" % re.escape("".join(sorted(special)).encode())


def mend(data: bytes, records: Records, contract: Contract) -> None:
    """Keep records in plain quotes: those that were found to need it, and those of the dialect.

    b'a"b,c' → b'"a""b",c'. A record that is not one row for Python's reader stays stray.
    """
    chosen = np.isin(records.start, [start for start, mended in records.mended.items() if not mended])
    if contract.escape or contract.skip_initial_space:
        chosen |= _of_dialect(data, records, contract)
    if chosen.any() and not contract.quote:  # or what is in quotes could not be told from what has some
        chosen[:] = True
    for i in map(int, np.flatnonzero(chosen & ~records.stray)):
        start, end = int(records.start[i]), int(records.end[i])
        fields = fields_of(data[start:end], contract)
        if fields is None:
            records.stray[i] = True
            continue
        out = io.StringIO(newline="")
        quote = contract.quote or PLAIN_QUOTE
        csv.writer(out, delimiter=contract.delimiter, quotechar=quote, lineterminator="\r\n").writerow(fields)
        # With that line end the writer quotes a carriage return too.
        records.mended[start] = out.getvalue().removesuffix("\r\n").encode("utf-8", "surrogateescape") + b"\n"
        records.fields[i] = len(fields)


def _of_dialect(data: bytes, records: Records, contract: Contract) -> Any:
    """The records with an escape, or a blank at a field's beginning."""
    signs = []
    if contract.escape:
        signs.append(re.escape(contract.escape.encode()))
    if contract.skip_initial_space:
        signs += [re.escape(contract.delimiter.encode()) + b" ", b"^ "]
    at = [match.start() for match in re.finditer(b"|".join(signs), data, flags=re.MULTILINE)]
    owners = np.searchsorted(records.start, np.array(at, np.int64), side="right") - 1
    chosen = np.zeros(len(records), np.bool_)
    chosen[owners[owners >= 0]] = True
    return chosen


def fields_of(record: bytes, contract: Contract) -> list[str] | None:
    """The fields of one record; None if it is not one."""
    text, options = record.decode("utf-8", "surrogateescape"), reader_options(contract)
    if contract.escape:  # before what needs none it is text: Python would drop it
        text = re.sub(
            f"(?:{_escaped(contract).decode()})|({re.escape(contract.escape)})",
            lambda match: match[1] * 2 if match[1] else match[0],
            text,
            flags=re.DOTALL,
        )
    try:
        (fields,) = csv.reader(io.StringIO(text, newline=""), **options)
    except (csv.Error, ValueError):  # not one row for that reader: a lone carriage return
        return None
    return fields


def reader_options(contract: Contract) -> dict[str, Any]:
    """What Python's reader is told of the dialect."""
    options: dict[str, Any] = {
        "delimiter": contract.delimiter,
        "skipinitialspace": contract.skip_initial_space,
    }
    options |= {"quotechar": contract.quote} if contract.quote else {"quoting": csv.QUOTE_NONE}
    return options | ({"escapechar": contract.escape} if contract.escape else {})
