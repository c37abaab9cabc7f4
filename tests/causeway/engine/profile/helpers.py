"""Profiles of frames, and the same numbers by pandas and scipy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import polars as pl

from causeway.engine.profile.measures import CATEGORY, FLAG, NESTED, QUANTITY
from causeway.engine.profile.table import Rows, profile

SCHEMA = Path(__file__).parents[4] / "docs" / "profile.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def profiled(frame: pl.DataFrame, parts: int = 1, **measures: str) -> dict[str, Any]:
    """A frame's profile, as JSON has it; made in so many parts."""
    every = {name: measure_of(dtype) for name, dtype in frame.schema.items()} | measures
    document = profile(Rows(range(parts), lambda n: [frame[n::parts]], int), every)
    read: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    VALIDATOR.validate(read)
    return read


def measure_of(dtype: pl.DataType) -> str:
    if dtype.is_nested():
        return NESTED
    return FLAG if dtype == pl.Boolean else CATEGORY if dtype in (pl.String, pl.Binary) else QUANTITY


def pairs(document: dict[str, Any]) -> dict[frozenset[str], dict[str, Any]]:
    return {frozenset((pair["x"], pair["y"])): pair for pair in document["associations"]}
