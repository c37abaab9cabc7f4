"""The scheduled reconciliation: one pass over everything, in as many calls as it takes."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from causeway.flow.landing import GRACE, Landing
from lambdas.reconcile import handler as handler_module
from lambdas.reconcile.handler import CURSOR, handler, reconcile
from tests.causeway.conftest import Deployed, deployed  # noqa: F401  # a fixture
from tests.glue_jobs.conftest import small_lake  # noqa: F401

AGES_MS = 900_000


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.reconcile.handler.GRACE", GRACE * 0)


@pytest.fixture
def landing(deployed: Deployed) -> Landing:  # noqa: F811
    for dataset in ("flights", "trips"):
        for n in range(10):
            deployed.lake.s3.put_object(Bucket="landing", Key=f"landing/{dataset}/{n}.csv", Body=b"x")
    found: Landing = deployed.landing
    return dataclasses.replace(found, page_size=4)


def ends_after(pages: int) -> Any:
    """The time that is left at each page: enough, until so many pages are done."""
    left: Iterator[int] = iter([AGES_MS] * (pages - 1))
    return lambda: next(left, 1)


@pytest.mark.parametrize("pages", [1, 2, 3, 4, 5])
def test_where_time_ends_the_next_call_goes_on_and_nothing_is_queued_twice(
    landing: Landing, pages: int
) -> None:
    calls, queued = 0, 0
    while not calls or landing.ledger.get_item(Key=CURSOR)["Item"]["after"]:
        queued += reconcile(landing, ["flights", "trips"], remaining_ms=ends_after(pages))["queued"]
        calls += 1
    assert queued == 20
    assert calls == -(-6 // pages) + (1 if 6 % pages == 0 else 0)


def test_a_new_pass_begins_when_one_is_done(landing: Landing) -> None:
    for _ in range(2):
        answer = reconcile(landing, ["flights", "trips"], remaining_ms=lambda: AGES_MS)
        assert answer == {"seen": 20, "queued": 20, "after": ""}


def test_a_call_queues_no_more_than_the_pipeline_digests(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_module, "MAX_QUEUED", 5)
    answer = reconcile(landing, ["flights", "trips"], remaining_ms=lambda: AGES_MS)
    assert answer["queued"] == 8  # whole pages
    assert answer["after"] == "landing/flights/7.csv"


def test_a_call_that_fails_leaves_the_rest_to_the_next(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[int] = []

    def queue(_: Landing, sources: Any) -> None:
        queued.append(len(list(sources)))
        if len(queued) == 2:
            raise OSError("the queue refuses events")

    monkeypatch.setattr(Landing, "queue", queue)
    with pytest.raises(OSError, match="refuses"):
        reconcile(landing, ["flights"], remaining_ms=lambda: AGES_MS)
    assert reconcile(landing, ["flights"], remaining_ms=lambda: AGES_MS)["seen"] == 6


def test_the_handler_takes_its_settings_from_the_environment(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "LANDING_BUCKET": "landing",
        "QUEUE_URL": landing.queue_url,
        "LEDGER_TABLE": "ledger",
        "REMOVING": '["planes"]',
        "RETENTION_DAYS": "365",
    }.items():
        monkeypatch.setenv(name, value)
    context = type("Context", (), {"get_remaining_time_in_millis": staticmethod(lambda: AGES_MS)})
    assert handler({}, context) == {"seen": 10, "queued": 10, "after": ""}  # trips has no contract
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=landing.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "1"
