"""The workflow's first job: pin the snapshot, read it through the company's role, cut it by time."""

import os
from collections.abc import Sequence
from typing import Any

import boto3
import polars as pl

from causeway.flow.parameters import from_environment
from ml.data import check, labelled, pin, windows
from ml.jobs import Job, told
from ml.parameters import PrepareParameters
from ml.predict import pinned_spec
from ml.spec import Spec
from partner_kit.errors import KitError, advised
from partner_kit.snapshots import snapshot_of
from partner_kit.tables import open_table, select, take_role

LINEAGE = ("_source", "_contract")


def prepare(job: Job) -> None:
    """Write the training set and its pin. Raises KitError, TrainingSetError, SpecError."""
    asked, spec = from_environment(PrepareParameters, os.environ), job.spec
    wanted = int(asked.snapshot) if asked.snapshot else None
    champion, before = job.champion()
    also = pinned_spec(before).inputs() if before else []
    rows, snapshots = read_rows(company_session(asked), asked.database, spec, wanted, also)
    once = labelled(spec, rows)
    job.progress(
        f"{rows.height} rows of snapshot {snapshots[spec.dataset]}; {once.height} have a label, once each"
    )
    sets = windows(spec, once, before)
    made: dict[str, Any] = {
        **pin(spec, rows, once.height, sets, before),
        "snapshot": snapshots[spec.dataset],
        "snapshots": snapshots,
        "code": job.parameters.code,
        "run": job.run.run,
        "champion": champion and champion["run"],
        "spec": spec.model_dump(),
    }
    if not champion or sets["holdout"].rows.height:  # without new rows nothing is trained, which is no error
        check(sets)
    for name, one in sets.items():
        one.write(job.folder / "processing" / "output", name)
    job.store.put(job.run.pin, made)
    job.progress(told({name: one.rows.height for name, one in sets.items()}))


def company_session(asked: PrepareParameters) -> boto3.Session:
    """The company's role. Raises KitError."""
    region = str(boto3.Session().region_name)
    return take_role(asked.company_role, asked.external_id, region, asked.source_identity or None)


def read_rows(
    session: boto3.Session, database: str, spec: Spec, wanted: int | None, also: Sequence[str] = ()
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The dataset's rows with what is joined to them, and each dataset's snapshot.

    `also`: columns that are read where they are, for the model in use may have needed others.
    """
    table = open_table(session, database, spec.dataset)
    snapshot = _snapshot(table, spec.dataset, wanted)
    joined = {join.dataset: open_table(session, database, join.dataset) for join in spec.joins}
    names = {one: list(t.schema().column_names) for one, t in {spec.dataset: table, **joined}.items()}
    spec.check_columns(name for its in names.values() for name in its)
    snapshots, wanted_columns = {spec.dataset: str(snapshot)}, [*spec.columns(), *also]
    own = [column for column in wanted_columns if column in names[spec.dataset]]
    rows = _rows(table, [*own, *LINEAGE], snapshot)
    for join in spec.joins:
        other = joined[join.dataset]
        newest = _snapshot(other, join.dataset)
        snapshots[join.dataset] = str(newest)
        more = [column for column in wanted_columns if column not in own and column in names[join.dataset]]
        looked_up = _rows(other, [*join.on, *more], newest).unique(join.on, keep="first", maintain_order=True)
        rows = rows.join(looked_up, on=join.on, how="left")
    return rows, snapshots


def _snapshot(table: Any, dataset: str, wanted: int | None = None) -> int:
    """The id of that snapshot, or of the newest. Raises KitError if there is none."""
    if (found := snapshot_of(table, wanted)) is None:
        raise KitError(f"{dataset} has no snapshot", "nothing has landed yet", "train when something has")
    return found.snapshot_id


def _rows(table: Any, columns: list[str], snapshot: int) -> pl.DataFrame:
    scan = select(table, ",".join(dict.fromkeys(columns)), snapshot=snapshot)
    with advised():
        return pl.DataFrame(scan.to_arrow())
