"""The external id of a partner: made, changed for another while both are taken, and the former one ended."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from causeway.operate.account import AccountError
from causeway.settings import external_id_file, external_id_variable, external_ids

KEPT = "git ignores it; keep it where the company keeps such things."


def make(partner: str) -> tuple[Path, list[str]]:
    """Raises AccountError rather than replace one that the partner may have."""
    file = external_id_file(partner)
    if file.exists():
        raise AccountError(f"{file} is there already; --rotate-external-id changes it, step by step")
    file.write_text(f"{_another()}\n")
    return file, [f"{file}: written. {KEPT}"]


def rotate(partner: str) -> tuple[Path, list[str]]:
    """Write another before the one there is. Raises AccountError while two are taken already."""
    file, ids = _kept(partner)
    if len(ids) > 1:
        raise AccountError(f"{file} has two ids already: end that rotation first, by --end-rotation")
    file.write_text(f"{_another()}\n{ids[0]}\n")
    return file, [f"{file}: a new external id, and below it the former. {KEPT}", *_steps(partner)]


def end_rotation(partner: str) -> tuple[Path, list[str]]:
    """Leave only the new one. Raises AccountError if there is no other."""
    file, ids = _kept(partner)
    if len(ids) == 1:
        raise AccountError(f"{file} has one id alone: no rotation is under way")
    file.write_text(f"{ids[0]}\n")
    return file, [f"{file}: the new external id alone. `make deploy` ends the former one."]


def _kept(partner: str) -> tuple[Path, list[str]]:
    file, variable = external_id_file(partner), external_id_variable(partner)
    if variable in os.environ:
        raise AccountError(
            f"${variable} says it, not {file}: write there the new id and the former, a space between"
        )
    if not file.exists():
        raise AccountError(f"{file} is not there: make an external id first, by --new-external-id")
    return file, external_ids(partner)


def _steps(partner: str) -> Iterator[str]:
    kit = f"causeway partner-kit{partner and f' --partner {partner}'}"
    yield "1. make deploy: the role takes both."
    yield f"2. {kit}: send the kit anew; the new external id is in it."
    yield f"3. When the partner's programs send that one: {kit} --end-rotation, and make deploy."


def _another() -> str:
    return f"causeway-{secrets.token_hex(16)}"
