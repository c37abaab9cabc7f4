"""How a dataset's files are written: the custom properties of a contract's schema object."""

from __future__ import annotations

import codecs
import difflib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from encodings.aliases import aliases
from typing import Any

from open_data_contract_standard.model import CustomProperty, SchemaProperty

from causeway.contract.model import Column, Spelling
from causeway.contract.place import Place, nearest
from causeway.flow.nearest import did_you_mean

CSV = ("csv",)
MAX_SKIPPED = 10_000  # lines before or after the table
# Codecs of Python's in which no files are written.
NO_FILES = {"idna", "punycode", "unicode-escape", "raw-unicode-escape"}
# Custom properties of a column that others read: partitionTransform, and odcs_property.
OF_COLUMNS = ("partitionTransform", "partnerAccess", "measure", "embed")


def _one_of(*allowed: Any) -> Callable[[Any], str | None]:
    listed = ", ".join(map(str, allowed))
    words = [word for word in allowed if isinstance(word, str)]
    return lambda v: None if v in allowed else f"is not one of {listed}{did_you_mean(str(v), words)}"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "is not a string"


def _texts(value: Any) -> str | None:
    fits = isinstance(value, list) and all(isinstance(v, str) for v in value)
    return None if fits else "is not a list of strings"


def _character(value: Any) -> str | None:
    """None is no character; more than one byte the parsers do not take."""
    fits = isinstance(value, str) and value.isascii() and len(value) <= 1 and value not in ("\r", "\n", "\0")
    return None if fits else "is not one ASCII character, or '' for none"


def _delimiter(value: Any) -> str | None:
    return 'is not one ASCII character, as "," or "\\t"' if value == "" or _character(value) else None


def _separator(value: Any) -> str | None:
    fits = isinstance(value, str) and len(value) <= 1 and not value.isalnum() and value not in ("+", "-")
    return None if fits else "is not one character that numbers may hold between their digits"


def _lines(value: Any) -> str | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SKIPPED
    return None if fits else f"is not a number of lines, from 0 to {MAX_SKIPPED:,}"


def _percent(value: Any) -> str | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 100  # noqa: PLR2004
    return None if fits else "is not a share in percent, from 0 to less than 100"


def _encoding(value: Any) -> str | None:
    if _encodes(value):
        return None
    names = [name.replace("_", "-") for name in sorted({*aliases, *aliases.values()}) if _encodes(name)]
    meant = did_you_mean(str(value).lower().replace("_", "-"), names)
    return f"is no encoding that Python knows, such as utf-8, utf-16 or latin-1{meant}"


def _encodes(name: Any) -> bool:
    try:
        "".encode(name)
        return codecs.lookup(name).name not in NO_FILES
    except (LookupError, TypeError, UnicodeError):
        return False


@dataclass(frozen=True)
class Fact:
    """A custom property: the field of Contract or Spelling that it sets, what is wrong with a value."""

    field: str
    wrong: Callable[[Any], str | None]
    formats: Sequence[str] = ("csv", "jsonl", "parquet")


FACTS: dict[str, Fact] = {
    "format": Fact("format", _one_of("csv", "jsonl", "parquet")),
    "encoding": Fact("encoding", _encoding, ("csv", "jsonl")),
    "delimiter": Fact("delimiter", _delimiter, CSV),
    "quote": Fact("quote", _character, CSV),
    "escape": Fact("escape", _character, CSV),
    "comment": Fact("comment", _character, CSV),
    "header": Fact("header", _one_of(True, False), CSV),
    "skipLines": Fact("skip_lines", _lines, CSV),
    "skipFooter": Fact("skip_footer", _lines, CSV),
    "skipInitialSpace": Fact("skip_initial_space", _one_of(True, False), CSV),
    "nullValues": Fact("nulls", _texts, ("csv", "jsonl")),
    "sortOrder": Fact("sort_order", _texts),
    "onSchemaChange": Fact("on_schema_change", _one_of("evolve", "rescue", "freeze")),
    "duplicates": Fact("duplicates", _one_of("last", "reject")),
    "onDelete": Fact("on_delete", _one_of("keep", "remove")),
    "quarantineLimit": Fact("quarantine_limit", _percent),
}
# How values are spelled: of all columns, or of one, under its own custom properties.
SPELLINGS: dict[str, Fact] = {
    "decimalSeparator": Fact("decimal", _separator, CSV),
    "groupSeparator": Fact("group", _separator, CSV),
    "trueValues": Fact("true", _texts, ("csv", "jsonl")),
    "falseValues": Fact("false", _texts, ("csv", "jsonl")),
}


