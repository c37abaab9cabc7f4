"""Memory is bounded by the limits, whatever the objects are."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causeway.engine import curate as engine
from causeway.engine.curate import curate_slices
from causeway.engine.plan import plan_units
from causeway.engine.read import stored
from causeway.engine.read.stored import whole_lines
from causeway.engine.settle import torn_sources
from causeway.flow.manifest import SourceVersion
from tests.causeway.engine.helpers import NOW, column, contract, curate_unit, run

PAIR = contract(column("a", "integer", required=True), column("b"))
LINES = contract(*PAIR.columns, format="jsonl")


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (stored, engine):
        monkeypatch.setattr(module, "BLOCK", 512)
    monkeypatch.setattr(stored, "HEAD", 128)
    monkeypatch.setattr(stored, "LINE_LIMIT", 2048)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("length", [2049, 5000, 10_000])
@pytest.mark.parametrize(
    "tail", [b"\n3,z\n", b"\n3,z", b"\n", b""], ids=["rows", "row", "newline", "nothing"]
)
def test_a_line_longer_than_the_limit_is_one_rejected_row_and_the_others_go_on(
    length: int, tail: bytes
) -> None:
    data = b"a,b\n1,x\n" + b"2,".ljust(length, b"y") + tail
    result = run(PAIR, data)
    assert result.rows["a"].to_pylist() == ([1, 3] if b"3" in tail else [1])
    (bad,) = result.rejected.to_pylist()
    assert (bad["line"], bad["offset"], bad["faults"][0]["code"]) == (3, 8, "line_length")
    assert bad["raw"].startswith("2,yyy")
    assert result.counts[-1].source == "s0"


@pytest.mark.usefixtures("small_limits")
def test_a_long_json_line_is_one_rejected_row_and_the_others_go_on() -> None:
    result = run(LINES, b'{"a":1}\n{"a":2,"b":"' + b"y" * 4000 + b'"}\n{"a":3}\n')
    assert result.rows["a"].to_pylist() == [1, 3]
    assert [(bad["line"], bad["faults"][0]["code"]) for bad in result.rejected.to_pylist()] == [
        (2, "line_length")
    ]


@pytest.mark.usefixtures("small_limits")
def test_a_header_longer_than_the_limit_is_one_rejected_object() -> None:
    result = run(PAIR, b"a,b," + b"c" * 4000 + b"\n1,x,y\n")
    assert result.rows.num_rows == 0
    assert [(bad["line"], bad["faults"][0]["code"]) for bad in result.rejected.to_pylist()] == [
        (None, "line_length")
    ]


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("target", [700, 1500, 3000])
def test_a_long_line_is_rejected_once_however_the_object_is_split(target: int) -> None:
    data = b"a,b\n" + b"1,x\n" * 100 + b"2,".ljust(6000, b"y") + b"\n" + b"3,z\n" * 100
    parts = [
        curate_unit(PAIR, unit, lambda source, version, start, stop: data[start:stop])
        for unit in plan_units([SourceVersion("s", "v", len(data))], PAIR, target_bytes=target, split=True)
    ]
    assert not torn_sources(count for part in parts for count in part.counts)
    assert sum(part.frame.height for part in parts) == 200
    assert sum(part.rejected.num_rows for part in parts) == 1


def test_a_line_of_any_length_is_read_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "BLOCK", 1 << 16)
    monkeypatch.setattr(stored, "LINE_LIMIT", 1 << 20)
    size = 64 << 20

    def fetch(source: str, version: str, start: int, stop: int) -> bytes:
        return b"a,b\n1,x\n"[start:stop].ljust(stop - start, b"y")

    unit = plan_units([SourceVersion("s", "v", size)], PAIR)[0]
    tracemalloc.start()
    parts = list(curate_slices(PAIR, unit.slices, fetch, batch="b", committed_at=NOW))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(part.frame.height, part.rejected.num_rows) for part in parts] == [(1, 1)]
    assert peak < 8 << 20  # the limit, a few blocks and what quarantine keeps; not the line


@given(st.lists(st.text("a\n", max_size=6).map(str.encode), max_size=12))
@settings(max_examples=300, deadline=None)
def test_lines_cut_from_any_blocks_are_the_text_and_end_where_lines_end(blocks: list[bytes]) -> None:
    starts = [sum(map(len, blocks[:i])) for i in range(len(blocks))]
    found = list(whole_lines(zip(starts, blocks, strict=True)))
    text = b"".join(blocks)
    assert b"".join(lines.data for lines in found) == text
    assert [lines.last for lines in found] == [False] * (len(found) - 1) + [True] * bool(found)
    assert all(text[lines.at :].startswith(lines.data) for lines in found)
    assert all(lines.data.endswith(b"\n") for lines in found[:-1])
