"""`causeway ml status`: what of a model needs a person."""

from typing import Any

import pytest

from causeway.__main__ import main

WAITS, USED = {"version": 2, "status": "PendingManualApproval"}, {"version": 1, "status": "Approved"}
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
    class Models:
        names = staticmethod(lambda: ["spam"])
        in_use = staticmethod(lambda _: None)
        training = staticmethod(lambda _: of["training"])
        packages = staticmethod(lambda _: of["packages"])

    of = {"training": training, "packages": packages}
    monkeypatch.setattr("causeway.cli.ml._models", Models)
    assert main(["ml", "status"]) == exits
