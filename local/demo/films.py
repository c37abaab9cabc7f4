"""The demo's films: three datasets with relations, made of one real list; its dirt is kept."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import polars as pl

from local.demo.story import File

FILMS = Path(__file__).parent / "data" / "films-1940s.jsonl.gz"


def film_files() -> list[File]:
    """Films, the people in them, and who played where."""
    lines = gzip.decompress(FILMS.read_bytes()).decode().splitlines(keepends=True)
    films = [json.loads(line) for line in lines]
    castings = pl.DataFrame(_castings(films), schema={"film": str, "person": str, "position": pl.Int64})
    first = pl.DataFrame(
        [(person, film["year"]) for film in films for person in film["cast"]],
        schema=["person", "year"],
        orient="row",
    )
    people = first.group_by("person").agg(first_year=pl.col("year").min()).sort("person")
    # The cast is a dataset of its own.
    without_cast = [{key: value for key, value in film.items() if key != "cast"} for film in films]
    text = "".join(json.dumps(film, ensure_ascii=False) + "\n" for film in without_cast)
    sink = io.BytesIO()
    castings.write_parquet(sink)
    return [
        File("landing/castings/1940s.parquet", sink.getvalue(), castings.height),
        File("landing/films/1940s.jsonl", text.encode(), len(films)),
        File("landing/people/1940s.csv", people.write_csv().encode(), people.height),
    ]


def _castings(films: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"film": film["href"], "person": person, "position": position}
        for film in films
        for position, person in enumerate(film["cast"], 1)
    ]
