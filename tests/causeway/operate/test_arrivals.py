"""A simulated day: every object is in one batch, and no batch is what the pipeline would not make."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causeway.flow.parameters import BatchLimits
from causeway.operate import arrivals
from causeway.operate.arrivals import DAY, PATTERNS, simulate
from lambdas.batch_events import handler


@given(
    st.sampled_from(sorted(PATTERNS)),
    st.integers(1, 3000),
    st.integers(0, 100),
    st.builds(
        BatchLimits, max_objects=st.integers(1, 500), max_bytes=st.integers(1, 5000),
        window_seconds=st.sampled_from([0, 1, 90, 900]),
    ),
    st.sampled_from([0, 60, 300]),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_every_object_is_in_one_batch_within_the_limits(
    pattern: str, objects: int, size: int, limits: BatchLimits, window: int
) -> None:
    batches, calls = simulate(pattern, objects, size, limits=limits, window=window, batch_size=1000)
    assert sum(batch.objects for batch in batches) == objects
    assert all(batch.objects <= limits.max_objects for batch in batches)
    assert all(batch.size <= max(limits.max_bytes, size) for batch in batches)
    longest = window + (limits.window_seconds and limits.window_seconds + window)
    assert all(0 <= batch.waited <= batch.objects * batch.longest + 1e-6 for batch in batches)
    assert max(batch.longest for batch in batches) <= longest + 1e-6
    assert calls >= len({batch.start for batch in batches})


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_a_pattern_is_a_day_long_and_in_order(pattern: str) -> None:
    times = [PATTERNS[pattern](n / 1000) for n in range(1000)]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] < DAY


@pytest.mark.parametrize(
    ("pattern", "busiest"),
    [("steady", 1 / 24), ("bursty", 1 / 24), ("diurnal", 0.083)],
)
def test_a_pattern_is_what_it_is_called(pattern: str, busiest: float) -> None:
    times = [PATTERNS[pattern]((n + 0.5) / 24_000) for n in range(24_000)]
    hours = [sum(int(t) // 3600 == hour for t in times) / len(times) for hour in range(24)]
    assert max(hours) == pytest.approx(busiest, abs=0.001)
    burst = sum(t % 3600 < 300 for t in times) / len(times)
    assert burst == pytest.approx(1 if pattern == "bursty" else 1 / 12, abs=0.01)
    assert (hours[0] < 0.001) == (pattern == "diurnal")


def test_a_file_a_minute_under_a_window_of_a_minute_is_a_batch_each() -> None:
    batches, _ = simulate("steady", 1440, 1, limits=BatchLimits(1000, 10**9), window=60, batch_size=1000)
    assert len(batches) == 1440


def test_a_dataset_s_own_window_gathers_what_came_meanwhile() -> None:
    batches, _ = simulate("steady", 1440, 1, limits=BatchLimits(1000, 10**9, 900), window=60, batch_size=1000)
    assert DAY // 900 <= len(batches) <= DAY // 900 + 1


def test_a_call_takes_no_more_events_than_fit() -> None:
    batches, calls = simulate(
        "bursty", 240_000, 1, limits=BatchLimits(10_000, 10**9), window=300, batch_size=10_000
    )
    assert max(batch.objects for batch in batches) == arrivals.MESSAGES
    assert calls == 48


def test_the_function_on_aws_cuts_as_the_simulation_does() -> None:
    """The same events, by the function itself: as many batches, of as many objects."""
    limits = BatchLimits(7, 50)
    simulated, _ = simulate("bursty", 240, 9, limits=limits, window=300, batch_size=1000)
    made: list[int] = []
    function = handler.Batching({"estimated": limits}, "l", "q", "m", "u", None, None, None, None)
    started = patch.object(handler.Batching, "_start", lambda _, manifest: made.append(len(manifest.sources)))
    unknown = patch.object(handler.Batching, "_undone", lambda _, changes, __: changes)
    with started, unknown:
        for hour in range(24):
            function.batch_events([_message(hour * 10 + n) for n in range(10)])
    assert made == [batch.objects for batch in simulated]


def _message(number: int) -> dict[str, Any]:
    described = {"key": f"landing/estimated/{number:012}", "versionId": "v", "size": 9, "sequencer": "1"}
    record = {"eventName": "ObjectCreated:Put", "s3": {"object": described}}
    return {"messageId": f"{number}", "body": json.dumps({"Records": [record]})}
