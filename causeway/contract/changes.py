"""Refuses a contract that breaks those who read the table it makes, as git remembers the contract."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from causeway.contract.load import load_contract
from causeway.contract.model import Column, Contract, ContractError
from causeway.flow.datasets import SUFFIX


def load_kept(path: Path, load: Callable[[Path], Contract] = load_contract) -> Contract:
    """The contract, if it keeps what every committed one of its major version promised.

    Every one, not the last: in CI the last is the change itself, and a break that one commit brought
    would pass with the next. Raises ContractError, a line for each change that breaks readers.
    """
    contract = load(path)
    broken: dict[tuple[str, str], str] = {}
    for commit, old in _committed(path):
        if old.table != contract.table:
            break  # its readers have a table of their own, and so have those before it
        major = old.next_major
        table = f"{contract.dataset}_v{major}"
        remedy = f"undo it, or raise the version to {major}.0.0, whose table {table} is made"
        reason = f"which breaks readers of version {old.version} (commit {commit[:7]})"
        for change in breaking_changes(old, contract):
            broken.setdefault(change, f"{reason}; {remedy} beside this one and filled by replay")
    if broken:
        raise ContractError(
            "\n".join(f"{path}: {place}: {change}, {reason}" for (place, change), reason in broken.items())
        )
    return contract


def _committed(path: Path) -> Iterator[tuple[str, Contract]]:
    """The contract as each commit had it, newest first."""
    if not _has_history(path.parent):
        return
    for commit in (_git(path.parent, "log", "--format=%H", "--", path.name) or "").split():
        text = _git(path.parent, "show", f"{commit}:./{path.name}")
        if text is not None:  # not the commit that deleted it
            with contextlib.suppress(ContractError):  # one that could not be deployed has no readers
                yield commit, load_contract(path, text)


def tell_withdrawn(folder: Path) -> None:
    """Say of each contract that the newest commit, or a change since, deletes what that will do.

    It is a notice and no error: a dataset is retired so. Later commits say nothing of it.
    """
    before = "HEAD" if _git(folder, "rev-parse", "HEAD^") is None else "HEAD^"
    deleted = ("diff", "--name-only", "--no-renames", "--diff-filter=D", "--relative", before, "--")
    for name in (_git(folder, *deleted, f"*{SUFFIX}") or "").splitlines():
        path, dataset = folder / name, name.removesuffix(SUFFIX)
        last = before if _git(folder, "cat-file", "-e", f"HEAD:./{name}") is None else "HEAD"
        _say(
            f"{path} is deleted: once deployed, the partner cannot read {dataset}, its table is kept, "
            f"and what lands of it is quarantined; `causeway retire {dataset}` drops the table then, "
            f"`git checkout {last} -- {path}` brings the contract back"
        )


@functools.cache
def _has_history(folder: Path) -> bool:
    shallow = _git(folder, "rev-parse", "--is-shallow-repository")
    if shallow is None:
        _say(f"{folder} is in no git checkout: its contracts were not compared with earlier ones")
    elif shallow.strip() == "true":
        _say(f"this checkout is shallow: {folder} was compared with the commits it has; fetch all of them")
    return shallow is not None


def _say(notice: str) -> None:
    print(f"causeway: {notice}", file=sys.stderr)


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, None if it cannot."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def breaking_changes(old: Contract, new: Contract) -> list[tuple[str, str]]:
    """Where and what, for each; none when the major version rises, which announces them."""
    if new.table != old.table:
        return []
    before = {column.name for column in old.columns}
    changes = _of_columns(old.columns, new.columns, "schema[0].properties")
    for i, column in enumerate(new.columns):
        if column.required and column.name not in before and not column.withheld:
            changes.append(
                (f"schema[0].properties[{i}] ({column.name})", "is new and required, but old rows lack it")
            )
    return changes


def _of_columns(old: tuple[Column, ...], new: tuple[Column, ...], place: str) -> list[tuple[str, str]]:
    at = {column.name: i for i, column in enumerate(new) if not column.withheld}
    changes = []
    for column in (column for column in old if not column.withheld):
        if column.name in at:
            i = at[column.name]
            changes += _narrowed(column, new[i], f"{place}[{i}] ({column.name})")
        else:
            changes.append((f"{place} ({column.name})", "is removed"))
    return changes


def _narrowed(old: Column, new: Column, place: str) -> list[tuple[str, str]]:
    changes = []
    if old.hashed != new.hashed:
        changes.append((place, "is hashed" if new.hashed else "is no longer hashed"))
    elif _kind(old) != _kind(new):
        changes.append((place, f"{_type(old)} becomes {_type(new)}"))
    elif new.bits < old.bits or (new.precision or 0) < (old.precision or 0):
        changes.append((place, f"{_type(old)} is narrowed to {_type(new)}"))
    if old.required and not new.required:
        changes.append((place, "is no longer required, so a value may be missing"))
    if old.items and new.items:
        changes += _narrowed(old.items, new.items, f"{place}.items")
    return changes + _of_columns(old.properties, new.properties, f"{place}.properties")


def _kind(column: Column) -> tuple[object, ...]:
    return column.type, column.precision is None, column.scale, column.timezone is None


def _type(column: Column) -> str:
    return str(column.arrow_type())
