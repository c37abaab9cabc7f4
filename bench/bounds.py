# ruff: noqa: PLC0415 - each engine imports only what it needs
"""What no engine can go below: reading the input, and encoding the output from rows already in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

BLOCK = 16 << 20


def read(_: Any, path: Path, out: Path, format: str) -> None:
    """Every byte, once, into the same buffer."""
    buffer = bytearray(BLOCK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def rows_in_memory(path: Path, format: str) -> Any:
    from bench.peers import polars_flagged

    frame = polars_flagged(path, format).collect().rechunk()
    return frame.filter("ok").drop("ok"), frame.filter(~frame["ok"]).drop("ok")


def encode(rows: Any, path: Path, out: Path, format: str) -> tuple[int, int]:
    """Arrow in memory to Parquet, with the writer and the settings of the curated table."""
    from causeway.engine.write import LEVEL, ROW_GROUP

    for name, frame in zip(("good", "bad"), rows, strict=True):
        frame.write_parquet(
            out / f"{name}.parquet", compression="zstd", compression_level=LEVEL, row_group_size=ROW_GROUP
        )
    return rows[0].height, rows[1].height
