"""What applications send to the search function, and what they are told when it is wrong."""

import re
from typing import Any
from unittest.mock import patch

import pytest

from causeway.store.embeddings import Hashing
from causeway.store.nearest import SearchError
from lambdas.search.handler import respond

NOWHERE: Any = None


def test_a_question_is_passed_on_as_it_was_asked() -> None:
    asked = {"question": "sharks", "dataset": "films", "filters": {"year": 1975}, "limit": 2, "exact": True}
    with patch("lambdas.search.handler.search") as search:
        respond(asked, NOWHERE, Hashing())
    assert search.call_args.kwargs == {**asked, "vectors": None}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({}, 'a question is missing; send {"question": "…"}'),
        ({"question": 1}, "question: found 1, expected str"),
        ({"question": "x", "limit": True}, "limit: found True, expected int"),
        (
            {"question": "x", "filter": {}},
            "filter is unknown; did you mean filters?; known: question, dataset",
        ),
    ],
)
def test_a_request_that_is_wrong_is_refused_with_what_is_expected(event: dict[str, Any], told: str) -> None:
    with pytest.raises(SearchError, match=re.escape(told)):
        respond(event, NOWHERE, Hashing())


def test_an_answer_is_refused_before_the_store_is_asked_if_no_model_is_set() -> None:
    with pytest.raises(SearchError, match="no model answers here"):
        respond({"question": "x", "answer": True}, NOWHERE, Hashing())
