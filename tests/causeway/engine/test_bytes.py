"""Bytes, UUIDs and maps in Parquet, and their texts in other formats."""

from __future__ import annotations

import base64
import io
import json
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from causeway.contract.model import Contract
from tests.causeway.engine.helpers import codes, column, contract, run, values

BYTES = [b"abc", b"\xff\xfe", b"", None]
ID = uuid.UUID("035c4ea0-d73b-5bde-bd6f-c806b04f2ec3")


def parquet(**columns: pa.Array) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def of(type: str = "string", **facts: Any) -> Contract:
    return contract(column("v", type, **facts), format="parquet")


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
@pytest.mark.parametrize(
    ("encoded", "texts"),
    [
        ("base64", [None if b is None else base64.b64encode(b).decode() for b in BYTES]),
        ("hex", [None if b is None else b.hex() for b in BYTES]),
    ],
)
def test_bytes_are_kept_as_the_text_that_the_contract_names(
    kind: pa.DataType, encoded: str, texts: list[str | None]
) -> None:
    assert values(run(of(encoded=encoded), parquet(v=pa.array(BYTES, kind))), "v") == texts


def test_bytes_that_are_no_text_cost_their_own_row_alone() -> None:
    result = run(of(), parquet(v=pa.array(BYTES, pa.binary())))
    assert values(result, "v") == ["abc", "", None]
    assert codes(result) == [(2, ["type"])]
    (rejected,) = result.rejected.to_pylist()
    assert json.loads(rejected["raw"]) == {"v": base64.b64encode(b"\xff\xfe").decode()}


def test_a_uuid_is_its_text_however_the_file_holds_it() -> None:
    typed = parquet(v=pa.array([ID.bytes, None], pa.uuid()))
    assert values(run(of(), typed), "v") == [str(ID), None]
    assert values(run(of(encoded="uuid"), typed), "v") == [str(ID), None]
    plain = parquet(v=pa.array([ID.bytes, b"short"], pa.binary()))
    result = run(of(encoded="uuid"), plain)
    assert (values(result, "v"), codes(result)) == ([str(ID)], [(2, ["type"])])


PAIRS: Any = pa.array([[("a", 1), ("b", None)], None, []], pa.map_(pa.string(), pa.int64()))
LISTS = [[{"key": "a", "value": 1}, {"key": "b", "value": None}], None, []]


def test_a_map_is_an_array_of_keys_and_values_or_its_json() -> None:
    item = column("", "object", properties=(column("key"), column("value", "integer")))
    assert values(run(of("array", items=item), parquet(v=PAIRS)), "v") == LISTS
    texts = values(run(of(), parquet(v=PAIRS)), "v")
    assert [text and json.loads(text) for text in texts] == LISTS


def test_bytes_uuids_and_maps_that_the_contract_does_not_know_are_rescued_whole() -> None:
    data = parquet(
        v=pa.array(["x"]), b=pa.array([b"\xff"]), u=pa.array([ID.bytes], pa.uuid()), m=PAIRS.slice(0, 1)
    )
    (rescued,) = values(run(of(), data), "_rescued")
    fields = json.loads(rescued)
    assert (fields["b"], fields["u"], json.loads(fields["m"])) == ("/w==", str(ID), LISTS[0])


@pytest.mark.parametrize(
    ("encoded", "good", "bad"),
    [("base64", "YWJj", "YWJ"), ("hex", "00fF", "0f0"), ("uuid", str(ID), str(ID)[:-1])],
)
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_text_that_is_not_in_the_form_rejects_its_row(
    format: str, encoded: str, good: str, bad: str
) -> None:
    rules = contract(column("v", encoded=encoded), format=format)
    data = f"v\n{good}\n{bad}\n" if format == "csv" else f'{{"v":"{good}"}}\n{{"v":"{bad}"}}\n'
    result = run(rules, data.encode())
    assert values(result, "v") == [good]
    assert [reasons for _, reasons in codes(result)] == [["type"]]
