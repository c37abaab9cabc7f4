"""The bridges fit one version of the emulator, and say so of any other."""

import pytest

from local.aws import bridges


def test_another_version_of_the_emulator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridges, "MINISTACK", "1.5.32")
    with pytest.raises(RuntimeError, match=r"the bridges fit ministack 1\.5\.32, found 1\.5\.33"):
        bridges.install()


@pytest.mark.parametrize("names", ["REPLACED", "USED"])
def test_a_private_name_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, names: str) -> None:
    monkeypatch.setattr(bridges, names, {"ministack.services.sqs": ("_gone",)})
    with pytest.raises(RuntimeError, match=r"ministack has no ministack\.services\.sqs\._gone"):
        bridges.install()
