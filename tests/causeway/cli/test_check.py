"""`causeway check` and `causeway infer` on local files."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tempfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causeway.__main__ import main
from causeway.contract.load import load_contract
from causeway.engine.read.stored import BLOCK

ROOT = Path(__file__).parents[3]
FLIGHTS = str(ROOT / "contracts/flights.odcs.yaml")
HEADER = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,"
    "tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n"
)
GOOD = HEADER + "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"
BAD = GOOD + "2013,13,1,517,515,2,830,819,11,UA,x,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "bad one%.csv").write_text(BAD.replace("1545", "1546"))
    (tmp_path / "cut.csv").write_bytes(gzip.compress(GOOD.encode())[:-5])
    return tmp_path


def test_a_clean_file_exits_with_0(landing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", FLIGHTS, str(landing / "good.csv")]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Done. FILES=1 ROWS=1 CURATED=1 REJECTED=0")


def test_json_is_one_object_and_rejected_rows_exit_with_1(
    landing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(landing / name) for name in ("good.csv", "bad one%.csv", "cut.csv")]
    assert main(["check", FLIGHTS, *paths, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["rows_in"], report["rows_curated"], report["rows_quarantined"]) == (3, 2, 1)
    assert report["reasons"] == {"compression": 1, "maximum": 1, "type": 1}
    assert report["seconds"] > 0


def test_out_holds_the_curated_and_the_rejected_rows(landing: Path) -> None:
    out = landing / "out"
    assert main(["check", FLIGHTS, str(landing / "bad one%.csv"), "--out", str(out)]) == 1
    (file,) = (out / "curated").rglob("*.parquet")
    assert file.parent.name == "time_hour_month=2013-01"
    assert pq.read_metadata(file).num_rows == 1
    (quarantined,) = pq.read_table(out / "quarantine").to_pylist()
    assert [fault["code"] for fault in quarantined["faults"]] == ["maximum", "type"]


def test_a_person_sees_an_example_of_each_reason(landing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", FLIGHTS, str(landing / "bad one%.csv")])
    out = capsys.readouterr().out
    assert "bad one%.csv:3 flight: 'x' is not a 32-bit integer" in out
    assert "A row counts once for each of its faults" in out  # the one row has two


KEYED = """
apiVersion: v3.1.0
kind: DataContract
id: x
version: 1.0.0
schema:
- name: orders
  customProperties: [{property: duplicates, value: DUPLICATES}]
  properties:
  - {name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}
  - {name: side, logicalType: string, partitioned: true}
  - {name: note, logicalType: string}
