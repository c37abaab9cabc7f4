"""What a month would cost: its items add up, at rest too, and longer windows cost less."""

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from causeway.__main__ import main
from causeway.contract.model import Column, Contract
from causeway.flow.prices import PRICES
from causeway.operate import idle as idle_costs
from causeway.operate.estimate import Arrivals, estimate
from causeway.operate.idle import ALARMS, NEWS_ALARMS, PROFILE_ALARMS, SMALL_ALARMS, Item, idle
from causeway.settings import SETTINGS_FILE, Settings, load_settings

CONTRACTS = {"flights": Contract("flights", "1.0.0", ())}
A_FILE_A_MINUTE = Arrivals("steady", 1440, 1_000_000)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(SETTINGS_FILE)


@pytest.fixture(scope="module")
def by_job(settings: Settings) -> Settings:
    """Without a function for small batches."""
    none = settings.small_batches.model_copy(update={"max_objects": 0})
    return settings.model_copy(update={"small_batches": none})


@pytest.fixture(scope="module")
def month(settings: Settings) -> dict[str, Any]:
    return estimate(settings, CONTRACTS, A_FILE_A_MINUTE)


def test_the_items_add_up_with_those_at_rest(month: dict[str, Any]) -> None:
    items = [*month["plan"]["items"], *month["idle"]]
    assert sum(item["dollars"] for item in items) == pytest.approx(month["plan"]["dollars"])
    assert len({item["name"] for item in items}) == len(items)


def test_a_file_a_minute_by_the_job_costs_what_was_said_by_hand(by_job: Settings) -> None:
    """1,440 runs a day of two workers for a minute, and the little that a megabyte takes."""
    month = estimate(by_job, CONTRACTS, A_FILE_A_MINUTE)
    assert month["plan"]["by_function"] == 0
    assert month["plan"]["seconds_to_visible"] == pytest.approx(120, abs=2)  # the window, then the run
    assert month["plan"]["batches_a_day"] == 1440
    assert month["plan"]["runs"] == pytest.approx(30 * 1440 * 0.014667, rel=0.01)
    assert month["run_per_object"] == pytest.approx(30 * 1440 * 0.014667, rel=0.001)


def test_a_file_a_minute_costs_below_forty_dollars_a_month_by_default(month: dict[str, Any]) -> None:
    """1,440 calls a day of some four seconds and 3 GB, and everything else."""
    plan = month["plan"]
    assert plan["by_function"] == plan["batches_a_day"] == 1440
    assert plan["runs"] == pytest.approx(30 * 1440 * 4.16 * 3008 / 1024 * 0.0000133334, rel=0.01)
    assert plan["dollars"] < 40
    assert month["run_per_object"] / plan["runs"] > 10
    assert month["crawler_per_batch"] == pytest.approx(30 * 1440 * 2 * 0.44 / 6)


def test_a_longer_window_costs_less_and_is_later(month: dict[str, Any]) -> None:
    ways = [month["plan"], *month["other_windows"]]
    assert [way["runs"] for way in ways] == sorted((way["runs"] for way in ways), reverse=True)
    assert [way["seconds_to_visible"] for way in ways] == sorted(way["seconds_to_visible"] for way in ways)
    assert month["plan"]["seconds_to_visible"] == pytest.approx(64, abs=2)  # the window, then the call


def test_small_objects_cost_as_many_times_less_than_a_run_each_as_share_a_batch(by_job: Settings) -> None:
    month = estimate(by_job, CONTRACTS, Arrivals("steady", 20_000, 100))
    for way in [month["plan"], *month["other_windows"]]:
        assert month["run_per_object"] / way["runs"] == pytest.approx(20_000 / way["batches_a_day"], rel=0.01)


def test_every_price_says_where_it_is_from(month: dict[str, Any]) -> None:
    pages = [item["price"] for item in [*month["plan"]["items"], *month["idle"]]]
    assert [page for page in pages if "/pricing" not in page] == []
    assert all(price.dollars > 0 for price in PRICES.values())


