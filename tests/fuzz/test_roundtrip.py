"""The properties at a size that takes a minute; `make fuzz ARGS="--minutes N"` for as long as one likes."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import search
from tests.fuzz.properties import PROPERTIES


@pytest.mark.parametrize("name", PROPERTIES)
def test_no_value_differs(name: str) -> None:
    assert search(name, examples=60, seed=1) is None
