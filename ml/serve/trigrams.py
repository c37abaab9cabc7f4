"""A language model small enough for any processor: counts of which word followed which two.

It is real, in that it was trained and predicts, and no more: it has no weights and no cache, and says nothing
of the speed or the sense of a large one. Behind the same interface on AWS is a container's model, as vLLM's.
"""

import gzip
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

WORD = re.compile(r"\s*(?:\w+|[^\w\s])")  # with the space before it, so that words joined are the text
END = ""
DISCOUNT = 0.75  # of each count, kept for words that did not follow these two (Ney, Essen and Kneser 1994)


class Trigrams:
    """What follows two words, or one, or any, in the texts it was trained on."""

    name = "trigrams"

    def __init__(self, texts: Iterable[str]) -> None:
        self._next: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for text in texts:
            words = [END, END, *self.tokens(text), END]
            for i in range(2, len(words)):
                for start in range(i - 2, i + 1):
                    self._next[tuple(words[start:i])][words[i]] += 1

    @classmethod
    def of_films(cls, path: Path) -> "Trigrams":
        """Trained on the plots of films, in gzipped lines of JSON."""
        films = map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
        return cls(plot for film in films if (plot := film["extract"]))

    def tokens(self, text: str) -> list[str]:
        return WORD.findall(text)

    def generate(self, prompt: Sequence[str], *, temperature: float, seed: int | None) -> Iterator[str]:
        """Word after word, until the text would end. Temperature 0 takes the likeliest."""
        words, chance = [END, END, *prompt], random.Random(seed)
        while (word := self._draw(words[-2:], temperature, chance)) != END:
            yield word
            words.append(word)

    def _draw(self, context: Sequence[str], temperature: float, chance: random.Random) -> str:
        for start in range(len(context)):
            if not (seen := self._next.get(tuple(context[start:]))):
                continue
            if not temperature:
                return max(seen, key=lambda word: (seen[word], word))
            if chance.random() >= DISCOUNT * len(seen) / seen.total():
                return self._choose(seen, temperature, chance)
        return self._choose(self._next[()], temperature, chance)

    @staticmethod
    def _choose(seen: Counter[str], temperature: float, chance: random.Random) -> str:
        most = max(seen.values()) - DISCOUNT  # of which each is a share, lest powers overflow or all vanish
        weights = [((n - DISCOUNT) / most) ** (1 / (temperature or 1)) for n in seen.values()]
        return chance.choices(list(seen), weights)[0]
