"""What each limit bounds, by arithmetic that a reader can do."""

import pytest

from causeway.operate.guard_rails import bounds
from causeway.settings import SETTINGS_FILE, Settings, load_settings


def dollars(small: int = 0, **limits: object) -> dict[str, float]:
    settings = load_settings(SETTINGS_FILE)
    small_batches = settings.small_batches.model_copy(update={"max_objects": small})
    shipped = {
        "workers": 2, "worker_type": "G.1X", "max_concurrent_runs": 10, "job_timeout_minutes": 120,
        "batch_window_seconds": 60, "batch_max_bytes": 10**10, "profile_hours": 24, "profile_minutes": 30,
    }  # fmt: skip
    own = settings.limits.model_copy(update={**shipped, **limits})
    changed: Settings = settings.model_copy(update={"limits": own, "small_batches": small_batches})
    return {str(one["limit"]): float(str(one["dollars"])) for one in bounds(changed)}


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("max_concurrent_runs", 10 * 24 * 2 * 0.44),
        ("job_timeout_minutes", 2 * 2 * 0.44),
        ("batch_window_seconds", 2 * 1440 / 60 * 2 * 0.44),
        ("profile_minutes", 0.5 * 2 * 0.44),
    ],
)
def test_a_limit_bounds_what_one_computes_by_hand(limit: str, expected: float) -> None:
    assert dollars()[limit] == pytest.approx(expected, abs=0.005)


def test_what_small_files_cost_a_day_is_bounded_by_calls_where_a_function_curates_them() -> None:
    found = dollars(100)
    call = 4.05 * 3008 / 1024 * 0.0000133334
    assert found["batch_window_seconds"] == pytest.approx(2 * 86_400 / 60 * call, abs=0.005)
    assert found["small_batches.timeout_seconds"] == pytest.approx(
        300 * 3008 / 1024 * 0.0000133334, abs=0.005
    )
    assert "small_batches.timeout_seconds" not in dollars()


def test_every_bound_grows_with_the_workers() -> None:
    few, many = dollars(), dollars(workers=4)
    assert {limit for limit in few if not many[limit] > few[limit]} <= {"batch_max_bytes"}


def test_without_a_window_what_bounds_small_files_is_how_many_runs_there_may_be() -> None:
    found = dollars(batch_window_seconds=0)
    assert found["batch_window_seconds"] == found["max_concurrent_runs"]


def test_without_profiles_none_are_bounded() -> None:
    assert "profile_minutes" not in dollars(profile_hours=0)


def test_a_language_model_is_bounded_by_its_instances() -> None:
    settings = load_settings(SETTINGS_FILE)
    inference = settings.inference.model_copy(update={"enabled": True, "max_instances": 2})
    *_, last = bounds(settings.model_copy(update={"inference": inference}))
    assert (last["limit"], last["dollars"]) == ("inference.max_instances", pytest.approx(2 * 24 * 2.61))
    assert last["limit"] not in dollars()
