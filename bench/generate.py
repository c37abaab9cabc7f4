"""Seeded input: orders of 15 mixed columns, one row in a hundred broken in one of four ways."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl

COUNTRIES = ["DE", "FR", "US", "JP", "BR"]
STATUSES = ["new", "paid", "shipped", "returned"]
WORDS = [
    "alpha",
    "Bravo Ltd",
    "São Paulo",
    "naïve, quoted",
    "delta corp",
    "Ωmega",
    "hotel",
    "plain text of some length",
]
COLUMNS = [
    "order_id", "customer", "email", "country", "status", "quantity", "unit_price", "discount", "weight",
    "priority", "order_date", "created_at", "city", "note", "score",
]  # fmt: skip
CHUNK = 200_000
BYTES_A_ROW = {"csv": 142, "jsonl": 314}


def generate(path: Path, format: str, megabytes: int, seed: int = 7) -> dict[str, int]:
    """Writes the file unless it is there; rows, broken rows and bytes."""
    facts = path.with_name(path.name + ".facts.json")
    if path.exists() and facts.exists():
        return dict(json.loads(facts.read_text()))
    rows = megabytes * 1_000_000 // BYTES_A_ROW[format]
    bad = 0
    with path.open("wb") as file:
        for first in range(0, rows, CHUNK):
            frame, broken = _chunk(first, min(CHUNK, rows - first), np.random.default_rng([seed, first]))
            bad += broken
            if format == "csv":
                file.write(frame.write_csv(include_header=first == 0).encode())
            else:
                numbers = ("order_id", "discount", "weight", "score")
                file.write(
                    frame.with_columns(
                        pl.col(n).cast(pl.Float64 if n in numbers[1:3] else pl.Int64) for n in numbers
                    )
                    .write_ndjson()
                    .encode()
                )
    found = {"rows": rows, "bad": bad, "bytes": path.stat().st_size}
    facts.write_text(json.dumps(found))
    return found


def _chunk(first: int, n: int, rng: np.random.Generator) -> tuple[pl.DataFrame, int]:
    text = pl.String
    missing = pl.Series(rng.random(n))
    kind = pl.Series(np.where(rng.random(n) < 0.01, rng.integers(0, 4, n), -1))
    moment = pl.Series(rng.integers(1_400_000_000, 1_700_000_000, n) * 1000).cast(pl.Datetime("ms"))
    frame = pl.DataFrame(
        {
            "order_id": pl.Series(np.arange(first, first + n) + 10_000_000).cast(text),
            "customer": pl.Series(rng.integers(0, 10**6, n)).cast(text).str.zfill(8),
            "email": pl.Series(rng.integers(0, 10**6, n)).cast(text) + "@example.com",
            "country": rng.choice(COUNTRIES, n),
            "status": rng.choice(STATUSES, n),
            "quantity": pl.Series(rng.integers(1, 100, n)).cast(text),
            "unit_price": (pl.Series(rng.integers(100, 1_000_000, n)).cast(pl.Decimal(12, 2)) / 100)
            .cast(pl.Decimal(12, 2))
            .cast(text),
            "discount": pl.Series(np.round(rng.random(n), 3)).cast(text),
            "weight": pl.Series(rng.random(n) * 100).cast(text),
            "priority": rng.choice(["true", "false"], n),
            "order_date": pl.Series(rng.integers(15_000, 20_000, n)).cast(pl.Int32).cast(pl.Date).cast(text),
            "created_at": moment.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "city": rng.choice(WORDS, n),
            "note": rng.choice(WORDS, n),
            "score": pl.Series(rng.integers(0, 1000, n)).cast(text),
        }
    )
    broken = {"quantity": "many", "country": "XX", "created_at": "yesterday", "email": None}
    frame = frame.with_columns(
        *(
            pl.when(kind == i).then(pl.lit(v)).otherwise(c).alias(c)
            for i, (c, v) in enumerate(broken.items())
        ),
        discount=pl.when(missing < 0.3).then(None).otherwise("discount"),
        score=pl.when(missing > 0.9).then(None).otherwise("score"),
    )
    return frame.select(COLUMNS), int((kind >= 0).sum())