def test_a_region_without_prices_is_told(settings: Settings) -> None:
    company = settings.company.model_copy(update={"region": "eu-central-1"})
    elsewhere = settings.model_copy(update={"company": company})
    assert estimate(elsewhere, CONTRACTS, Arrivals("steady", 1, 1))["foreign_prices"] == "eu-central-1"


@pytest.mark.parametrize("audit", [True, False])
def test_what_the_settings_leave_out_costs_nothing(settings: Settings, audit: bool) -> None:
    own = settings.model_copy(update={"audit": audit})
    plan = estimate(own, CONTRACTS, Arrivals("steady", 10, 1))["plan"]
    assert ("audit trail" in {item["name"] for item in plan["items"]}) == audit


def test_another_stack_s_idle_cost_is_one_function_more(settings: Settings) -> None:
    def another(_settings: Settings, _contracts: Any) -> Iterator[Item]:
        yield Item("another", 730, "dpu_hour")

    before = estimate(settings, CONTRACTS, A_FILE_A_MINUTE)["plan"]["dollars"]
    with patch.object(idle_costs, "STACKS", {**idle_costs.STACKS, "another": another}):
        after = estimate(settings, CONTRACTS, A_FILE_A_MINUTE)
    assert after["plan"]["dollars"] == pytest.approx(before + 730 * 0.44)
    assert after["idle"][-1]["name"] == "another"


def test_the_key_behind_hashed_columns_costs_something_when_there_is_one(settings: Settings) -> None:
    hashed = Contract("mail", "1.0.0", (Column("who", "who", "string", access="hash"),))
    names = {item.name for item in idle(settings, {"mail": hashed})}
    assert names - {item.name for item in idle(settings, CONTRACTS)} == {"key behind hashed columns"}


@pytest.mark.parametrize(("vectors", "price"), [("postgres", "$0.06"), ("s3", "$0.10")])
def test_vectors_cost_what_the_setting_says_and_the_other_choice_is_told(
    settings: Settings, vectors: str, price: str
) -> None:
    text = Column("plot", "plot", "string", embedded=True)
    store = settings.store.model_copy(update={"enabled": True, "vectors": vectors, "partner_reads": True})
    items = {
        item.name: item
        for item in idle(
            settings.model_copy(update={"store": store}), {"films": Contract("films", "1.0.0", (text,))}
        )
    }
    of = {"postgres": "vectors in the store", "s3": "vectors in S3 Vectors"}[vectors]
    assert price in items[of].of
    assert ("searches of vectors" in items) == (vectors == "s3")
    assert items["store's secrets"].units == 3


@pytest.mark.parametrize("pattern", ["steady", "bursty", "diurnal"])
def test_a_person_is_told_items_windows_and_what_is_not_in_it(
    pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["estimate", "--objects", "1440", "--bytes", "1000000", "--pattern", pattern]) == 0
    printed = capsys.readouterr().out
    for told in (
        "calls for small batches",
        "at rest: customer key",
        "unverified",
        "Not in it: ",
        "seconds to visible",
    ):
        assert told in printed


def test_a_person_is_told_what_a_longer_window_saves(capsys: pytest.CaptureFixture[str]) -> None:
    main(["estimate", "--objects", "1440", "--bytes", "1000000"])
    assert " less, rows visible " in capsys.readouterr().out


def test_a_day_that_the_settings_cannot_keep_up_with_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    main(["estimate", "--objects", "5000", "--bytes", "10000000000"])
    assert "It does not keep up" in capsys.readouterr().out


def test_the_document_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "--objects", "10", "--bytes", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["batches_a_day"] == 10


@pytest.mark.parametrize("wrong", [["--objects", "0", "--bytes", "1"], ["--objects", "1", "--bytes", "-1"]])
def test_a_day_of_nothing_is_refused(wrong: list[str]) -> None:
    assert main(["estimate", *wrong]) == 2


def test_the_alarms_counted_here_are_those_of_the_template() -> None:
    text = (SETTINGS_FILE.parent / "tests/stacks/company/__snapshots__/test_pipeline").glob("*.json")
    (template,) = [json.loads(path.read_text()) for path in text]
    alarms = [r for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == ALARMS + PROFILE_ALARMS + NEWS_ALARMS + SMALL_ALARMS
