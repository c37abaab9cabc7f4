"""The model in use, and what it says of rows: the same for a single one and for a whole snapshot."""

import difflib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from causeway.flow.models import Store, champion_key
from ml.features import table
from ml.spec import Feature, Spec
from ml.train.files import from_bytes

AT_ONCE = 20_000  # rows whose features are in memory


def scores(model: Any, table: Any) -> Any:
    """How sure a model is that each row is positive, from 0 to 1."""
    return model.predict_proba(table)[:, 1]


class NoModelError(LookupError):
    """No model is in use; the message says what to do."""


class RowError(ValueError):
    """Rows that a model cannot be asked of; the message names the row, what was found and what is allowed."""


@dataclass(frozen=True)
class InUse:
    """A model that is in use, with the specification that it was trained by."""

    champion: Mapping[str, Any]
    spec: Spec
    model: Any

    @property
    def threshold(self) -> float:
        return float(self.champion["threshold"])

    def scores(self, rows: Sequence[Mapping[str, Any]]) -> list[float]:
        """How sure it is that each row is positive, from 0 to 1."""
        parts = (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
        return [one for part in parts for one in scores(self.model, table(self.spec, part)).tolist()]


def champion_in_use(model: str, store: Store) -> dict[str, Any]:
    """Which model is in use. Raises NoModelError."""
    if (champion := store.get(champion_key(model))) is None:
        raise NoModelError(f"no model {model!r} is in use: `causeway ml approve {model}` one that has passed")
    return champion


def load(champion: Mapping[str, Any], store: Store) -> InUse:
    """Raises UntrustedModelError if the file is not the one that was approved."""
    data, pin = store.get_bytes(champion["file"]) or b"", store.get(champion["pin"]) or {}
    return InUse(champion, pinned_spec(pin), from_bytes(data, champion["sha256"]))


def pinned_spec(pin: Mapping[str, Any]) -> Spec:
    """The specification that a model was trained by; models/<name>.toml may have changed since."""
    return Spec.model_validate_json(json.dumps(pin["spec"]))


def check_rows(spec: Spec, rows: Any, most: int) -> list[Mapping[str, Any]]:
    """Rows that came as JSON, if the model can be asked of them. Raises RowError.

    A row may have more than it needs. null is a value that is not known.
    """
    if not isinstance(rows, list) or not 0 < len(rows) <= most:
        found = f"{len(rows)} rows" if isinstance(rows, list) else type(rows).__name__
        raise RowError(f"rows: found {found}; a list of 1 to {most} objects is allowed")
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise RowError(f"row {number}: found {type(row).__name__}; an object is allowed")
        for column in spec.inputs():
            if column not in row:
                near = difflib.get_close_matches(column, row, 1)
                hint = f"did you mean it by {near[0]!r}?" if near else "null says that it is not known"
                raise RowError(f"row {number}: {column!r} is missing; {hint}")
        for feature in spec.features():
            _check_value(number, feature, row[feature.of])
        for column in spec.words():
            _check_text(number, column, row[column])
    return rows


def _check_value(number: int, feature: Feature, value: Any) -> None:
    if value is None:
        return
    if feature.take == "number":
        if not _is_number(value):
            raise RowError(f"row {number}: {feature.of}: found {value!r}; a number or null is allowed")
    elif feature.take == "weekday":
        try:
            datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise RowError(
                f"row {number}: {feature.of}: found {value!r}; a date as 2026-01-31 or null is allowed"
            ) from None
    else:
        _check_text(number, feature.of, value)


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool | str) and math.isfinite(value)
    except (TypeError, OverflowError):
        return False


def _check_text(number: int, column: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise RowError(f"row {number}: {column}: found {value!r}; a text or null is allowed")
