"""Texts as vectors, of passages and of questions alike. Functions use this: the standard library alone."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Protocol

from causeway.flow.clients import PATIENT

DIMENSION = 256
LENGTH, OVERLAP = 500, 100  # characters of a passage at most, and those that it has of the one before
WORD = re.compile(r"[^\W_]+")
GRAM = 4  # characters
# They are in most texts and say nothing of any.
COMMON = frozenset(
    WORD.findall(
        "a an and are as at be by for from has have he her his in is it its of on or she that the their they"
        " this to was were which who with"
    )
)
TITAN = "amazon.titan-embed-text-v2:0"
CALLS = 8  # of Bedrock at the same time; it takes one text a call

Vector = list[float]


class Embedder(Protocol):
    """Two texts are near to each other if their vectors are. Of two models they say nothing."""

    name: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        """None for a text without words."""


class Hashing:
    """Hashed words, and pieces of words so that forms of one are near: it finds words, not what they mean."""

    name, dimension = "causeway-hashing-1", DIMENSION  # another number once it makes other vectors

    def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        return [_embed(text) for text in texts]


class Titan:
    """Amazon's Titan Text Embeddings V2, on Bedrock."""

    name, dimension = TITAN, DIMENSION

    def __init__(self, bedrock: Any) -> None:
        self._bedrock = bedrock

    def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        with ThreadPoolExecutor(CALLS) as pool:
            return list(pool.map(self._one, texts))

    def _one(self, text: str) -> Vector | None:
        if not WORD.search(text):
            return None
        asked = {"inputText": text, "dimensions": DIMENSION, "normalize": True}
        answer = self._bedrock.invoke_model(modelId=TITAN, body=json.dumps(asked))
        return list(json.loads(answer["body"].read())["embedding"])


def embedder(setting: str, session: Any) -> Embedder:
    """What the settings' `store.embeddings` names; calls with this boto3, or session of it."""
    return Titan(session.client("bedrock-runtime", config=PATIENT)) if setting == "bedrock" else Hashing()


def _embed(text: str) -> Vector | None:
    """Each word counts once: what a text is about it says in few places."""
    found = set(WORD.findall(text.casefold()))
    if not found:
        return None
    vector = [0.0] * DIMENSION
    for word in sorted(found - COMMON or found):  # sorted: sums are the same everywhere
        for at, weight in _features(word):
            vector[at] += weight
    length = math.hypot(*vector)
    return [value / length for value in vector] if length else None


@lru_cache(1 << 16)
def _features(word: str) -> list[tuple[int, float]]:
    """Places and weights: 1 for the word, and as much for all of its pieces together."""
    marked = f"<{word}>"
    pieces = [marked[at : at + GRAM] for at in range(len(marked) - GRAM + 1)]
    return [_place(word, 1.0), *(_place(f"#{piece}", len(pieces) ** -0.5) for piece in pieces)]


def _place(feature: str, weight: float) -> tuple[int, float]:
    """By a hash: features that meet in one place add or cancel, as its sign says, and even out."""
    number = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
    return number % DIMENSION, weight if number >> 63 else -weight


def passages(text: str) -> Iterator[tuple[int, int]]:
    """Where each begins and ends. They are cut between words, and have the end of the one before."""
    begin = 0
    while (end := begin + LENGTH) < len(text):
        blank = text.rfind(" ", begin + LENGTH // 2, end + 1)
        end = end if blank < 0 else blank
        yield begin, end
        blank = text.find(" ", end - OVERLAP, end)
        begin = end - OVERLAP if blank < 0 else blank + 1
    yield begin, len(text)
