"""What no contract speaks of is counted, shown with what was probably meant, and dropped on request alone."""

import io
import json
from typing import Any

import boto3
import pytest

from causeway.__main__ import main
from tests.causeway.conftest import Deployed


def put(*keys: str) -> None:
    for key in keys:
        boto3.client("s3").put_object(Bucket="landing", Key=key, Body=b"x")


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


STRAYS = ("landing/tripz/2020/a.csv", "landing/tripz/b.csv", "landing/loose.csv", "Landing/trips/a.csv")


@pytest.mark.parametrize("command", ["status", "quarantine", "reconcile"])
def test_files_of_no_dataset_are_counted_by_prefix_with_the_nearest_dataset(
    command: str, deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.lake.catalog.create_namespace("causeway_quarantine")
    monkeypatch.setattr("causeway.lake.tables.glue_catalog", lambda _: deployed.lake.catalog)
    put(*STRAYS, "landing/tripz/_SUCCESS", "landing/empty/", "batches/trips/x/manifest.json")
    main([command, "--json"])
    found = {each["prefix"]: (each["files"], each["nearest"]) for each in answer(capsys)["unclaimed_files"]}
    assert found == {
        "landing/tripz/": (2, "landing/trips/"),
        "landing/loose.csv": (1, None),
        "Landing/": (1, "landing/trips/"),
    }


def test_files_of_no_dataset_need_a_person_who_is_told_what_to_do(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status"]) == 0
    put(*STRAYS)
    capsys.readouterr()
    assert main(["status"]) == 1
    shown = capsys.readouterr().out
    assert "landing/tripz/: 2 files of no dataset; did you mean landing/trips/?" in shown
    assert "write contracts/tripz.odcs.yaml, deploy, causeway backfill landing/tripz/" in shown
    assert "Landing/: 1 file of no dataset" in shown


@pytest.fixture
def withdrawn(deployed: Deployed) -> Deployed:
    """With the table of a dataset whose contract is gone."""
    glue, settings, s3 = boto3.client("glue"), deployed.deployment.settings, boto3.client("s3")
    for kind, place in (("lake", "curated/birds/data/"), ("quarantine", "quarantine/rejected/birds/data/")):
        database = settings.database(kind)  # type: ignore[arg-type]
        glue.create_table(DatabaseName=database, TableInput={"Name": "birds"})
        bucket, _, prefix = place.partition("/")
        s3.create_bucket(Bucket=bucket)
        for name in ("a", "b"):
            s3.put_object(Bucket=bucket, Key=f"{prefix}{name}.parquet", Body=b"x")
            s3.put_object(
                Bucket=bucket, Key=f"{prefix.replace('birds', 'birdsong')}{name}.parquet", Body=b"x"
            )
    return deployed


def keys(bucket: str) -> list[str]:
    return [found["Key"] for found in boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_a_table_without_a_contract_is_said_and_kept(
    withdrawn: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status"]) == 0
    assert "causeway retire birds" in capsys.readouterr().out
    assert len(keys("curated")) == len(keys("quarantine")) == 4


def test_retire_drops_the_table_its_quarantine_and_their_files_and_no_others(
    withdrawn: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retire", "birds", "--yes", "--json"]) == 0
    assert answer(capsys) == {"format_version": 1, "table": "birds", "files": 4}
    assert all("birdsong" in key for key in keys("curated") + keys("quarantine"))
    assert main(["status", "--json"]) == 0
    assert answer(capsys)["unclaimed_tables"] == []


def test_a_table_of_an_earlier_contract_goes_without_the_quarantine_of_the_dataset(
    withdrawn: Deployed,
) -> None:
    contract = withdrawn.deployment.contracts["trips"]
    withdrawn.deployment.contracts["birds"] = type(contract)("birds", "2.0.0", ())  # type: ignore[index]
    assert main(["retire", "birds", "--yes"]) == 2  # its readers may still be there


@pytest.mark.parametrize(
    ("name", "reason"),
    [("trips", "trips has a contract"), ("birdz", "there are: birds; did you mean birds?")],
)
def test_what_has_a_contract_or_is_not_there_is_not_retired(
    name: str, reason: str, withdrawn: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retire", name, "--yes"]) == 2
    assert reason in capsys.readouterr().err
    assert len(keys("curated")) == 4


def test_who_does_not_say_yes_keeps_the_table(withdrawn: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["retire", "birds"]) == 130
    assert len(keys("curated")) == 4
