"""Which changes of a contract break those who read the table it makes."""

from __future__ import annotations

from causeway.contract import Column, Contract


def breaking_changes(old: Contract, new: Contract) -> list[str]:
    """One line for each, naming the column; none when the major version rises, which announces them."""
    if _major(new) > _major(old):
        return []
    before = {column.name: column for column in old.columns}
    after = {column.name: column for column in new.columns}
    found = [f"column {name} is removed" for name in before if name not in after]
    for name, column in after.items():
        if name in before:
            found += [f"column {name}: {change}" for change in _narrowed(before[name], column)]
        elif column.required:
            found.append(
                f"column {name} is new and required, but rows already in the table have no value for it"
            )
    remedy = f"raise the version from {old.version} to {_major(old) + 1}.0.0"
    return [f"{old.dataset}: {change}; {remedy}" for change in found]


def _major(contract: Contract) -> int:
    return int(contract.version.split(".")[0])


def _narrowed(old: Column, new: Column) -> list[str]:
    changes = []
    if _kind(old) != _kind(new) or bool(old.timezone) != bool(new.timezone) or old.scale != new.scale:
        changes.append(f"{_type(old)} becomes {_type(new)}")
    elif new.bits < old.bits or (new.precision or 0) < (old.precision or 0):
        changes.append(f"{_type(old)} is narrowed to {_type(new)}")
    if old.required and not new.required:
        changes.append("readers who rely on a value may now find none (required becomes false)")
    if old.items and new.items:
        changes += [f"items: {change}" for change in _narrowed(old.items, new.items)]
    parts = {part.name: part for part in new.properties}
    for part in old.properties:
        if part.name not in parts:
            changes.append(f"field {part.name} is removed")
        else:
            changes += [f"field {part.name}: {change}" for change in _narrowed(part, parts[part.name])]
    return changes


def _kind(column: Column) -> tuple[str, bool]:
    return column.type, column.precision is not None


def _type(column: Column) -> str:
    return str(column.arrow_type())
