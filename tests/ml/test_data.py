"""A training set has each row once, in one of three windows that follow each other in time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.data import LABEL, WINDOWS, Sets, TrainingSetError, check, labelled, pin, read_sets, windows
from ml.spec import load_spec

SPAM = load_spec("spam")
START = datetime(2002, 1, 1, tzinfo=UTC)
MINUTES = st.lists(st.integers(0, 40), min_size=1, max_size=40)


def mails(minutes: Sequence[int], start: datetime = START, **columns: Sequence[Any]) -> pl.DataFrame:
    """A mail each so many minutes after the start, spam and ham by turns."""
    numbers = range(len(minutes))
    made = {
        "id": [f"{start:%H%M}-{n}" for n in numbers],
        "received": [start + timedelta(minutes=m) for m in minutes],
        "label": ["spam" if n % 2 else "ham" for n in numbers],
        "subject": ["abcdefgh"[n % 8] * (n + 1) for n in numbers],
        "body": [f"{start:%p} " + "x" * n for n in numbers],
        "structure": ["plain"] * len(minutes),
        "collection": ["easy-ham"] * len(minutes),
        "_contract": ["mail 1.0.0"] * len(minutes),
        "_source": ["landing/mail/a.jsonl"] * len(minutes),
    }
    return pl.DataFrame(made | columns, schema_overrides={"label": pl.String})


def cut(rows: pl.DataFrame, champion: dict[str, Any] | None = None) -> Sets:
    return windows(SPAM, labelled(SPAM, rows), champion)


def pinned(rows: pl.DataFrame) -> dict[str, Any]:
    return pin(SPAM, rows, rows.height, cut(rows), None)


def ids(sets: Sets, name: str) -> set[str]:
    return set(sets[name].rows["id"])


@settings(max_examples=60)
@given(MINUTES)
def test_windows_follow_each_other_and_lose_no_row(minutes: list[int]) -> None:
    rows = mails(minutes)
    sets = cut(rows)
    assert list(sets) == list(WINDOWS)
    assert sorted(key for one in sets.values() for key in one.rows["id"]) == sorted(rows["id"])
    ends: list[Any] = [(w.rows["received"].min(), w.rows["received"].max()) for w in sets.values()]
    filled = [end for end in ends if end[0]]
    assert all(last < first for (_, last), (first, _) in pairwise(filled))
    assert all(one.table.shape[0] == one.rows.height for one in sets.values())


def test_of_a_first_models_rows_three_fifths_train_and_a_fifth_chooses() -> None:
    assert {name: one.rows.height for name, one in cut(mails(range(100))).items()} == {
        "train": 60,
        "validate": 20,
        "holdout": 20,
    }


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40), min_size=5, max_size=30, unique=True), MINUTES)
def test_after_a_model_what_is_new_judges_the_next_and_what_judged_it_chooses(
    minutes: list[int], more: list[int]
) -> None:
    old = mails(minutes)
    before, new = cut(old), mails(more, START + timedelta(hours=13))
    sets = cut(pl.concat([old, new]), pinned(old))
    assert ids(sets, "holdout") == set(new["id"])
    assert ids(sets, "validate") == ids(before, "holdout")
    assert ids(sets, "train") == ids(before, "train") | ids(before, "validate")


def test_without_new_rows_nothing_judges_the_next() -> None:
    rows = mails(range(20))
    assert cut(rows, pinned(rows))["holdout"].rows.is_empty()


def test_of_mails_that_differ_in_digits_and_spaces_the_first_is_kept() -> None:
    bodies = ["win 100  dollars", "WIN 7\ndollars", "win a dollar", "win 100 euros"]
    rows = mails([3, 1, 2, 0], subject=["s1", "S22", "s1", "s1"], body=bodies)
    kept = labelled(SPAM, rows)
    assert kept["body"].to_list() == ["win 100 euros", "WIN 7\ndollars", "win a dollar"]


def test_rows_without_a_label_or_a_time_go() -> None:
    rows = mails(range(4), label=["spam", None, "ham", "spam"])
    rows = rows.with_columns(received=pl.when(pl.col("id") != "0000-3").then("received"))
    assert labelled(SPAM, rows)["id"].to_list() == ["0000-0", "0000-2"]
    assert labelled(SPAM, rows)[LABEL].to_list() == [1, 0]


def test_a_label_may_be_above_a_number() -> None:
    late = load_spec("late")
    rows = pl.DataFrame(
        {
            "time_hour": [START] * 4,
            "carrier": ["AA"] * 4,
            "flight": range(4),
            "origin": ["JFK"] * 4,
            "arr_delay": [15.0, 15.5, None, -3.0],
        }
    )
    assert labelled(late, rows)[LABEL].to_list() == [0, 1, 0]


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_rows_that_are_drawn_are_so_by_their_keys_alone(random: Any) -> None:
    spec = SPAM.model_copy(update={"most_rows": 10})
    rows = mails([0] * 15 + [1] * 7 + [2] * 16)
    drawn = windows(spec, labelled(spec, rows), None)["train"].rows["id"]
    others = [place for place, key in enumerate(rows["id"]) if place < 15 and key not in drawn]
    order = [place for place in range(rows.height) if place != random.choice(others)]
    random.shuffle(order)
    again = windows(spec, labelled(spec, rows[order]), None)["train"].rows["id"]
    assert drawn.to_list() == again.to_list()
    assert len(drawn) == 10
    assert drawn.to_list() != labelled(spec, rows)["id"].to_list()[:10]


def test_windows_that_cannot_train_or_judge_say_why_and_what_to_do() -> None:
    one_class = mails(range(10), label=["ham"] * 10)
    with pytest.raises(TrainingSetError, match=r"train window has 6 rows, all of one class: .* wait"):
        check(cut(one_class))
    with pytest.raises(TrainingSetError, match="the train window has 0 rows: both classes are needed"):
        check(cut(mails([0])))
    with pytest.raises(TrainingSetError, match="mail has no row with a label: land some"):
        cut(mails(range(3), label=[None] * 3))


def test_a_pin_says_what_the_rows_were() -> None:
    rows = mails(range(10))
    made = pinned(rows)
    assert made["windows"]["train"] == {
        "rows": 6,
        "positives": 3,
        "first": "2002-01-01T00:00:00+00:00",
        "last": "2002-01-01T00:05:00+00:00",
    }
    assert (made["contracts"], made["sources"]) == (["mail 1.0.0"], ["landing/mail/a.jsonl"])
    assert all(index >= 0 for index in made["drift"].values())


@given(st.integers(0, 9))
def test_a_pins_hash_is_of_every_key_whatever_the_order(place: int) -> None:
    rows = mails(range(10))
    other = rows.with_columns(id=pl.when(pl.int_range(10) == place).then(pl.lit("other")).otherwise("id"))
    assert pinned(rows.reverse())["sha256"] == pinned(rows)["sha256"]
    assert pinned(other)["sha256"] != pinned(rows)["sha256"]


def test_new_rows_are_compared_with_those_of_the_model_in_use() -> None:
    old = mails(range(20))
    before = pinned(old)
    new = mails(range(20), START + timedelta(hours=13), body=["<a> " * 50 + "x" * n for n in range(20)])
    rows = pl.concat([old, new])
    made = pin(SPAM, rows, rows.height, cut(rows, before), before)
    assert made["drift"]["tags"] > 5
    assert made["drift"]["quoted lines"] < SPAM.retrain.drift


def test_windows_are_read_as_they_were_written(tmp_path: Path) -> None:
    sets = cut(mails(range(20)))
    for name, one in sets.items():
        one.write(tmp_path, name)
    for name, one in read_sets(tmp_path).items():
        assert one.rows.equals(sets[name].rows)
        assert (one.table != sets[name].table).nnz == 0
