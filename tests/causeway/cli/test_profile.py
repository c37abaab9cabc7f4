"""`causeway profile` on local files; on a table, tests/local has it."""

import json
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from causeway.__main__ import main
from causeway.cli.output import show
from causeway.cli.profile import _text
from causeway.engine.profile.table import Rows, profile
from causeway.pages.profile import profile_page

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: trips
version: 1.0.0
schema:
  - name: trips
    customProperties: [{property: format, value: csv}, {property: nullValues, value: [""]}]
    properties:
      - {name: id, logicalType: integer, customProperties: [{property: measure, value: identifier}]}
      - {name: city, logicalType: string}
      - {name: km, logicalType: number}
      - {name: price, logicalType: number, logicalTypeOptions: {minimum: 0}}
      - {name: mail, logicalType: string, classification: restricted}
"""
ROWS = "id,city,km,price,mail\n" + "".join(
    f"{n},{'Oslo' if n % 2 else 'Rome'},{n},{-1 if n == 7 else n * n},p{n}@x.org\n" for n in range(1, 21)
)


@pytest.fixture
def trips(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "trips.odcs.yaml").write_text(CONTRACT)
    (tmp_path / "trips.csv").write_text(ROWS)
    return str(tmp_path / "trips.csv"), str(tmp_path / "trips.odcs.yaml")


def test_files_are_profiled_as_their_contract_lets_them_through(
    trips: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    file, contract = trips
    assert main(["profile", file, "--contract", contract, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["dataset"], document["rows"], document["rows_rejected"]) == ("trips", 19, 1)
    assert document["columns"]["km"]["mean"] == pytest.approx((210 - 7) / 19)
    assert document["columns"].keys() == {"id", "city", "km", "price", "_rescued"}
    strongest = document["associations"][0]
    assert {strongest["x"], strongest["y"], strongest["spearman"]} == {"km", "price", 1.0}


def test_a_person_sees_columns_associations_and_what_was_rejected(
    trips: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    file, contract = trips
    assert main(["profile", file, "--contract", contract]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "trips 1.0.0: 19 rows"
    assert any(line.split()[:3] == ["city", "category", "2"] for line in lines)
    assert any("The strongest of 3 associations" in line for line in lines)
    assert "1 rows are rejected by the contract, and in no number here." in lines


def test_values_of_personal_columns_are_in_no_profile(
    trips: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    file, contract = trips
    for options in ([], ["--json"]):
        main(["profile", file, "--contract", contract, *options])
        assert "@x.org" not in capsys.readouterr().out


def test_a_file_without_a_good_row_has_a_profile_of_none(
    trips: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, contract = trips
    (tmp_path / "bad.csv").write_text("id,city,km,price,mail\nx,,,,\n")
    assert main(["profile", str(tmp_path / "bad.csv"), "--contract", contract, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["rows"], document["rows_rejected"], document["associations"]) == (0, 1, [])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["a.csv", "b.csv"], "one dataset, or files with --contract"),
        (
            ["{file}", "--contract", "{contract}", "--snapshot", "1"],
            "--snapshot and --against go with a dataset",
        ),
        (["nowhere.csv", "--contract", "{contract}"], "nowhere.csv: no such file"),
    ],
)
def test_a_mistake_is_one_line(
    trips: tuple[str, str], capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    file, contract = trips
    assert main(["profile", *(a.format(file=file, contract=contract) for a in arguments)]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1


class Page(HTMLParser):
    """Its texts, and whatever it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.fetched: list[str] = []
        self.titles: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href", "srcset")]
        self.titles += [str(value) for name, value in attrs if name == "title"]
        self.fetched += [tag] * (tag in ("link", "iframe", "img"))


def test_the_page_has_every_column_and_pair_and_fetches_nothing(
    trips: tuple[str, str], tmp_path: Path
) -> None:
    file, contract = trips
    html = tmp_path / "trips.html"
    assert main(["profile", file, "--contract", contract, "--html", str(html)]) == 0
    page = Page()
    page.feed(html.read_text())
    assert page.fetched == []
    assert {"Profile of trips", "19", "id", "city", "km", "price", "_rescued"} <= set(page.texts)
    assert any(title.startswith("km and price: 1.000 (quantity-quantity, r ") for title in page.titles)
    assert "url(" not in html.read_text()


def test_a_page_obeys_no_text_of_a_file(trips: tuple[str, str], tmp_path: Path) -> None:
    _, contract = trips
    evil = "</script><script>alert(1)</script>"
    rows = "".join(f'{n},"{evil}{n % 2}",{n},{n},\n' for n in range(9))
    (tmp_path / "evil.csv").write_text(f"id,city,km,price,mail\n{rows}")
    html = tmp_path / "evil.html"
    assert main(["profile", str(tmp_path / "evil.csv"), "--contract", contract, "--html", str(html)]) == 0
    text = html.read_text()
    assert "<script>alert" not in text
    assert text.count("<script") == 1


def test_a_page_and_a_terminal_say_what_changed(capsys: pytest.CaptureFixture[str]) -> None:
    before, now = (pl.DataFrame({"city": list(cities)}) for cities in ("aabb", "aac\x1b"))
    measures = {"city": "category"}
    reference = Rows([before], lambda part: [part], lambda _: 0).count(measures)
    document = profile(Rows([now], lambda part: [part], lambda _: 0), measures, reference)
    document |= {"dataset": "trips", "contract": "1.0.0", "snapshot": 2, "against": 1}
    page = Page()
    page.feed(profile_page(document))
    assert {"What changed since snapshot 1", "2: \x1b, c", "1: b", "much differently distributed"} <= set(
        page.texts
    )
    show(*_text(document, None))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    (line,) = [line for line in out.splitlines() if "much differently" in line]
    assert line.split()[:2] == ["city", f"{document['drift']['city']['psi']:.3f}"]


def test_a_file_that_cannot_be_read_needs_a_person(trips: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_bytes(b"\xff")
    file, contract = trips
    assert main(["profile", file, str(tmp_path / "broken.csv"), "--contract", contract]) == 1