def compile_facts(custom: Sequence[CustomProperty], place: Place) -> dict[str, Any]:
    """The schema object's custom properties that are ours, each of them valid by itself."""
    facts = _compile(custom, FACTS | SPELLINGS, place)
    format = facts.setdefault("format", "csv")
    for name in facts:
        if format not in (FACTS | SPELLINGS)[name].formats:
            raise (place / f"customProperties ({name})").wrong(f"means nothing in a {format} file")
    return facts


def refuse_misplaced(custom: Sequence[CustomProperty], place: Place) -> None:
    """What is said of the whole contract there would be ignored as another tool's."""
    for i, item in enumerate(custom):
        if item.property in FACTS | SPELLINGS:
            at = place / f"customProperties[{i}] ({item.property})"
            raise at.wrong("means nothing here; move it to the customProperties of schema[0]")


def _compile(
    custom: Sequence[CustomProperty], known: dict[str, Fact], place: Place, others: Collection[str] = ()
) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for i, item in enumerate(custom):
        at, name = place / f"customProperties[{i}] ({item.property})", str(item.property)
        if name not in known:
            names = {*known, *others}
            if name not in others and difflib.get_close_matches(name, names, cutoff=0.8):
                raise at.wrong(f"unknown{nearest(name, names)}")
            continue  # another tool's
        if reason := known[name].wrong(item.value):
            raise at.wrong(f"{item.value!r} {reason}")
        facts[name] = tuple(item.value) if isinstance(item.value, list) else item.value
    return facts


def spellings(facts: dict[str, Any]) -> Spelling:
    """How the dataset's values are spelled, if a column says nothing else."""
    return Spelling(**{SPELLINGS[name].field: value for name, value in facts.items() if name in SPELLINGS})


def spelled(
    columns: Sequence[Column], properties: Sequence[SchemaProperty], everywhere: Spelling, place: Place
) -> tuple[Column, ...]:
    """The columns, each with its spelling."""
    return tuple(
        _spelled(column, _spelling_of(p.customProperties or [], everywhere, place / f"properties[{i}]"))
        for i, (p, column) in enumerate(zip(properties, columns, strict=True))
    )


def _spelled(column: Column, spelling: Spelling) -> Column:
    parts = tuple(_spelled(part, spelling) for part in column.properties)
    items = _spelled(column.items, spelling) if column.items else None
    return replace(column, spelling=spelling, properties=parts, items=items)


def _spelling_of(custom: Sequence[CustomProperty], everywhere: Spelling, place: Place) -> Spelling:
    """How a column's values are spelled. Raises ContractError for a spelling that cannot be read."""
    own = {
        SPELLINGS[name].field: value for name, value in _compile(custom, SPELLINGS, place, OF_COLUMNS).items()
    }
    spelling = Spelling(**{**vars(everywhere), **own})
    if not spelling.decimal:
        raise place.wrong("decimalSeparator '': expected a character")
    if spelling.decimal == spelling.group:
        raise place.wrong(
            f"decimalSeparator and groupSeparator are both {spelling.group!r}; they must differ"
        )
    both = set(spelling.true) & set(spelling.false)
    if both or bool(spelling.true) != bool(spelling.false):
        raise place.wrong("trueValues and falseValues: expected both, and no value in both")
    return spelling


def physical(facts: dict[str, Any], columns: Sequence[Column], place: Place) -> dict[str, Any]:
    """The fields of Contract. Raises ContractError for what no file could be read by."""
    fields = {FACTS[name].field: value for name, value in facts.items() if name in FACTS}
    if fields["format"] == "csv":
        fields.setdefault("nulls", ("",))  # an empty field; JSON and Parquet have a null of their own
    names = [column.name for column in columns if not column.withheld]
    for column in fields.get("sort_order", ()):
        if column not in names:
            raise (place / "customProperties (sortOrder)").wrong(
                f"no column {column!r}{nearest(column, names)}"
            )
    marks = {"delimiter": fields.get("delimiter", ","), "quote": fields.get("quote", '"')}
    marks |= {name: fields.get(name, "") for name in ("escape", "comment")}
    taken: dict[str, str] = {}
    for name, mark in marks.items():
        if mark and mark in taken:
            raise (place / "customProperties").wrong(
                f"{taken[mark]} and {name} are both {mark!r}; they must differ"
            )
        taken[mark] = name
    return fields
