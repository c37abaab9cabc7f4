"""Where in a contract file something is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from causeway.contract.model import ContractError


class Place:
    """A path inside a contract file, to complain with."""

    def __init__(self, file: Path, path: str = "") -> None:
        self.file, self.path = file, path

    def __truediv__(self, step: str) -> Place:
        dot = "." if self.path and not step.startswith("[") else ""
        return Place(self.file, f"{self.path}{dot}{step}")

    def wrong(self, reason: str) -> ContractError:
        return ContractError(f"{self.file}: {self.path or 'file'}: {reason}".replace("\n", " "))


def not_one_of(word: object, allowed: Iterable[str]) -> str:
    listed = list(allowed)
    close = difflib.get_close_matches(str(word), listed, n=1)
    return f"{word!r} is not one of {', '.join(listed)}" + (f"; did you mean {close[0]!r}?" if close else "")


def nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"
