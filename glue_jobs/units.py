"""What one task curates: whole objects, a handful of small ones, or (later) byte ranges of a large one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from causeway.contract import Contract
from glue_jobs.engine import Curated, curate
from glue_jobs.model import Piece

Fetch = Callable[[str, str, int, int], bytes]
TARGET_BYTES = 64 << 20


@dataclass(frozen=True)
class SourceObject:
    source: str
    version: str
    size: int


@dataclass(frozen=True)
class Slice:
    source: str
    version: str
    start: int
    stop: int
    size: int  # of the whole object


@dataclass(frozen=True)
class Unit:
    slices: tuple[Slice, ...]


def plan_units(
    objects: Sequence[SourceObject], contract: Contract, *, target_bytes: int = TARGET_BYTES
) -> list[Unit]:
    """Objects in their order, as many to a unit as fit into target_bytes."""
    units: list[Unit] = []
    slices: list[Slice] = []
    room = target_bytes
    for item in objects:
        if slices and item.size > room:
            units.append(Unit(tuple(slices)))
            slices, room = [], target_bytes
        slices.append(Slice(item.source, item.version, 0, item.size, item.size))
        room -= item.size
    return [*units, Unit(tuple(slices))] if slices else units


def curate_unit(contract: Contract, unit: Unit, fetch: Fetch, *, batch: str, committed_at: datetime) -> Curated:
    pieces = [Piece(s.source, s.version, fetch(s.source, s.version, s.start, s.stop)) for s in unit.slices]
    return curate(contract, pieces, batch=batch, committed_at=committed_at)
