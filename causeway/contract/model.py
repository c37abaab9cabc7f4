"""A data contract, compiled: plain frozen values that travel to Spark executors without the ODCS library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from causeway.contract.bound import LATENCY, SECONDS, Bound

if TYPE_CHECKING:
    import pyarrow as pa

RESCUED = "_rescued"
NARROW = 32  # bits
# A timestamp's formats that count from 1970 in UTC: microseconds in one of the unit.
EPOCHS = {"epochSeconds": 1_000_000, "epochMilliseconds": 1000, "epochMicroseconds": 1}
# What the partner gets of a column: nothing, a hash of each value, or the values.
ACCESS = ("withhold", "hash", "pass")
# A quantity has a mean, a category is one of some, an identifier names a row or a thing.
MEASURES = ("quantity", "category", "identifier")
MAX_NAME = MAX_COMMENT = 255  # characters, in the catalog


def is_name(name: str) -> bool:
    """Whether a column may be called so; what begins with `_` is the engine's."""
    return 0 < len(name) <= MAX_NAME and name.isprintable() and not name.startswith("_")


class ContractError(ValueError):
    """A line for each thing wrong: the file, the path inside it, what is wrong, what is allowed."""


@dataclass(frozen=True)
class Rule:
    """A SQL expression over a row that must not be false."""

    name: str
    sql: str
    column: str = ""


@dataclass(frozen=True)
class Reference:
    """A foreign key: these columns are null or the key of one row of another dataset, or of the same."""

    columns: tuple[str, ...]
    dataset: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class Spelling:
    """How the values of a column are spelled in text."""

    decimal: str = "."
    group: str = ""  # between thousands
    true: tuple[str, ...] = ()  # besides the usual ones, if there are some: instead of them
    false: tuple[str, ...] = ()


PLAIN = Spelling()


@dataclass(frozen=True)
class Column:
    name: str
    field: str  # its name in the file
    type: str  # ODCS logical type
    required: bool = False
    unique: bool = False
    key: bool = False
    bits: int = 64
    precision: int | None = None  # a decimal when set
    scale: int = 0
    timezone: str | None = None  # of a timestamp without offset; None: no zone at all
    format: str | None = None  # strftime, or one of EPOCHS
    format_text: str | None = None  # the same, as the contract spells it
    spelling: Spelling = PLAIN
    encoded: str | None = None  # of a string: base64, hex or uuid, as which its bytes stand
    min_length: int | None = None  # characters of a string, items of an array
    max_length: int | None = None
    unique_items: bool = False
    pattern: str | None = None
    minimum: Any = None
    maximum: Any = None
    exclusive_minimum: Any = None
    exclusive_maximum: Any = None
    multiple_of: Any = None
    values: tuple[Any, ...] = ()
    transform: str | None = None  # SQL over the other columns
    access: str = ""  # the partner's, one of ACCESS if the contract says something of it
    measure: str = ""  # one of MEASURES if the contract says it
    embedded: bool = False  # the store finds its rows by what this text says
    description: str = ""
    items: Column | None = None
    properties: tuple[Column, ...] = ()

    def with_parts(self) -> Iterator[Column]:
        """The column, and everything inside it."""
        yield self
        for part in (*self.properties, *([self.items] if self.items else [])):
            yield from part.with_parts()

    @property
    def withheld(self) -> bool:
        """Checked, and in no table that the partner reads."""
        return self.access == "withhold"

    @property
    def hashed(self) -> bool:
        return self.access == "hash"

    @property
    def private(self) -> bool:
        """Its values do not reach the partner."""
        return self.withheld or self.hashed

    @property
    def measured(self) -> str:
        """What a profile takes its values for: the contract says it, or it follows from the type."""
        if self.type in ("array", "object"):
            return "nested"
        if self.hashed:
            return "identifier"
        return self.measure or {"string": "category", "boolean": "flag"}.get(self.type, "quantity")

    def arrow_type(self) -> pa.DataType:
        """Of its values, before they are hashed."""
        import pyarrow as pa  # noqa: PLC0415 - not where Lambda loads this module

        if self.type == "number" and self.precision is not None:
            return pa.decimal128(self.precision, self.scale)
        if self.type == "array":
            return pa.list_(self.items.arrow_type() if self.items else pa.string())
        if self.type == "object":
            return pa.struct([p.arrow_field().with_nullable(True) for p in self.properties])
        return {
            "string": pa.string(),
            "integer": pa.int32() if self.bits == NARROW else pa.int64(),
            "number": pa.float32() if self.bits == NARROW else pa.float64(),
            "boolean": pa.bool_(),
            "date": pa.date32(),
            "timestamp": pa.timestamp("us", tz="UTC" if self.timezone else None),
            "time": pa.time64("us"),
        }[self.type]

    def arrow_field(self) -> pa.Field:
        """As the table has it; the description as Iceberg and Glue take it: one short line."""
        import pyarrow as pa  # noqa: PLC0415

        described = {"doc": " ".join(self.description.split())[:MAX_COMMENT]} if self.description else None
        type_ = pa.string() if self.hashed else self.arrow_type()
        return pa.field(self.name, type_, not self.required, described)


