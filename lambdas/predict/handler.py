"""What the model in use says of a few rows, at once."""

import difflib
import logging
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.models import Store
from causeway.flow.parameters import from_environment
from ml.parameters import PredictParameters
from ml.predict import InUse, NoModelError, RowError, champion_in_use, check_rows, load

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

MOST_ROWS = 1000


class Models:
    """The models in use, each loaded once: what is in use may change between two calls."""

    def __init__(self, names: Sequence[str], store: Store) -> None:
        self.names, self._store = list(names), store
        self._loaded: dict[str, InUse] = {}

    def in_use(self, model: Any) -> InUse:
        """Raises RowError, NoModelError, UntrustedModelError."""
        if model not in self.names:
            near = difflib.get_close_matches(str(model), self.names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self.names)}"
            raise RowError(f"model: found {model!r}; {hint}")
        champion, held = champion_in_use(model, self._store), self._loaded.get(model)
        if held is None or held.champion != champion:
            held = self._loaded[model] = load(champion, self._store)
        return held


def predict(event: Mapping[str, Any], models: Models) -> dict[str, Any]:
    """Of each row its score, and whether that reaches the threshold. Raises as Models.in_use does."""
    in_use = models.in_use(event.get("model"))
    scores = in_use.scores(check_rows(in_use.spec, event.get("rows"), MOST_ROWS))
    return {
        "model": in_use.spec.name,
        "package": in_use.champion["package"],
        "threshold": in_use.threshold,
        "predictions": [{"score": one, "positive": one >= in_use.threshold} for one in scores],
    }


@cache
def _models() -> Models:
    parameters = from_environment(PredictParameters, os.environ)
    return Models(parameters.models, Store(boto3.client("s3", config=PATIENT), parameters.bucket))


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """`{"model": "spam", "rows": [{…}, …]}`. What the caller can mend is answered as `{"error": "…"}`.

    Fails, which is an alarm, where the model's file cannot be trusted.
    """
    try:
        answer = predict(event, _models())
    except (RowError, NoModelError) as error:
        return {"error": str(error)}
    logger.info("%d rows by %s", len(answer["predictions"]), answer["package"])
    return answer
