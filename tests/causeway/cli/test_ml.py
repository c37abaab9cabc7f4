"""`causeway ml status`: what of a model needs a person."""

from typing import Any
from unittest.mock import create_autospec

import pytest

from causeway.__main__ import main
from causeway.operate.models import Models

WAITS, USED = {"version": 2, "status": "PendingManualApproval"}, {"version": 1, "status": "Approved"}
HEARD: dict[str, Any] = {"trainings": {"confirmed": 1, "unconfirmed": []}}
ENDED, FAILED = {"run": "r", "status": "SUCCEEDED"}, {"run": "r", "status": "FAILED", "cause": "no rows"}


@pytest.mark.parametrize(
    ("training", "packages", "exits"),
    [
        (None, [], 0),
        (ENDED, [USED], 0),
        (FAILED, [USED], 1),
        (ENDED, [WAITS, USED], 1),
        (ENDED, [USED, WAITS], 0),
    ],
    ids=["no training yet", "in use", "failed", "waits for approval", "an older one waits"],
)
def test_a_failed_training_and_a_model_that_waits_need_a_person(
    training: Any, packages: list[Any], exits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = create_autospec(Models, instance=True)
    models.names.return_value = ["spam"]
    models.in_use.return_value = None
    models.training.return_value = training
    models.packages.return_value = packages
    models.alerts.return_value = HEARD
    monkeypatch.setattr("causeway.cli.ml._models", lambda: models)
    assert main(["ml", "status"]) == exits
