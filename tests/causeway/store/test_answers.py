"""A large model is handed the passages that were found, with their sources, and only if one is set."""

from typing import Any
from unittest.mock import MagicMock

import boto3
import pytest
from botocore.stub import Stubber

from causeway.store.answers import INSTRUCTION, TOKENS, answered, check_model
from causeway.store.nearest import SearchError

FOUND: dict[str, Any] = {
    "dataset": "films",
    "snapshot": "42",
    "answers": [
        {"row": {"title": "Jaws"}, "passage": "A shark attacks."},
        {"row": {"title": "Alien"}, "passage": "A creature hunts."},
    ],
}
PROMPT = (
    "Passages of films at snapshot 42:\n\n[1] title Jaws\nA shark attacks.\n\n[2] title Alien\nA creature "
    "hunts.\n\nQuestion: Where is a shark?"
)


@pytest.mark.parametrize(("stopped", "whole"), [("end_turn", True), ("max_tokens", False)])
def test_the_model_is_asked_with_passages_sources_and_snapshot_and_its_answer_comes_with_them(
    stopped: str, whole: bool
) -> None:
    """Against botocore's model of the service."""
    bedrock = boto3.client("bedrock-runtime", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(bedrock) as stubber:
        stubber.add_response(
            "converse",
            {
                "output": {"message": {"role": "assistant", "content": [{"text": "In Jaws [1]."}]}},
                "stopReason": stopped,
                "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
                "metrics": {"latencyMs": 1},
            },
            {
                "modelId": "amazon.nova-lite-v1:0",
                "system": [{"text": INSTRUCTION}],
                "messages": [{"role": "user", "content": [{"text": PROMPT}]}],
                "inferenceConfig": {"maxTokens": TOKENS, "temperature": 0.0},
            },
        )
        found = answered("Where is a shark?", FOUND, "amazon.nova-lite-v1:0", bedrock)
    told = {"answer": "In Jaws [1].", "answered_by": "amazon.nova-lite-v1:0", "answer_is_whole": whole}
    assert found == {**FOUND, **told}


def test_of_nothing_found_no_model_is_asked() -> None:
    bedrock = MagicMock()
    assert answered("x", {**FOUND, "answers": []}, "a.model", bedrock)["answer"] == ""
    bedrock.converse.assert_not_called()


def test_without_a_model_an_answer_is_refused_with_what_to_set() -> None:
    with pytest.raises(SearchError, match=r"set store\.answers to the id of one of Bedrock's"):
        check_model("")
