"""How work on the parts of a table is added up."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


class AddUp(Protocol):
    """Works on each part, in this process or elsewhere, and adds up the results."""

    def __call__(self, work: Callable[[Part], Result], parts: Sequence[Part], /) -> Result: ...


def in_turn(work: Callable[[Part], Result], parts: Iterable[Part], /) -> Result:
    return functools.reduce(operator.add, map(work, parts))
