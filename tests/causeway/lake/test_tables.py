"""Tables that two batches make, or give columns to, at the same time."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.exceptions import CommitFailedException

from causeway.lake.tables import Design, open_table
from tests.glue_jobs.conftest import SmallLake

NAME = ("lake", "trips")


def meddle(lake: SmallLake, monkeypatch: pytest.MonkeyPatch, *others: Callable[[], object]) -> None:
    """Let others get in just before our next commits to the catalog."""
    commit, waiting = lake.catalog.commit_table, list(others)

    def late(*what: Any) -> Any:
        if waiting:
            waiting.pop(0)()
        return commit(*what)

    monkeypatch.setattr(lake.catalog, "commit_table", late)


def opened(lake: SmallLake, *columns: str) -> list[str]:
    schema = pa.schema([pa.field(name, pa.string()) for name in columns])
    design = Design(NAME, schema, f"{lake.folder.as_uri()}/trips")
    return open_table(lake.catalog, design).schema().column_names


def test_a_table_that_another_batch_makes_first_is_taken(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    meddle(small_lake, monkeypatch, lambda: opened(small_lake, "a"))
    assert opened(small_lake, "a", "b") == ["a", "b"]


def test_columns_are_added_though_another_batch_adds_some_first(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(small_lake, "a")
    meddle(small_lake, monkeypatch, lambda: opened(small_lake, "a", "c"))
    assert sorted(opened(small_lake, "a", "b")) == ["a", "b", "c"]


def test_a_table_that_never_stops_changing_is_an_error(
    small_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(small_lake, "a")

    def lose(*_: Any) -> None:
        raise CommitFailedException("moved")

    monkeypatch.setattr(small_lake.catalog, "commit_table", lose)
    with pytest.raises(CommitFailedException, match=r"lake.trips kept changing while b were to be added"):
        opened(small_lake, "a", "b")