@dataclass(frozen=True)
class Contract:
    dataset: str
    version: str
    columns: tuple[Column, ...]
    description: str = ""
    format: str = "csv"  # csv | jsonl | parquet
    delimiter: str = ","
    quote: str = '"'  # empty: quotes are ordinary characters
    escape: str = ""  # before a quote, a delimiter, a line end or itself: those are text then
    comment: str = ""  # a record that begins with it is none
    header: bool = True
    skip_lines: int = 0  # before the header, of the file
    skip_footer: int = 0  # after the last record
    skip_initial_space: bool = False  # after a delimiter
    encoding: str = "utf-8"
    nulls: tuple[str, ...] = ()  # texts that mean null
    partitioning: tuple[tuple[str, str], ...] = ()  # (column, identity | year | month | day)
    sort_order: tuple[str, ...] = ()
    on_schema_change: str = "rescue"  # evolve | rescue | freeze
    duplicates: str = "reject"  # of the primary key inside a batch: last | reject
    on_delete: str = "keep"  # when a source is deleted: keep | remove its rows
    rules: tuple[Rule, ...] = ()  # of each row
    bounds: tuple[Bound, ...] = ()  # of the table's profile
    frequency: int = 0  # seconds between two commits of rows, at most; 0: nothing is promised
    quarantine_limit: float | None = None  # percent of a batch's rows, at most, that may be rejected
    served: bool = False  # loaded into the relational store
    references: tuple[Reference, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.key)

    @property
    def identifier(self) -> tuple[str, ...]:
        """The key, if Iceberg can name it as the table's: all of it is there, and none of it floats."""
        keys = [column for column in self.columns if column.key]
        floats = any(c.type == "number" and c.precision is None for c in keys)
        return () if floats or any(column.withheld for column in keys) else self.key

    @property
    def hashed(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.hashed)

    @property
    def embedded(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.embedded)

    @property
    def freshness(self) -> int:
        """Seconds within which rows must be committed again, for all that it promises to hold; 0: nothing.

        A newest value is no younger than the commit that brought it: so a latency is such a promise too.
        """
        ages = [bound.limits[0] * SECONDS[bound.unit] for bound in self.bounds if bound.metric == LATENCY]
        return int(min([*ages, *([self.frequency] if self.frequency else [])], default=0))

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def next_major(self) -> int:
        """The first version that has another table."""
        return max(self.major, 1) + 1

    @property
    def table(self) -> str:
        """The curated table's name. A major version breaks readers, so each has a table of its own."""
        return self.dataset if self.major <= 1 else f"{self.dataset}_v{self.major}"

    @property
    def tables(self) -> list[str]:
        """The tables of this major version and of those before it, whose readers may still be there."""
        return [replace(self, version=f"{n}.0.0").table for n in range(1, self.next_major)]

    @property
    def inputs(self) -> tuple[Column, ...]:
        """The columns that stand in the file."""
        return tuple(column for column in self.columns if not column.transform)

    def arrow_schema(self) -> pa.Schema:
        """The curated business columns; the engine appends its lineage columns."""
        import pyarrow as pa  # noqa: PLC0415

        fields = [column.arrow_field() for column in self.columns if not column.withheld]
        if self.on_schema_change == "rescue":
            doc = {"doc": "fields of the row that the contract does not know, as JSON"}
            fields.append(pa.field(RESCUED, pa.string(), metadata=doc))
        return pa.schema(fields)
