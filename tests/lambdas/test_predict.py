"""A model is asked as it was trained, by whoever may; what cannot be asked is answered with what to mend."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from causeway.flow.models import Run, Store, champion_key
from causeway.flow.parameters import to_environment
from lambdas.predict import handler as module
from lambdas.predict.handler import MOST_ROWS, Models, handler, predict
from ml.features import table
from ml.parameters import PredictParameters
from ml.predict import RowError, scores
from ml.predict import load as load_model
from ml.spec import Spec, load_spec
from ml.train.files import UntrustedModelError, digest, to_bytes
from ml.train.run import untrained

BUCKET = "partner-ml"
SPAM, LATE = load_spec("spam"), load_spec("late")
MAILS = [
    {"subject": f"{'Win' if spam else 'Re: meeting'} {n}", "body": body * (n + 1), "structure": "plain"}
    for n in range(20)
    for spam, body in ((True, "FREE money!!! click http://a now\n"), (False, "> see you at the talk\nthanks"))
]
LABELS = [int(mail["subject"].startswith("Win")) for mail in MAILS]


def trained(spec: Spec, rows: list[dict[str, Any]], labels: list[int], family: str = "linear-l2") -> Any:
    chosen = {"family": family, "tier": len(spec.tiers) - 1, "strength": 1.0}
    return untrained(spec, chosen).fit(table(spec, rows), labels)


def put_in_use(store: Store, spec: Spec, model: Any, run: str = "r", threshold: float = 0.5) -> None:
    """As an approval does."""
    of, data = Run(spec.name, run), to_bytes(model)
    store.s3.put_object(Bucket=BUCKET, Key=of.file, Body=data)
    store.put(of.pin, {"spec": spec.model_dump()})
    store.put(
        champion_key(spec.name),
        {
            "package": f"package/{run}",
            "run": run,
            "threshold": threshold,
            "file": of.file,
            "sha256": digest(data),
            "pin": of.pin,
        },
    )


@pytest.fixture(scope="module")
def spam() -> Any:
    return trained(SPAM, MAILS, LABELS)


@pytest.fixture
def store() -> Iterator[Store]:
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        yield Store(s3, BUCKET)


@pytest.fixture
def models(store: Store, spam: Any) -> Models:
    put_in_use(store, SPAM, spam)
    return Models(["late", "spam"], store)


def asked(rows: Any, models: Models, model: str = "spam") -> dict[str, Any]:
    return predict(json.loads(json.dumps({"model": model, "rows": rows})), models)


def test_the_scores_are_those_of_the_model_as_it_was_trained(models: Models, spam: Any) -> None:
    answer = asked(MAILS, models)
    expected = scores(spam, table(SPAM, MAILS)).tolist()
    assert [one["score"] for one in answer["predictions"]] == pytest.approx(expected, abs=1e-12)
    assert [int(one["positive"]) for one in answer["predictions"]] == LABELS
    assert (answer["package"], answer["threshold"]) == ("package/r", 0.5)


def test_the_threshold_decides(store: Store, spam: Any) -> None:
    score = float(scores(spam, table(SPAM, MAILS[:1]))[0])
    for threshold, expected in ((score, True), (min(score * 1.0001, 1), False)):
        put_in_use(store, SPAM, spam, threshold=threshold)
        (found,) = asked(MAILS[:1], Models(["spam"], store))["predictions"]
        assert found["positive"] is expected


def test_a_file_is_loaded_once_and_another_model_in_use_answers_the_next_call(
    store: Store, models: Models, spam: Any
) -> None:
    with patch.object(module, "load", wraps=load_model) as load:
        assert {asked(MAILS[:1], models)["package"] for _ in range(3)} == {"package/r"}
        put_in_use(store, SPAM, spam, run="s")
        assert {asked(MAILS[:1], models)["package"] for _ in range(3)} == {"package/s"}
    assert load.call_count == 2


def test_a_model_is_asked_by_the_features_that_it_was_trained_on(store: Store) -> None:
    generic = SPAM.model_copy(update={"tiers": SPAM.tiers[:1]})  # as models/spam.toml was then
    model = trained(generic, MAILS, LABELS)
    put_in_use(store, generic, model)
    answer = asked([{"body": MAILS[0]["body"]}], Models(["spam"], store))
    expected = float(scores(model, table(generic, MAILS[:1]))[0])
    assert answer["predictions"][0]["score"] == pytest.approx(expected)


def test_what_is_not_known_is_null(store: Store) -> None:
    rows = [{**dict.fromkeys(LATE.inputs()), "distance": n % 7, "hour": n % 24} for n in range(40)]
    put_in_use(store, LATE, trained(LATE, rows, [n % 2 for n in range(40)], "boosting"))
    (found,) = asked([dict.fromkeys(LATE.inputs())], Models(["late"], store), "late")["predictions"]
    assert 0 <= found["score"] <= 1


def test_a_file_that_was_changed_is_not_loaded(store: Store, models: Models) -> None:
    store.s3.put_object(Bucket=BUCKET, Key=Run("spam", "r").file, Body=b"other")
    with pytest.raises(UntrustedModelError, match="was registered"):
        asked(MAILS[:1], models)


def answered(event: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, value in to_environment(PredictParameters(store.bucket, ["late", "spam"])).items():
        monkeypatch.setenv(name, value)
    module._models.cache_clear()
    return handler(event, None)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({}, "model: found None; there are late, spam"),
        ({"model": "spma"}, "model: found 'spma'; did you mean 'spam'?"),
        ({"model": ["spam"]}, "model: found ['spam']; "),
        ({"model": "late", "rows": [{}]}, "no model 'late' is in use: `causeway ml approve late` one that"),
        ({"model": "spam"}, "rows: found NoneType; a list of 1 to 1000 objects is allowed"),
        ({"model": "spam", "rows": []}, "rows: found 0 rows; a list of 1 to 1000 objects is allowed"),
        ({"model": "spam", "rows": MAILS[:1] * (MOST_ROWS + 1)}, "rows: found 1001 rows; a list of 1 to"),
        ({"model": "spam", "rows": [MAILS[0], "x"]}, "row 1: found str; an object is allowed"),
        (
            {"model": "spam", "rows": [{"subject": "", "bdoy": "", "structure": ""}]},
            "row 0: 'body' is missing; did you mean it by 'bdoy'?",
        ),
        (
            {"model": "spam", "rows": [{"body": "", "structure": ""}]},
            "row 0: 'subject' is missing; null says that it is not known",
        ),
        (
            {"model": "spam", "rows": [{**MAILS[0], "body": 7}]},
            "row 0: body: found 7; a text or null is allowed",
        ),
    ],
)
def test_what_the_caller_can_mend_is_answered(
    store: Store, models: Models, event: Any, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert models.names
    answer = answered(event, store, monkeypatch)
    assert list(answer) == ["error"]
    assert answer["error"].startswith(error)


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("distance", "far", "a number or null is allowed"),
        ("distance", True, "a number or null is allowed"),
        ("distance", float("inf"), "a number or null is allowed"),
        pytest.param("distance", 10**400, "a number or null is allowed", id="beyond all floats"),
        ("time_hour", "yesterday", "a date as 2026-01-31 or null is allowed"),
        ("time_hour", 20260131, "a date as 2026-01-31 or null is allowed"),
        ("carrier", 9, "a text or null is allowed"),
    ],
)
def test_a_value_that_a_feature_cannot_take_is_named(
    store: Store, column: str, value: Any, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**dict.fromkeys(LATE.inputs()), "distance": n % 7} for n in range(40)]
    put_in_use(store, LATE, trained(LATE, rows, [n % 2 for n in range(40)], "boosting"))
    row = {**dict.fromkeys(LATE.inputs()), column: value}
    answer = answered({"model": "late", "rows": [row]}, store, monkeypatch)
    assert answer == {"error": f"row 0: {column}: found {value!r}; {allowed}"}


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(SPAM.inputs(), VALUES)), max_size=3))
def test_whatever_rows_hold_there_is_an_answer(models: Models, rows: list[Mapping[str, Any]]) -> None:
    try:
        answer = predict({"model": "spam", "rows": rows}, models)
    except RowError as error:
        assert str(error)  # noqa: PT017 - either is an answer
    else:
        assert all(0 <= one["score"] <= 1 for one in answer["predictions"])
        assert len(answer["predictions"]) == len(rows)
