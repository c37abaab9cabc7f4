"""However objects are cut into units, slices and blocks, the same rows come out."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.contract.model import Contract
from causeway.engine import curate as engine
from causeway.engine.check.keys import repeated
from causeway.engine.curate import curate_slices
from causeway.engine.plan import MAX_BYTES, MIN_BYTES, Unit, plan_units, target_bytes
from causeway.engine.read import formats, stored
from causeway.engine.settle import number_lines, source_reports, torn_sources
from causeway.flow.manifest import SourceVersion
from tests.causeway.engine.helpers import NOW, column, contract, curate_unit, run

PAIR = contract(column("a", "integer", required=True), column("b"))
ROWS = b"".join(b"%s,%s\n" % (b"bad" if i % 37 == 0 else b"%d" % i, b"x" * (i % 23)) for i in range(500))
DATA = b"\xef\xbb\xbfa,b\n" + ROWS


class Store(dict[str, bytes]):
    def fetch(self, source: str, version: str, start: int, stop: int) -> bytes:
        return self[source][start:stop]

    def objects(self) -> list[SourceVersion]:
        return [SourceVersion(source, "v", len(data)) for source, data in self.items()]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (stored, engine, formats):
        monkeypatch.setattr(module, "BLOCK", 512)
    monkeypatch.setattr(stored, "MAX_RATIO", 100_000)


def outcome(rules: Contract, store: Store, **how: Any) -> tuple[list[Any], list[Any], pa.Table, list[Any]]:
    parts = []
    for unit in plan_units(store.objects(), rules, **how):
        of_unit = list(
            curate_slices(rules, unit.slices, store.fetch, batch="b", committed_at=NOW, part_bytes=2048)
        )
        parts += of_unit[max((i for i, part in enumerate(of_unit) if part.anew), default=0) :]
    counts = [count for part in parts for count in part.counts]
    rejected = number_lines(pa.concat_tables([part.rejected for part in parts]), counts)
    rows = [row for part in parts for row in part.rows.select(["a", "b", "_source"]).to_pylist()]
    where = [(r["_source"], r["line"], r["raw"], r["offset"]) for r in rejected.to_pylist()]
    return rows, where, rejected, counts


@pytest.mark.parametrize("target", [50, 333, 4096])
@pytest.mark.usefixtures("small_blocks")
def test_a_split_object_gives_the_rows_and_line_numbers_of_the_whole(target: int) -> None:
    store = Store(one=DATA, two=DATA[:-1])
    whole = run(PAIR, DATA)
    rows, where, _, counts = outcome(PAIR, store, target_bytes=target, split=True)
    one = [row for row in rows if row["_source"] == "one"]
    assert [row["a"] for row in one] == whole.rows["a"].to_pylist()
    assert len(rows) == 2 * len(one)
    expected = [(r["line"], r["raw"]) for r in whole.rejected.to_pylist()]
    assert [(line, raw) for source, line, raw, _ in where if source == "one"] == expected
    assert all(DATA[o:].startswith(raw.encode()) for _, _, raw, o in where)
    assert [(c.landed, c.curated, c.quarantined) for c in source_reports(counts)] == [
        (500, len(one), len(expected))
    ] * 2


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_object_larger_than_a_block_is_read_block_by_block(pack: object) -> None:
    data = b"a,b\n" + b'1,"quoted\nnewline"\nbad,x\n2,y\n' * 200
    _, where, _, counts = outcome(PAIR, Store(s=pack(data)), target_bytes=1 << 20)  # type: ignore[operator]
    assert [line for _, line, _, _ in where] == list(range(4, 804, 4))
    assert [(c.landed, c.quarantined) for c in source_reports(counts)] == [(600, 200)]
    assert not torn_sources(counts)


@pytest.mark.usefixtures("small_blocks")
def test_slices_that_cut_a_quoted_newline_say_so() -> None:
    text = b"a,b\n" + b"".join(b'%d,"line\nafter, line\nand line"\n' % i for i in range(60))
    for target in range(90, 120, 3):
        parts = [
            curate_unit(PAIR, unit, Store(s=text).fetch)
            for unit in plan_units(Store(s=text).objects(), PAIR, target_bytes=target, split=True)
        ]
        rows = sum(part.frame.height for part in parts)
        assert rows == 60 or torn_sources(count for part in parts for count in part.counts) == {("s", "v")}


@pytest.mark.usefixtures("small_blocks")
def test_a_large_truncated_gzip_gives_no_rows_at_all() -> None:
    _, where, rejected, _ = outcome(PAIR, Store(s=gzip.compress(DATA)[:-9]), target_bytes=1 << 20)
    assert rejected["faults"][0][0]["code"].as_py() == "compression"
    assert len(where) == 1


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("compressed", [True, False])
def test_an_object_damaged_after_rows_of_it_were_given_out_is_one_rejected_object(compressed: bool) -> None:
    good = Store(a=b"a,b\n7,x\n", z=b"a,b\n9,z\n")
    damaged = gzip.compress(DATA)[:-9] if compressed else DATA.decode("utf-8-sig").encode("utf-16")[:-1]
    rules = PAIR if compressed else replace(PAIR, encoding="utf-16")
    if not compressed:
        good = Store({name: data.decode().encode("utf-16") for name, data in good.items()})
    (unit,) = plan_units(Store(a=good["a"], damaged=damaged, z=good["z"]).objects(), rules)
    parts = list(
        curate_slices(
            rules,
            unit.slices,
            Store(**good, damaged=damaged).fetch,
            batch="b",
            committed_at=NOW,
            part_bytes=2048,
        )
    )
    last = max(i for i, part in enumerate(parts) if part.anew)
    assert last > 0
    assert [row for part in parts[last:] for row in part.frame["a"]] == [7, 9]
    rejected = [row for part in parts[last:] for row in part.rejected.to_pylist()]
    assert [(row["_source"], row["line"]) for row in rejected] == [("damaged", None)]
    counts = {c.source: c for c in source_reports(c for part in parts[last:] for c in part.counts)}
    assert (counts["damaged"].landed, counts["damaged"].unreadable) == (0, True)


@given(st.lists(st.integers(0, 2 << 30), min_size=1, max_size=5), st.integers(1, 32))
def test_units_of_large_objects_keep_every_slot_busy_to_the_end(sizes: list[int], slots: int) -> None:
    size = target_bytes([SourceVersion("s", "v", size) for size in sizes], slots)
    assert MIN_BYTES <= size <= MAX_BYTES
    units = -(-sum(sizes) // size)
    assert size == MIN_BYTES or units % slots == 0


def test_small_objects_share_a_unit_and_keep_their_order() -> None:
    objects = [SourceVersion(f"s{i}", "v", 30) for i in range(10)]
    units = plan_units(objects, PAIR, target_bytes=100)
    assert [len(unit.slices) for unit in units] == [3, 3, 3, 1]
    assert [piece.source for unit in units for piece in unit.slices] == [f"s{i}" for i in range(10)]


def test_parquet_is_cut_at_row_groups() -> None:
    sink = io.BytesIO()
    pl.DataFrame({"a": range(1000), "b": ["x"] * 1000}).write_parquet(sink, row_group_size=100)
    rules = contract(*PAIR.columns, format="parquet")
    rows, _, _, counts = outcome(rules, Store(s=sink.getvalue()), target_bytes=700, split=True)
    assert sorted(row["a"] for row in rows) == list(range(1000))
    assert source_reports(counts)[0].landed == 1000


KEYED = contract(column("a", "integer", required=True, key=True), column("b"))


def test_both_rows_of_a_repeated_key_are_rejected_or_the_last_one_wins() -> None:
    data = b"a,b\n1,x\n2,y\n1,z\n"
    result = run(KEYED, data)
    assert result.rows["b"].to_pylist() == ["y"]
    assert result.counts[0].reasons == {"duplicate_key": 2}
    assert run(contract(*KEYED.columns, duplicates="last"), data).rows["b"].to_pylist() == ["y", "z"]


def test_a_value_that_must_be_unique_may_be_missing_twice() -> None:
    rules = contract(column("a", unique=True), column("b"))
    assert run(rules, b"a,b\n,x\n,y\nk,z\n").rows.num_rows == 3
    assert run(rules, b"a,b\nk,x\nk,y\n").counts[0].reasons == {"unique": 2}


@pytest.mark.parametrize(("duplicates", "kept"), [("reject", ["p"]), ("last", ["p", "q"])])
def test_keys_repeated_across_units_are_found_from_what_the_units_report(
    duplicates: str, kept: list[str]
) -> None:
    rules = contract(*KEYED.columns, duplicates=duplicates)
    store = Store(s=b"a,b\n1,x\n2,p\n", t=b"a,b\n1,q\n")
    units = plan_units(store.objects(), rules, target_bytes=1)
    first = [curate_unit(rules, unit, store.fetch) for unit in units]
    assert [part.frame.height for part in first] == [2, 1]
    banned = repeated([part.keys for part in first], rules)
    again = [curate_unit(rules, unit, store.fetch, banned) for unit in units]
    assert [b for part in again for b in part.rows["b"].to_pylist()] == kept
    assert again[0].rejected["line"].to_pylist() == [2]


def test_an_empty_unit_is_an_empty_result() -> None:
    result = curate_unit(PAIR, Unit(()), Store().fetch)
    assert (result.rows.num_rows, result.rejected.num_rows, result.counts) == (0, 0, [])
