"""Texts as vectors: what the local model promises, what Bedrock is asked, and how texts are cut."""

import io
import json
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.store import embeddings
from causeway.store.embeddings import COMMON, DIMENSION, LENGTH, OVERLAP, WORD, Hashing, Titan, passages

WORDS = st.lists(st.text("abcdeé1", min_size=1, max_size=9), max_size=30).map(" ".join)


def in_numpy(text: str) -> Any:
    """The same model another way: a matrix of all words' features, its rows added up."""
    words = sorted(set(WORD.findall(text.casefold())))
    words = [word for word in words if word not in COMMON] or words
    matrix = np.zeros((len(words), DIMENSION))
    for row, word in zip(matrix, words, strict=True):
        for at, weight in embeddings._features(word):
            row[at] += weight
    added = matrix.sum(axis=0)
    return added / np.linalg.norm(added)


@given(WORDS)
def test_a_vector_is_of_length_one_and_as_numpy_adds_it_up(text: str) -> None:
    (vector,) = Hashing().embed([text])
    if not WORD.search(text):
        assert vector is None
        return
    assert vector
    assert math.hypot(*vector) == pytest.approx(1)
    assert np.allclose(vector, in_numpy(text), atol=1e-9)


def test_a_model_of_this_name_makes_the_vectors_that_it_made() -> None:
    """Those in stores were made by the code of then: other vectors need another name."""
    (vector,) = Hashing().embed(["A giant shark"])
    assert vector
    nearest = sorted(range(DIMENSION), key=lambda at: -abs(vector[at]))[:3]
    assert (Hashing.name, [(at, round(vector[at], 3)) for at in nearest]) == (
        "causeway-hashing-1",
        [(24, -0.5), (46, 0.5), (0, -0.25)],
    )


@pytest.mark.parametrize("text", ["", " \n", "… — !", "_"])
def test_a_text_without_words_has_no_vector(text: str) -> None:
    assert Hashing().embed([text]) == Titan(None).embed([text]) == [None]


def test_forms_of_a_word_are_nearer_than_other_words() -> None:
    shark, sharks, whale = (np.array(vector) for vector in Hashing().embed(["shark", "Sharks!", "whale"]))
    assert shark @ sharks > 0.2 > abs(shark @ whale)


def test_bedrock_is_asked_for_titans_normalised_vectors_in_the_texts_order() -> None:
    asked = []

    class Bedrock:
        def invoke_model(self, *, modelId: str, body: str) -> dict[str, Any]:  # noqa: N803
            asked.append((modelId, json.loads(body)))
            vector = [float(len(json.loads(body)["inputText"]))]
            return {"body": io.BytesIO(json.dumps({"embedding": vector}).encode())}

    assert Titan(Bedrock()).embed(["one", "fifteen", "-"]) == [[3.0], [7.0], None]
    assert {model for model, _ in asked} == {"amazon.titan-embed-text-v2:0"}
    assert [{**body, "inputText": ""} for _, body in asked] == [
        {"inputText": "", "dimensions": 256, "normalize": True}
    ] * 2


@given(st.text("ab \n", max_size=3 * LENGTH))
def test_passages_have_all_of_a_text_in_order_none_too_long_and_each_the_end_of_the_one_before(
    text: str,
) -> None:
    cut = list(passages(text))
    assert (cut[0][0], cut[-1][1]) == (0, len(text))
    assert all(end - begin <= LENGTH for begin, end in cut)
    for (begin, end), (later, its_end) in pairwise(cut):
        assert begin < later <= end < its_end
        assert end - later <= OVERLAP


def test_passages_are_cut_between_words() -> None:
    text = "word " * 400
    assert all(
        text[begin:end].split() == ["word"] * len(text[begin:end].split()) for begin, end in passages(text)
    )
