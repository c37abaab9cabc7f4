"""What a contract says of a profile's numbers: in JSON, on a terminal and on a page."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from causeway.__main__ import main

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: trips
version: 1.0.0
schema:
  - name: trips
    properties:
      - name: city
        logicalType: string
        quality: [{metric: nullValues, unit: percent, mustBeLessOrEqualTo: 50}]
      - name: km
        logicalType: number
        quality:
          - name: "short\\e[2J <b>trips</b>"
            type: sql
            query: SELECT AVG({property}) FROM {object}
            mustBeLessThan: 2
            severity: error
          - {type: sql, query: "SELECT STDDEV({property}) FROM {object}", mustBeLessThan: 9}
    quality: [{metric: rowCount, mustBeGreaterThan: 1000}]
"""
BARE = CONTRACT.split("      - name: city", maxsplit=1)[0] + "      - {name: city, logicalType: string}\n"


@pytest.fixture
def trips(tmp_path: Path) -> list[str]:
    (tmp_path / "trips.odcs.yaml").write_text(CONTRACT)
    (tmp_path / "trips.csv").write_text("city,km\nOslo,3\n")
    return ["profile", str(tmp_path / "trips.csv"), "--contract", str(tmp_path / "trips.odcs.yaml")]


def test_a_document_says_of_each_bound_whether_it_holds(
    trips: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*trips, "--json"]) == 1  # for the one of severity error does not hold
    quality = json.loads(capsys.readouterr().out)["quality"]
    assert [(one["metric"], one["severity"], one["holds"]) for one in quality] == [
        ("rowCount", "warning", False),
        ("nullValues", "warning", True),
        ("mean", "error", False),
        ("deviation", "warning", None),
    ]


def test_a_person_sees_broken_bounds_first_errors_before_warnings_and_nothing_that_a_terminal_obeys(
    trips: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(trips) == 1
    out = capsys.readouterr().out
    section = out.split("What the contract says of these numbers\n")[1].split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in section[1:5]] == ["short\\x1b[2J", "rowCount", "STDDEV", "nullValues"]
    assert "more than 1,000 rows" in section[2]
    assert "one value has no deviation" in section[3]
    assert "\x1b" not in out


class Rows(HTMLParser):
    """The cells of each row of a table."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def test_the_page_lists_broken_bounds_first_and_obeys_no_name(trips: list[str], tmp_path: Path) -> None:
    html = tmp_path / "trips.html"
    assert main([*trips, "--html", str(html)]) == 1
    page = Rows()
    page.feed(html.read_text())
    listed = [row for row in page.rows if len(row) == 8 and row[5] in ("broken", "open", "holds")]
    assert listed[1] == ["rowCount", "", "rows", "1", "more than 1,000 rows", "broken", "warning", ""]
    assert [row[5] for row in listed] == ["broken", "broken", "open", "holds"]
    assert [row[6] for row in listed] == ["error", "warning", "warning", "warning"]
    assert "<b>" not in html.read_text()
    assert "bounds broken" in html.read_text()


def test_a_contract_without_bounds_has_no_word_of_them(
    trips: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trips.odcs.yaml").write_text(BARE)
    html = tmp_path / "trips.html"
    assert main([*trips, "--html", str(html)]) == 0
    assert "contract says" not in capsys.readouterr().out + html.read_text()
    main([*trips, "--json"])
    assert "quality" not in json.loads(capsys.readouterr().out)
