"""What a replay is said to take, at the edges of batches and of what Glue bills."""

import pytest

from causeway.operate.forecast import forecast, work
from causeway.settings import DatasetLimits, Settings, load_settings

GIB = 1 << 30


def settings(**limits: object) -> Settings:
    shipped = load_settings()
    facts = {"batch_max_objects": 100, "batch_max_bytes": 10 * GIB, "workers": 2, "worker_type": "G.1X"}
    return shipped.model_copy(update={"limits": shipped.limits.model_copy(update={**facts, **limits})})


@pytest.mark.parametrize(
    ("sources", "size", "runs"), [(0, 0, 0), (1, 1, 1), (100, 1, 1), (101, 1, 2), (2, 10 * GIB + 1, 2)]
)
def test_runs_are_as_many_as_batches_are_filled(sources: int, size: int, runs: int) -> None:
    assert forecast(settings(), "trips", sources, size).runs == runs


def test_a_run_of_the_job_costs_the_minute_that_glue_bills_at_least() -> None:
    assert str(forecast(settings(), "trips", 1, 16_000_001)) == "about 1 run, 1 minute, $0.01"
    assert work(settings(), 1, 16_000_001).dollars == pytest.approx(0.0148, abs=0.0001)


@pytest.mark.parametrize(("objects", "size"), [(1, 0), (100, 16_000_000)])
def test_a_small_batch_is_a_call_of_the_function(objects: int, size: int) -> None:
    small, larger = work(settings(), objects, size), work(settings(), 101, size)
    assert (small.by_function, larger.by_function) == (True, False)
    assert small.dollars < larger.dollars / 20


def test_runs_side_by_side_save_time_and_no_money() -> None:
    one = forecast(settings(max_concurrent_runs=1), "trips", 1000, GIB)
    ten = forecast(settings(max_concurrent_runs=10), "trips", 1000, GIB)
    assert (one.dollars, one.runs) == (ten.dollars, ten.runs)
    assert one.seconds == pytest.approx(10 * ten.seconds, abs=10)


def test_a_dataset_with_batches_of_its_own_is_counted_by_them() -> None:
    own = settings().model_copy(update={"datasets": {"trips": DatasetLimits(batch_max_objects=10)}})
    assert (forecast(own, "trips", 100, 1).runs, forecast(own, "other", 100, 1).runs) == (10, 1)
