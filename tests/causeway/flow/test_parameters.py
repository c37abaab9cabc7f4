"""What a stack tells a function or the job is what the function or the job reads."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.flow.parameters import (
    DATASET,
    MANIFEST,
    BatchEventsParameters,
    JobParameters,
    ProfileParameters,
    ReconcileParameters,
    ScheduleProfileParameters,
    SplitBatchParameters,
    from_arguments,
    from_environment,
    to_arguments,
    to_environment,
)

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: not text.startswith("-")
)
FUNCTIONS = (BatchEventsParameters, SplitBatchParameters, ReconcileParameters, ScheduleProfileParameters)


@pytest.mark.parametrize("kind", FUNCTIONS)
@given(data=st.data())
def test_a_function_reads_from_its_environment_what_the_stack_put_there(
    kind: Any, data: st.DataObject
) -> None:
    values = {
        "batching": st.dictionaries(texts, st.dictionaries(texts, st.integers())),
        "profile_hours": st.dictionaries(texts, st.integers()),
        "removing": st.lists(texts),
        "retention_days": st.integers(),
    }
    given = kind(**{field.name: data.draw(values.get(field.name, texts)) for field in fields(kind)})
    assert from_environment(kind, to_environment(given)) == given


@pytest.mark.parametrize(("kind", "own"), [(JobParameters, MANIFEST), (ProfileParameters, DATASET)])
@given(data=st.data())
def test_a_job_reads_its_arguments_among_those_that_glue_adds(
    kind: Any, own: str, data: st.DataObject
) -> None:
    values = {f.name: texts if f.type is str else st.integers(0) for f in fields(kind)}
    given = kind(**{name: data.draw(value) for name, value in values.items()})
    arguments = {**to_arguments(given), own: "this one", "--JOB_RUN_ID": "jr_1", "--enable-metrics": "true"}
    argv = [part for item in arguments.items() for part in item]
    assert from_arguments(kind, own, argv) == (given, "this one", "jr_1")


def test_a_parameter_that_is_missing_is_named() -> None:
    with pytest.raises(KeyError, match="LANDING_BUCKET"):
        from_environment(SplitBatchParameters, {})
