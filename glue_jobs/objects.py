"""The objects of a batch, curated unit by unit; and what one unit cannot see of another is settled."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow.parquet as pq
from pyiceberg.io import OutputFile, load_file_io

from causeway.contract.model import Contract
from causeway.engine.model import unread
from causeway.engine.plan import Unit, plan_units, target_bytes
from causeway.engine.settle import number_lines, settle_keys, torn_sources
from causeway.engine.unit import UnitResult
from causeway.engine.write import FieldIds, parquet
from causeway.flow.codes import Code
from causeway.flow.manifest import POISON, Manifest, SourceVersion
from glue_jobs.tasks import Distribute

DIED = (
    "a job that curates this object alone failed twice, the first time of {}; "
    "to try it again, land it anew or run: causeway replay landing/{}/ --quarantined"
)


def curate_objects(
    objects: Sequence[SourceVersion],
    manifest: Manifest,
    contract: Contract,
    *,
    quarantine: str,
    file_io: Mapping[str, Any],
    distribute: Distribute,
    slots: int,
    ids: FieldIds,
) -> list[UnitResult]:
    """Curate every object; the versions that the manifest calls poison are quarantined unread.

    `quarantine`: URI of the folder of rejected rows' files, which pyiceberg opens with `file_io`.
    """
    poison = {}
    for listed in manifest.sources:
        kind, _, deaths = listed.hint.partition(":")
        if f"{kind}:" == POISON:  # without deaths, as a split of an earlier deployment wrote it
            poison[listed.source, listed.version] = deaths or "unknown"
    killing = {
        item: DIED.format(poison[item.source, item.version], manifest.dataset)
        for item in objects
        if (item.source, item.version) in poison
    }
    readable = [item for item in objects if item not in killing]
    plan = partial(plan_units, contract=contract, target_bytes=target_bytes(readable, slots))
    units = dict(enumerate(plan(readable, split=True)))
    curate = partial(distribute, ids=ids)
    results = dict(curate(units, {}))
    if torn := torn_sources(count for result in results.values() for count in result.counts):
        # A quoted newline crosses an edge: those objects cannot be cut.
        whole = [item for item in readable if (item.source, item.version) in torn]
        rest = [item for item in readable if item not in whole]
        # Other numbers, for files are named by them and those of the first round may be there.
        units = dict(enumerate(plan(rest, split=True) + plan(whole), start=len(units)))
        results = dict(curate(units, {}))
    settle_keys(units, results, contract, curate)
    _number_lines(units, results, file_io)
    ordered = [results[n] for n in sorted(results)]
    if killing:
        uri = f"{quarantine}/{uuid.uuid4()}.parquet"
        place = load_file_io(dict(file_io), uri).new_output(uri)
        ordered.append(_quarantine_unread(killing, manifest, contract, place, ids=ids))
    return ordered


def _number_lines(
    units: Mapping[int, Unit], results: Mapping[int, UnitResult], file_io: Mapping[str, Any]
) -> None:
    """Rejected rows of objects that were cut: their lines become lines of the object."""
    counts = [count for result in results.values() for count in result.counts]
    for n, unit in units.items():
        if all(piece.whole for piece in unit.slices):
            continue
        for uri in results[n].rejected_files:
            files = load_file_io(dict(file_io), uri)
            with files.new_input(uri).open() as stored:
                rejected = pq.read_table(stored)
            with files.new_output(uri).create(overwrite=True) as numbered:
                numbered.write(parquet(number_lines(rejected, counts)))


def _quarantine_unread(
    killing: Mapping[SourceVersion, str],
    manifest: Manifest,
    contract: Contract,
    place: OutputFile,
    *,
    ids: FieldIds,
) -> UnitResult:
    counts, rejected = unread(
        killing,
        code=Code.KILLS_JOB,
        contract=contract.version,
        batch=manifest.batch,
        committed_at=datetime.now(UTC),
    )
    with place.create() as stored:
        stored.write(parquet(rejected, ids.rejected))
    return UnitResult(list(counts), rejected_files=[place.location])
