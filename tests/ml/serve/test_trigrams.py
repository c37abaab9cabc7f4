"""The tiny language model has learned something, and says it again under the same seed."""

import gzip
import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.serve.trigrams import Trigrams

FILMS = Path(__file__).resolve().parents[3] / "local/demo/data/films-1940s.jsonl.gz"


@pytest.fixture(scope="module")
def plots() -> list[str]:
    films = map(json.loads, gzip.decompress(FILMS.read_bytes()).splitlines())
    return [film["extract"] for film in films if film["extract"]]


def test_of_films_it_never_saw_it_guesses_the_next_word_far_better_than_the_commonest_word_would(
    plots: list[str],
) -> None:
    model, unseen = Trigrams(plots[:-400]), plots[-400:]
    commonest, _ = Counter(word for plot in plots[:-400] for word in model.tokens(plot)).most_common(1)[0]
    guessed = right = common = 0
    for plot in unseen:
        words = model.tokens(plot)
        for i in range(2, len(words)):
            guess = list(islice(model.generate(words[:i], temperature=0, seed=None), 1))
            guessed += 1
            right += guess == [words[i]]
            common += words[i] == commonest
    print(f"{right / guessed:.3f} of {guessed:,} words, {common / guessed:.3f} by the commonest")
    assert right > 4 * common


def test_the_same_seed_says_the_same_and_another_says_something_else(plots: list[str]) -> None:
    model = Trigrams(plots[:200])

    def said(seed: int) -> str:
        return "".join(islice(model.generate([], temperature=1, seed=seed), 30))

    assert said(1) == said(1)
    assert len({said(seed) for seed in range(10)}) > 5


def test_what_it_says_is_a_text_that_ends() -> None:
    model = Trigrams(["A man comes home."])
    assert "".join(model.generate([], temperature=0, seed=None)) == "A man comes home."


@given(st.text())
def test_tokens_joined_are_the_text_but_for_blanks_at_its_end(text: str) -> None:
    assert "".join(Trigrams([]).tokens(text)) == text.rstrip()


@given(st.floats(0, 2), st.integers(0, 100))
def test_at_any_temperature_it_says_words_that_it_saw(temperature: float, seed: int) -> None:
    model = Trigrams(["one two three", "one three two", "two one"])
    words = islice(model.generate(["never seen"], temperature=temperature, seed=seed), 5)
    assert {word.strip() for word in words} <= {"one", "two", "three"}
