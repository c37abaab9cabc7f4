"""The nearest name that is right, for the error of one that is not."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """What a wrong name's error adds, if one that is right is near."""
    nearest = difflib.get_close_matches(name, list(valid), 1)
    return f"; did you mean {nearest[0]}?" if nearest else ""
