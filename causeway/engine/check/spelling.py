"""Values that a contract spells in a way of its own: numbers, instants counted from 1970, bytes."""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from causeway.contract.model import EPOCHS, PLAIN, Column, Spelling

FIRST_DAY, LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))

UUID_BYTES = 16
# Texts of bytes, as a contract may say that a string holds them.
ENCODED = {
    "base64": r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    "hex": "^(?:[0-9A-Fa-f]{2})*$",
    "uuid": "^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
}


def only(value: pl.Series, allowed: pl.Series) -> pl.Series:
    if allowed.all():
        return value
    return value.to_frame("v").select(pl.when(allowed).then("v"))["v"]


def digits(raw: pl.Series, spelling: Spelling) -> pl.Series:
    """Numbers as every parser reads them: 1.234,56 as 1234.56. What is none of the spelling becomes null."""
    if (spelling.decimal, spelling.group) == (PLAIN.decimal, PLAIN.group):
        return raw
    point, between = re.escape(spelling.decimal), re.escape(spelling.group)
    whole = rf"(?:\d+|\d{{1,3}}(?:{between}\d{{3}})+)" if between else r"\d+"
    number = rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"
    plain = raw.str.replace_all(spelling.group, "", literal=True) if between else raw
    return only(plain.str.replace(spelling.decimal, ".", literal=True), raw.str.contains(number))


def since_1970(raw: pl.Series, column: Column) -> pl.Series:
    """Seconds (or what the format counts) with as many decimals as microseconds hold."""
    unit = EPOCHS[str(column.format)]
    decimals = len(str(unit)) - 1
    fraction = rf"(?:\.\d{{1,{decimals}}}0*)?" if decimals else ""
    written = rf"^[+-]?\d{{1,18}}{fraction}$"
    count = only(raw, raw.str.contains(written)).cast(pl.Decimal(38, 6), strict=False)
    day = 86_400_000_000
    micro = (count * unit).cast(pl.Int64, strict=False)
    micro = only(micro, micro.is_between(FIRST_DAY * day, (LAST_DAY + 1) * day, closed="left"))
    moment = micro.cast(pl.Datetime("us"))
    return moment.dt.replace_time_zone("UTC") if column.timezone else moment


def from_bytes(raw: pl.Series, column: Column) -> pl.Series:
    """Bytes as the text that the contract says they are written as, else as UTF-8 if they are that."""
    if column.encoded == "uuid":
        characters = only(raw.bin.encode("hex"), raw.bin.size() == UUID_BYTES)
        return characters.str.replace("^(.{8})(.{4})(.{4})(.{4})", "${1}-${2}-${3}-${4}-")
    if column.encoded:
        return raw.bin.encode("hex" if column.encoded == "hex" else "base64")
    try:
        return raw.cast(pl.String)
    except pl.exceptions.ComputeError:  # some are not
        return pl.Series(raw.name, [_utf8(value) for value in raw], pl.String)


def _utf8(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
