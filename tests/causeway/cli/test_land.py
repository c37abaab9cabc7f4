"""`causeway land`: what it puts is what a dataset's files are, and it says what became of that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from causeway.__main__ import main
from causeway.flow.manifest import SourceVersion
from tests.causeway.conftest import Deployed


def landed(deployed: Deployed, name: str) -> SourceVersion:
    s3, key = deployed.landing.s3, f"landing/trips/{name}"
    head = s3.head_object(Bucket="landing", Key=key)
    return SourceVersion(key, head["VersionId"], head["ContentLength"])


@pytest.mark.parametrize(
    ("text", "state", "status"),
    [(b"id,city\n1,Oslo\nx,Rome\n", "committed", 0), (b"", "quarantined", 1)],
)
def test_it_waits_until_the_files_batch_is_committed(
    deployed: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    text: bytes,
    state: str,
    status: int,
) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(text)
    monkeypatch.setattr("causeway.cli.land.sleep", lambda _: deployed.lake.curate(landed(deployed, "a.csv")))
    assert main(["land", str(file), "--dataset", "trips", "--json"]) == status
    (told,) = json.loads(capsys.readouterr().out)["files"]
    assert (told["key"], told["state"]) == ("landing/trips/a.csv", state)
    if not status:
        assert (told["rows"], told["rejected"]) == (1, 1)


@pytest.mark.parametrize("arguments", [["--wait", "0"], []])
def test_without_waiting_or_in_time_it_says_how_to_look_again(
    deployed: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    file, seconds = tmp_path / "a.csv", iter(range(0, 10**6, 500))
    file.write_text("id,city\n")
    monkeypatch.setattr("causeway.cli.land.monotonic", lambda: next(seconds))
    monkeypatch.setattr("causeway.cli.land.sleep", lambda _: None)
    assert main(["land", str(file), "--dataset", "trips", *arguments]) == (0 if arguments else 1)
    assert "causeway trace landing/trips/a.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(("a.csv", "--dataset", "tripz"), "did you mean trips?"), (("b.csv", "--dataset", "trips"), "b.csv")],
)
def test_a_wrong_name_puts_nothing(
    deployed: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    arguments: tuple[Any, ...],
    error: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").touch()
    assert main(["land", *arguments]) == 2
    assert error in capsys.readouterr().err
    assert deployed.landing.s3.list_objects_v2(Bucket="landing").get("KeyCount") == 0
