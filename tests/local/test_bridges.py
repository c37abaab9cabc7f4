"""The bridges fit one version of the emulator, and say so of any other."""

import pytest
from ministack.services import sqs

from local.aws import bridges
from local.aws.bridges import cloudformation, stepfunctions


def test_another_version_of_the_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridges, "MINISTACK", "1.5.32")
    with pytest.raises(RuntimeError, match=r"the bridges fit ministack 1\.5\.32, found 1\.5\.33"):
        bridges.install()


@pytest.mark.parametrize("bridge", [cloudformation, stepfunctions])
def test_a_private_name_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, bridge: object) -> None:
    monkeypatch.setattr(bridge, "PRIVATE", {sqs: ("_gone",)})
    with pytest.raises(RuntimeError, match=r"ministack has no ministack\.services\.sqs\._gone"):
        bridges.install()
