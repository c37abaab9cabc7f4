"""`causeway search`: what it passes on, what it prints, and how it refuses."""

import json
from typing import Any
from unittest.mock import MagicMock

import pytest

from causeway.__main__ import main

FOUND = {
    "dataset": "films",
    "model": "causeway-hashing-1",
    "exact": False,
    "snapshot": "42",
    "answers": [
        {
            "similarity": 0.3,
            "row": {"id": 1, "title": "Jaws\x1b[2J"},
            "text": "plot",
            "begins": 0,
            "ends": 8,
            "passage": "A\nshark.",
        }
    ],
}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Any:
    outputs = {"Cluster": "a cluster", "ReaderSecret": "reader", "Database": "causeway", "LoadMachine": ""}
    outputs |= {"VectorBucket": "a bucket"}
    monkeypatch.setattr("causeway.operate.deployment.Deployment.find", MagicMock())
    monkeypatch.setattr("causeway.store.deployed.stack_outputs", lambda *_: outputs)
    search = MagicMock(return_value=FOUND)
    monkeypatch.setattr("causeway.store.search.search", search)
    return search


def test_the_question_is_asked_as_the_reader_with_its_filters(store: MagicMock) -> None:
    assert (
        main(["search", "sharks", "--filter", "year=1975", "--filter", "castings.person=a=b", "--exact"]) == 0
    )
    (database, embedder, question), asked = store.call_args
    assert (database.cluster, database.secret, embedder.name) == ("a cluster", "reader", "causeway-hashing-1")
    assert question == "sharks"
    assert asked.pop("vectors").arn == "a bucket"
    assert asked == {
        "dataset": None,
        "filters": {"year": "1975", "castings.person": "a=b"},
        "limit": 5,
        "exact": True,
    }


def test_an_answer_has_similarity_row_passage_snapshot_and_nothing_a_terminal_obeys(
    store: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "sharks"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0.30  id 1, title Jaws\\x1b[2J",
        "      A shark.",
        "films at snapshot 42, by causeway-hashing-1, approximate",
    ]


def test_as_json_it_is_what_the_function_answers(
    store: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "sharks", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"format_version": 1, **FOUND}


def test_a_filter_that_is_none_is_refused_before_anything_is_asked(
    store: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "sharks", "--filter", "year"]) == 2
    assert capsys.readouterr().err == "causeway: filter year: write column=value\n"
    store.assert_not_called()
