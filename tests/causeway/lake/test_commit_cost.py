"""What a commit touches does not grow with its table. Counted here; `python -m bench.commits` times it."""

import copy
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from bench.commits import build, measure, write_file
from causeway.lake.commit import change_table

SMALL, LARGE = 10, 1_000


@pytest.fixture(scope="module")
def touched(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], dict[str, Any]]:
    return {
        (size, result["commit"]): result
        for size in (SMALL, LARGE)
        for result in measure(tmp_path_factory.mktemp(f"{size}"), size, 1)
    }


def test_an_append_touches_as_many_files_whatever_the_size_of_the_table(
    touched: dict[tuple[int, str], dict[str, Any]],
) -> None:
    small, large = touched[SMALL, "append"], touched[LARGE, "append"]
    assert (small["reads"], small["writes"]) == (large["reads"], large["writes"])
    assert "manifests" not in large["reads"]


def test_replacing_a_source_touches_as_many_files_whatever_the_size_of_the_table(
    touched: dict[tuple[int, str], dict[str, Any]],
) -> None:
    small, large = touched[SMALL, "replace"], touched[LARGE, "replace"]
    assert (small["reads"], small["writes"]) == (large["reads"], large["writes"])
    assert large["reads"]["data"] <= 2  # the source's old file, and the new one's footer


def test_manifests_of_many_appends_are_merged_so_that_no_reader_opens_thousands(tmp_path: Path) -> None:
    catalog = SqlCatalog("test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=tmp_path.as_uri())
    table = build(catalog, tmp_path, 1, set())
    merged_at, commits = 5, 20  # 100, by default
    with table.transaction() as change:
        change.set_properties({"commit.manifest.min-count-to-merge": str(merged_at)})
    most = 0
    for n in range(commits):
        table = catalog.load_table(table.name())
        change_table(table, add=[write_file(tmp_path, f"{n}")], replace=[], properties={})
        snapshot = table.current_snapshot()
        assert snapshot
        most = max(most, len(snapshot.manifests(table.io)))
    assert most == merged_at - 1
    catalog.close()


def test_a_commit_does_not_copy_the_tables_history(tmp_path: Path) -> None:
    catalog = SqlCatalog("test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=tmp_path.as_uri())
    metadata = build(catalog, tmp_path, 1, set()).metadata
    copied = copy.deepcopy(metadata)
    assert copied is not metadata
    assert copied.snapshots[0] is metadata.snapshots[0]
    catalog.close()
