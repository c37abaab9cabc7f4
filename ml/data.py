"""A training set: rows of a pinned snapshot, each once, cut by time."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from ml.features import column_names, table
from ml.judge import drift
from ml.spec import Spec

FIRST = (0.6, 0.8)  # of the first model's rows: trained on, and chosen on; the rest is the holdout
WINDOWS = ("train", "validate", "holdout")
LABEL = "_label"
BOTH = 2  # classes


class TrainingSetError(ValueError):
    """Rows that no model can be trained on; the message says why, and what to do."""


@dataclass(frozen=True)
class Set:
    """Rows of one window, with their labels; and their features, a row for each."""

    rows: pl.DataFrame
    table: Any

    @property
    def labels(self) -> Any:
        return self.rows[LABEL].to_numpy().astype(int)

    def where(self, kept: Any) -> "Set":
        """The rows for which a mask says so."""
        return Set(self.rows.filter(pl.Series(kept)), self.table[np.flatnonzero(kept)])

    def write(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rows.write_parquet(folder / f"{name}.parquet")
        sparse.save_npz(folder / f"{name}.npz", self.table)

    @classmethod
    def read(cls, folder: Path, name: str) -> "Set":
        return cls(pl.read_parquet(folder / f"{name}.parquet"), sparse.load_npz(folder / f"{name}.npz"))


Sets = Mapping[str, Set]  # by window, earliest first; they do not overlap


def read_sets(folder: Path) -> Sets:
    return {name: Set.read(folder, name) for name in WINDOWS}


def labelled(spec: Spec, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that have a label and a time, in order, repeats left out; the label is 0 or 1."""
    wanted = pl.col(spec.label.column)
    label = wanted == spec.label.equals if spec.label.equals is not None else wanted > spec.label.above
    kept = rows.with_columns(label.cast(pl.Int8).alias(LABEL)).drop_nulls([LABEL, spec.time])
    kept = kept.sort(spec.time, *spec.key)
    if not spec.repeats:
        return kept
    texts = pl.concat_str(pl.col(spec.repeats).fill_null(""), separator="\n").str.to_lowercase()
    texts = texts.str.replace_all(r"\d+", "0").str.replace_all(r"\s+", " ")
    return kept.with_columns(_text=texts).unique("_text", keep="first", maintain_order=True).drop("_text")


def windows(spec: Spec, rows: pl.DataFrame, champion: Mapping[str, Any] | None) -> Sets:
    """Cut by time. After a first model what is new is the holdout, its holdout validates, the rest trains."""
    when = rows[spec.time]
    if champion is None:
        if not rows.height:
            raise TrainingSetError(f"{spec.dataset} has no row with a label: land some")
        cuts = [when[min(int(rows.height * share), rows.height - 1)] for share in FIRST]
        parts = [when < cuts[0], (when >= cuts[0]) & (when < cuts[1]), when >= cuts[1]]
    else:
        last = [datetime.fromisoformat(champion["windows"][name]["last"]) for name in ("validate", "holdout")]
        parts = [when <= last[0], (when > last[0]) & (when <= last[1]), when > last[1]]
    kept = [_fewer(spec, rows.filter(part)) for part in parts]
    return {name: Set(one, table(spec, one.to_dicts())) for name, one in zip(WINDOWS, kept, strict=True)}


def _fewer(spec: Spec, rows: pl.DataFrame) -> pl.DataFrame:
    """At most so many rows as the model asks for: those whose keys have the lowest hashes."""
    if spec.most_rows is None or rows.height <= spec.most_rows:
        return rows
    keys = [_hash(key) for key in keys_of(spec, rows)]
    lowest = sorted(range(rows.height), key=keys.__getitem__)[: spec.most_rows]
    return rows[sorted(lowest)]


def keys_of(spec: Spec, rows: pl.DataFrame) -> list[str]:
    return ["\x1f".join(map(str, key)) for key in rows.select(spec.key).rows()]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def check(sets: Sets) -> None:
    """Raises TrainingSetError where a window cannot train, choose or certify."""
    for name, one in sets.items():
        classes = one.rows[LABEL].n_unique() if one.rows.height else 0
        if classes < BOTH:
            count = f"{one.rows.height} rows" + (", all of one class" if classes else "")
            raise TrainingSetError(
                f"the {name} window has {count}: both classes are needed; wait for more, or land more"
            )


def pin(
    spec: Spec, rows: pl.DataFrame, labelled_rows: int, sets: Sets, champion: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What a training set was: enough to find the same rows again, and to tell what has changed since."""
    everything = pl.concat([one.rows for one in sets.values()])
    bins = _bins(spec, sparse.vstack([one.table for one in sets.values()], format="csr"))
    return {
        "model": spec.name,
        "dataset": spec.dataset,
        "rows": rows.height,
        "repeated_or_unlabelled": rows.height - labelled_rows,
        "contracts": sorted(rows["_contract"].unique().to_list()),
        "sources": sorted(rows["_source"].unique().to_list()),
        "sha256": _hash("\n".join(keys_of(spec, everything))),
        "until": str(everything[spec.time].max()),
        "windows": {name: _described(spec, one.rows) for name, one in sets.items()},
        "bins": bins,
        "drift": _drift(spec, sets["holdout"].table, champion["bins"] if champion else bins),
    }


def _described(spec: Spec, rows: pl.DataFrame) -> dict[str, Any]:
    when = rows[spec.time]
    ends: list[Any] = [when.min(), when.max()]
    first, last = (value and value.isoformat() for value in ends)
    return {"rows": rows.height, "positives": int(rows[LABEL].sum()), "first": first, "last": last}


def _numbers(spec: Spec, table: Any) -> Iterator[tuple[str, list[float]]]:
    """Of each feature its name and its numbers, missing ones left out."""
    for place, name in enumerate(column_names(spec)):
        column = table[:, [place]].toarray().ravel()
        yield name, column[~np.isnan(column)].tolist()


def _bins(spec: Spec, table: Any) -> dict[str, dict[str, Any]]:
    """Of each feature: where its bins end, and how many rows each has."""
    ends = {name: (drift.edges(numbers), numbers) for name, numbers in _numbers(spec, table)}
    return {name: {"ends": at, "counts": drift.counts(numbers, at)} for name, (at, numbers) in ends.items()}


def _drift(spec: Spec, table: Any, bins: Mapping[str, Any]) -> dict[str, float]:
    """How far each feature of these rows is from those bins."""
    return {
        name: round(drift.stability_index(bins[name]["counts"], drift.counts(numbers, bins[name]["ends"])), 4)
        for name, numbers in _numbers(spec, table)
        if numbers and name in bins
    }
