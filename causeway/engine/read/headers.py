"""What a file calls its columns, and what its contract calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from causeway.contract.model import Contract
from causeway.engine.model import EXTRA, Unreadable
from causeway.flow.codes import Code

MAX_COLUMNS = 10_000
UNNAMED = "unnamed column "  # what columns at a header's end are called that it gives no name


def check_names(names: Sequence[str], contract: Contract) -> None:
    """Raises Unreadable when these columns cannot satisfy the contract at all."""
    if len(names) > MAX_COLUMNS:
        raise Unreadable(Code.HEADER, f"{len(names):,} columns; a file may have {MAX_COLUMNS:,}")
    repeated = sorted(repr(name) for name, times in Counter(names).items() if times > 1)
    if repeated:
        raise Unreadable(Code.HEADER, f"column names occur twice: {', '.join(repeated)}"[:2000])
    fields = [column.field for column in contract.inputs]
    missing = [column.field for column in contract.inputs if column.required and column.field not in names]
    if missing or not set(fields) & set(names):
        lack = ", ".join(missing or fields)
        raise Unreadable(Code.HEADER, f"columns are missing: {lack}; found: {', '.join(names)}"[:2000])
    unknown = [name for name in names if name not in fields]
    if unknown and contract.on_schema_change == "freeze":
        raise Unreadable(Code.SCHEMA, f"columns the contract does not know: {', '.join(unknown)}")


def named(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The file's field names become the contract's column names."""
    known = {column.field: column.name for column in contract.inputs}
    return frame.rename({name: known.get(name, EXTRA + name) for name in frame.columns})