"""


@pytest.mark.parametrize(("duplicates", "kept"), [("reject", []), ("last", ["last"])])
def test_a_key_that_two_blocks_share_is_found_as_the_job_finds_it(
    duplicates: str, kept: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, data, out = tmp_path / "orders.odcs.yaml", tmp_path / "orders.csv", tmp_path / "out"
    contract.write_text(KEYED.replace("DUPLICATES", duplicates))
    long = "x" * 1000
    rows = ["-1,left,first", *(f"{n},right,{long}" for n in range(2 * BLOCK // len(long))), "-1,left,last"]
    data.write_text("\n".join(["id,side,note", *rows, ""]))
    assert main(["check", str(contract), str(data), "--json", "--out", str(out)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["rows_in"] == len(rows) == report["rows_curated"] + report["rows_quarantined"]
    assert report["reasons"] == {"duplicate_key": 2 - len(kept)}
    curated = pq.read_table(out / "curated", partitioning=None)
    assert curated.num_rows == report["rows_curated"]
    assert curated.filter(pc.equal(curated["id"], -1))["note"].to_pylist() == kept
    assert pq.read_table(out / "quarantine").num_rows == report["rows_quarantined"]


@pytest.mark.parametrize("arguments", [["check", "no.odcs.yaml", "x"], ["check", FLIGHTS, "no such file"]])
def test_wrong_usage_is_one_line_and_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_drafted_contract_accepts_the_file_it_was_drafted_from(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pl.DataFrame(
        {
            "Order ID": range(100),
            "amount": [i / 4 for i in range(100)],
            "code": [f"{i:05}" for i in range(100)],
            "day": ["2024-01-31"] * 99 + [None],
            "paid": [True, False] * 50,
            "status": ["new", "sent"] * 50,
        }
    )
    path = tmp_path / f"orders.{kind}"
    getattr(frame, {"csv": "write_csv", "jsonl": "write_ndjson", "parquet": "write_parquet"}[kind])(path)
    assert main(["infer", str(path)]) == 0
    draft = tmp_path / "orders.odcs.yaml"
    draft.write_text(capsys.readouterr().out)
    assert main(["check", str(draft), str(path)]) == 0
    text = draft.read_text()
    assert "physicalName: Order ID" in text
    assert "- value: sent" in text


@pytest.mark.parametrize("rows", [1, 5], ids=["many row groups", "one"])
def test_a_contract_drafted_from_parquet_accepts_it_whatever_its_types(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: int
) -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5)
    columns = {
        "text": ["a", None, "c", "dddd", "e"],
        "code": pa.array(["a", "b", "a", "b", "c"]).dictionary_encode(),
        "whole": [3, 1, 2, 9, -5],
        "real": [0.5, None, 3.5, -1e300, 2.0],
        "money": pa.array(
            [Decimal("1.50"), Decimal("-2.25"), None, Decimal(0), Decimal(9)], pa.decimal128(9, 2)
        ),
        "yes": [True, False, None, True, True],
        "day": [moment.date()] * 5,
        "time": [moment.time()] * 5,
        "local": [moment] * 5,
        "instant": pa.array([moment] * 5, pa.timestamp("ns", "Europe/Berlin")),
        "took": [timedelta(hours=1), None, timedelta(0), timedelta(1), timedelta(1)],
        "tags": [["x"], [], None, ["y", None], ["z"]],
        "place": [{"lat": 1.5, "seen": [moment]}] * 5,
    }
    path = tmp_path / "made by others.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=rows)
    assert main(["infer", str(path)]) == 0
    (tmp_path / "draft.yaml").write_text(capsys.readouterr().out)
    assert main(["check", str(tmp_path / "draft.yaml"), str(path)]) == 0, capsys.readouterr().out


def test_arrays_and_objects_of_json_lines_are_drafted_with_their_parts_where_all_are_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "orders.jsonl"
    lines = [{"id": n, "lines": [{"sku": "x", "price": n / 2}], "odd": [n, {}][n % 2 :]} for n in range(4)]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert main(["infer", str(path)]) == 0
    draft = tmp_path / "draft.yaml"
    draft.write_text(capsys.readouterr().out)
    assert main(["check", str(draft), str(path)]) == 0
    kinds = {column.name: column.arrow_type() for column in load_contract(draft).columns}
    assert kinds == {
        "id": pa.int64(),
        "lines": pa.list_(pa.struct([("sku", pa.string()), ("price", pa.float64())])),
        "odd": pa.string(),
    }


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_fields_called_alike_oddly_or_nothing_get_names_that_a_contract_may_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    inside = {"Q": 1.5, "q": 2.5, "_y": 3.5}
    row = {
        "ID": 1,
        "id": 2,
        "_x": 3,
        "Ü b": "u",
        "": 5,
        "id_2": 6,
        **({"in": inside} if format != "csv" else {}),
    }
    path = tmp_path / f"odd.{format}"
    if format == "csv":
        pl.DataFrame([row]).write_csv(path)
    elif format == "jsonl":
        path.write_text(json.dumps(row))
    else:
        pq.write_table(pa.table({name: [value] for name, value in row.items()}), path)
    assert main(["infer", str(path)]) == 0
    draft, out = tmp_path / "draft.yaml", tmp_path / "out"
    draft.write_text(capsys.readouterr().out)
    assert main(["check", str(draft), str(path), "--out", str(out)]) == 0
    fields = {column.field: column.name for column in load_contract(draft).columns}
    assert set(fields) == set(row)
    (curated,) = (pq.read_table(file).to_pylist()[0] for file in out.rglob("curated/**/*.parquet"))
    assert [curated[name] for field, name in fields.items() if field != "in"] == [1, 2, 3, "u", 5, 6]
    assert format == "csv" or list(curated[fields["in"]].values()) == [1.5, 2.5, 3.5]


@pytest.mark.parametrize(
    "data",
    [b"", b"PAR1 and no more", b"\n\n", b"a\rb,c\n1,2\n", b"\xff\xfe,b\n1,2\n", b"\x1f\x8b\x08\x00", b"{}"],
)
def test_infer_says_in_a_line_why_it_can_draft_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    path = tmp_path / "sample"
    path.write_bytes(data)
    assert main(["infer", str(path)]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert str(path) in err


def drafted(path: Path, capsys: pytest.CaptureFixture[str], *more: Path) -> tuple[str, dict[str, str]]:
    """The draft, and the logical type of each of its columns."""
    assert main(["infer", str(path), *map(str, more)]) == 0
    text = capsys.readouterr().out
    draft = path.parent / "draft.odcs.yaml"
    draft.write_text(text)
    assert main(["check", str(draft), str(path), *map(str, more)]) == 0
    capsys.readouterr()
    return text, {column.name: column.type for column in load_contract(draft).columns}


def test_a_draft_takes_no_text_for_null_and_says_which_may_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cities.csv"
    path.write_text("city,country,delay\nWindhoek,NA,3\nOslo,NO,NA\n")
    text, kinds = drafted(path, capsys)
    assert kinds == {"city": "string", "country": "string", "delay": "string"}
    assert "# country: 'NA' (1 times) may mean null; if so, add it to nullValues\n" in text
    assert (
        "# delay: 'NA' (1 times) may mean null; if so, add it to nullValues, and make it logicalType: int"
        in text
    )


@given(
    st.lists(
        st.sampled_from(
            ["1", "-1", "0", "01", "1.0", "1.50", "2.25", "1e5", "+3", "9" * 19, "1" * 25, "-0", ".5"]
        )
        | st.sampled_from(
            ["true", "TRUE", "2024-01-31", "2024-1-31", "24-01-31", "10:00", "10:00:00", "a", "x y"]
        )
        | st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_every_cell_of_a_sample_reads_back_to_its_own_text(texts: list[str], as_json: bool) -> None:
    """Whatever type a draft gives a column: the curated value, written plainly, is what the file had."""
    with tempfile.TemporaryDirectory() as folder:
        path, draft, out = (
            Path(folder, "s.jsonl" if as_json else "s.csv"),
            Path(folder, "d.yaml"),
            Path(folder, "o"),
        )
        lines = [json.dumps({"v": text}) for text in texts] if as_json else ["v", *texts]
        path.write_text("\n".join([*lines, ""]))
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            assert main(["infer", str(path)]) == 0
        draft.write_text(printed.getvalue())
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(["check", str(draft), str(path), "--out", str(out)]) == 0
        (column,) = load_contract(draft).columns
        (file,) = (out / "curated").rglob("*.parquet")
        values = pq.read_table(file)["v"].to_pylist()
    assert not as_json or column.type == "string"
    assert [plain(value) for value in values] == texts


def plain(value: object) -> str:
    """The value as a person writes it: 1 for the float 1.0, true for True."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def test_a_column_that_only_a_later_file_has_is_drafted_and_optional(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "jan.csv").write_text("id,amt\n1,2.5\n")
    (tmp_path / "feb.csv").write_text("id,amt,note\n2,3.5,x\n")
    _, kinds = drafted(tmp_path / "jan.csv", capsys, tmp_path / "feb.csv")
    assert kinds == {"id": "integer", "amt": "number", "note": "string"}


def test_a_header_with_a_line_end_in_quotes_is_drafted_as_it_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "h.csv").write_text('"a\nb",c,,\n1,2,,\n')
    _, kinds = drafted(tmp_path / "h.csv", capsys)
    assert kinds == {"a_b": "integer", "c": "integer"}


def test_what_a_file_holds_steers_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, data = tmp_path / "c.odcs.yaml", tmp_path / "c.csv"
    contract.write_text(KEYED.replace("DUPLICATES", "reject"))
    data.write_text("id,side\n\x1b[31m1,\x1b]0;x\x07\n")
    assert main(["check", str(contract), str(data)]) == 1
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\\x1b[31m1" in shown
