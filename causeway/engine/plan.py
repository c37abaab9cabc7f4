"""What one task curates: whole objects, a handful of small ones, or byte ranges of a large one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from causeway.contract.model import Contract
from causeway.engine.model import Slice
from causeway.engine.read.stored import is_utf8
from causeway.flow.manifest import SourceVersion

MIN_BYTES, MAX_BYTES = 32 << 20, 128 << 20  # of a unit: below, a task's own cost counts; above, its memory


@dataclass(frozen=True)
class Unit:
    slices: tuple[Slice, ...]


def target_bytes(objects: Iterable[SourceVersion], slots: int) -> int:
    """The size of units that keep so many slots busy to the end: as many units as slots, or a multiple."""
    size = sum(item.size for item in objects)
    rounds = -(-size // (slots * MAX_BYTES))
    return max(MIN_BYTES, -(-size // max(rounds * slots, 1)))


def plan_units(
    objects: Sequence[SourceVersion],
    contract: Contract,
    *,
    target_bytes: int = MAX_BYTES,
    split: bool = False,
) -> list[Unit]:
    """Objects in their order, as many to a unit as fit into target_bytes; with `split`, large ones in ranges.

    Whoever splits must look at `torn_sources` afterwards, and curate those again unsplit.
    """
    units: list[Unit] = []
    slices: list[Slice] = []
    room = target_bytes
    for item in objects:
        for piece in _slices(item, contract, target_bytes if split else max(item.size, 1)):
            if slices and piece.stop - piece.start > room:
                units.append(Unit(tuple(slices)))
                slices, room = [], target_bytes
            slices.append(piece)
            room -= piece.stop - piece.start
    return [*units, Unit(tuple(slices))] if slices else units


def _slices(item: SourceVersion, contract: Contract, target: int) -> Iterator[Slice]:
    whole = contract.skip_footer or contract.escape or not is_utf8(contract.encoding)
    count = 1 if whole and contract.format != "parquet" else -(-item.size // target)
    edges = [item.size * i // max(count, 1) for i in range(max(count, 1) + 1)]
    for start, stop in pairwise(edges):
        yield Slice(item.source, item.version, start, stop, item.size)
