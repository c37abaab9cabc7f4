"""Objects as a whole: what cannot be read is one rejected object, and the rest of the batch goes on."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from causeway.engine.plan import plan_units
from causeway.engine.read import stored
from causeway.flow.manifest import SourceVersion
from tests.causeway.engine.helpers import codes, column, contract, curate_unit, run, values

PAIR = contract(column("a", "integer", required=True), column("b"))
GOOD = b"a,b\n" + b"".join(b"%d,text %d\n" % (i, i * i) for i in range(2000))


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
def test_compression_goes_by_content(pack: object) -> None:
    assert run(PAIR, pack(GOOD)).rows.num_rows == 2000  # type: ignore[operator]


def test_gzip_members_one_after_another_are_one_file() -> None:
    assert run(PAIR, gzip.compress(GOOD[:5000]) + gzip.compress(GOOD[5000:])).rows.num_rows == 2000


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_a_truncated_stream_is_one_rejected_object_wherever_it_ends(pack: object) -> None:
    packed = pack(GOOD)  # type: ignore[operator]
    for length in [*range(4, 40), *range(40, len(packed), 501), len(packed) - 1]:
        result = run(PAIR, packed[:length])
        assert result.rows.num_rows == 0, length
        assert codes(result) == [(None, ["compression"])], length


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        ("a,b\n1,é\n2,ü\n".encode("latin-1"), "encoding"),
        ("a,b\n1,x\n".encode("utf-16"), "encoding"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "encoding"),
        (b'{"a": 1}\n', "header"),
        (b"x;y\n1;2\n", "header"),
        (gzip.compress(b"", mtime=0), "empty"),  # workers must name a test alike
    ],
)
def test_what_cannot_be_read_is_one_rejected_object_and_the_others_go_on(data: bytes, code: str) -> None:
    result = run(PAIR, data, b"a,b\n1,x\n")
    assert values(result, "a") == [1]
    assert codes(result) == [(None, [code])]
    assert [(c.rows, c.unreadable) for c in result.counts] == [(0, True), (1, False)]


def test_a_header_alone_is_an_object_without_rows() -> None:
    result = run(PAIR, b"a,b\n")
    assert (result.rows.num_rows, result.rejected.num_rows) == (0, 0)


def test_a_decompression_bomb_is_stopped_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "SMALL", 1 << 16)
    bomb = gzip.compress(b"a,b\n" + b"1,x\n" * 3_000_000)
    assert len(bomb) * stored.MAX_RATIO < 12_000_000
    assert codes(run(PAIR, bomb)) == [(None, ["too_large"])]


def test_every_row_is_counted_once_for_its_source() -> None:
    result = run(PAIR, b"a,b\n1,x\nz,y\n2\n", GOOD, b"")
    assert [(c.source, c.rows, c.curated, c.rejected) for c in result.counts] == [
        ("s0", 3, 1, 2),
        ("s1", 2000, 2000, 0),
        ("s2", 0, 0, 0),
    ]
    assert result.counts[0].reasons == {"fields": 1, "type": 1}


def test_lineage_stands_in_every_row() -> None:
    row = run(PAIR, b"a,b\n1,x\n").rows.to_pylist()[0]
    assert (row["_source"], row["_source_version"], row["_batch"]) == ("s0", "v0", "b")
    assert row["_committed_at"].isoformat() == "2026-01-02T03:04:05+00:00"


def test_parquet_values_are_checked_like_any_other() -> None:
    sink = io.BytesIO()
    pl.DataFrame({"a": [1.0, 2.5, None, 4.0], "b": ["x", "y", "z", "w"], "c": [1, 2, 3, 4]}).write_parquet(
        sink
    )
    result = run(contract(*PAIR.columns, format="parquet"), sink.getvalue())
    assert values(result, "a") == [1, 4]
    assert values(result, "_rescued") == ['{"c":"1"}', '{"c":"4"}']
    assert codes(result) == [(2, ["type"]), (3, ["required"])]


def test_a_damaged_parquet_file_is_one_rejected_object() -> None:
    sink = io.BytesIO()
    pl.DataFrame({"a": range(1000), "b": ["x"] * 1000}).write_parquet(sink)
    good = sink.getvalue()
    for bad in (good[:-1], good[: len(good) // 2], b"PAR1" + good[:50], b"a,b\n1,x\n"):
        assert codes(run(contract(*PAIR.columns, format="parquet"), bad)) == [(None, ["format"])]


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_a_small_object_is_one_request(format: str) -> None:
    sink = io.BytesIO()
    pl.DataFrame({"a": ["1"]}).write_parquet(sink)
    data = {"csv": b"a\n1\n", "jsonl": b'{"a": "1"}\n', "parquet": sink.getvalue()}[format]
    asked = []

    def fetch(source: str, version: str, start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return data[start:stop]

    (unit,) = plan_units([SourceVersion("s", "v", len(data))], rules := contract(column("a"), format=format))
    assert curate_unit(rules, unit, fetch).frame.height == 1
    assert asked == [(0, len(data))]


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_what_other_compressors_write_is_read(pack: Any) -> None:
    assert values(run(PAIR, pack(GOOD)), "a") == values(run(PAIR, GOOD), "a") != []
    assert codes(run(PAIR, pack(GOOD)[:-8])) == [(None, ["compression"])]


def archive(kind: str, files: int = 1) -> bytes:
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.mkdir("folder")
            for n in range(files):
                packed.writestr(f"folder/{n}.csv", GOOD)
    else:
        with tarfile.open(None, f"w:{kind}", out) as tar:  # type: ignore[call-overload]
            member = tarfile.TarInfo("a.csv")
            member.size = len(GOOD)
            tar.addfile(member, io.BytesIO(GOOD))
    return out.getvalue()


def test_a_zip_of_one_file_is_read_and_a_damaged_one_rejected() -> None:
    packed = archive("zip")
    assert values(run(PAIR, packed), "a") == values(run(PAIR, GOOD), "a")
    at = len(packed) // 3
    damaged = packed[:at] + bytes([packed[at] ^ 255]) + packed[at + 1 :]
    assert codes(run(PAIR, damaged)) == codes(run(PAIR, packed[:-30])) == [(None, ["compression"])]


@pytest.mark.parametrize("kind", ["zip", "", "gz", "bz2", "xz"])
def test_an_archive_is_refused_by_its_name(kind: str) -> None:
    ((fault,),) = run(PAIR, archive(kind, files=2)).rejected["faults"].to_pylist()
    assert fault["code"] == "format"
    assert f"a {kind if kind == 'zip' else 'tar'} archive" in fault["message"]


def test_lists_and_objects_that_the_contract_does_not_know_are_rescued_whole_as_json() -> None:
    tags, place = [f"{n:040}" for n in range(200)], {"city": "Oslo", "at": [1.5, None]}
    table = pa.table({"a": [1], "b": ["x"], "tags": [tags], "place": [place]})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    result = run(replace(PAIR, format="parquet", nulls=()), sink.getvalue())
    rescued = json.loads(values(result, "_rescued")[0])
    assert json.loads(rescued["tags"]) == tags
    assert json.loads(rescued["place"]) == place


def test_int96_instants_beyond_what_nanoseconds_hold_are_those_of_the_file() -> None:
    moments = [datetime(1, 1, 1), datetime(2024, 2, 29, 12), datetime(9999, 12, 31, 23, 59, 59)]
    sink = io.BytesIO()
    table = pa.table({"at": pa.array(moments, pa.timestamp("us"))})
    pq.write_table(table, sink, use_deprecated_int96_timestamps=True)
    rules = contract(column("at", "timestamp"), format="parquet")
    assert values(run(rules, sink.getvalue()), "at") == moments
