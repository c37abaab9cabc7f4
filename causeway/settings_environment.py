"""Environments: settings.toml, and over it what settings.<environment>.toml says otherwise."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from causeway import settings_errors
from causeway.flow.nearest import did_you_mean
from causeway.settings_errors import SettingsError

ENVIRONMENT = "CAUSEWAY_ENVIRONMENT"
NAME = re.compile(r"(?!partner$)[a-z][a-z0-9]{0,9}")  # stacks of partners are named <project>-partner-…
# In the partner's account these have names of their own, not made of the project's.
NAMED_THERE = ("bus", "role")
Values = dict[str, Any]


def environment_of(wanted: str | None) -> str:
    """The environment: this one, else $CAUSEWAY_ENVIRONMENT's; "" for settings.toml alone."""
    return wanted if wanted is not None else os.environ.get(ENVIRONMENT, "")


def read_settings(path: Path, environment: str) -> tuple[Values, str]:
    """The values of that environment, and what to call the files they are from. Raises SettingsError."""
    values = _read(path)
    if not environment:
        return values, str(path)
    overlay = _overlay(path, environment)
    if not NAME.fullmatch(environment) or not overlay.exists():
        known = environments(path)
        there = f"there are {', '.join(known) or 'none'}{did_you_mean(environment, known)}"
        raise SettingsError(
            f"{overlay}: no such settings file; environments: {there}; an environment's name is up to 10 "
            "small letters and digits, a letter first"
        )
    own = _read(overlay)
    if "project" in own:
        raise SettingsError(
            f"{overlay}: project: is made of that of {path.name} and {environment!r}; remove it"
        )
    merged = _in_environment(values, own, environment)
    _check_names(path, overlay, environment, merged)
    return merged, f"{path} with {overlay.name}"


def environments(path: Path) -> list[str]:
    """Those that have a settings file beside that one."""
    found = path.parent.glob(f"{path.stem}.*{path.suffix}")
    return sorted(
        file.name.split(".")[1] for file in found if file.name.count(".") == path.name.count(".") + 1
    )


def _overlay(path: Path, environment: str) -> Path:
    return path.with_name(f"{path.stem}.{environment}{path.suffix}")


def _read(path: Path) -> Values:
    try:
        return tomllib.loads(written := path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such settings file") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(settings_errors.of_toml(path, written, error)) from None


def _in_environment(values: Values, own: Values, environment: str) -> Values:
    named = {"project": f"{values.get('project')}-{environment}", "tags": {"environment": environment}}
    return _over(_over(values, named), own)


def _over(values: Mapping[str, Any], own: Mapping[str, Any]) -> Values:
    """The one with the other's keys over its own, section by section."""
    both = {**values, **own}
    for key in values.keys() & own.keys():
        if isinstance(values[key], dict) and isinstance(own[key], dict):
            both[key] = _over(values[key], own[key])
    return both


def _check_names(path: Path, overlay: Path, environment: str, values: Values) -> None:
    """Raises SettingsError for a name that another environment has in the same account of the partner's."""
    base = _read(path)
    others = {path.name: base}
    for name in environments(path):
        if name != environment:
            others[_overlay(path, name).name] = _in_environment(base, _read(_overlay(path, name)), name)
    for file, other in others.items():
        for key in NAMED_THERE:
            if (there := _named_there(values, key)) and there == _named_there(other, key):
                raise SettingsError(
                    f"{overlay}: partner.ml.{key}: {file} has {there[1]!r} as well, in the same account; "
                    f'write another, as "{there[1]}-{environment}"'
                )


def _named_there(values: Values, key: str) -> tuple[str, str] | None:
    partner = values.get("partner")
    ml = partner.get("ml") if isinstance(partner, dict) else None
    if not isinstance(partner, dict) or not isinstance(ml, dict) or not ml.get("enabled"):
        return None
    return str(partner.get("account")), str(ml.get(key))
