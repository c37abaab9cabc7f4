"""The one source of settings: settings.toml, validated and typed."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

SETTINGS_FILE = Path(__file__).resolve().parent.parent / "settings.toml"
EMBEDDED_ACCOUNT = "111111111111"
EMBEDDED_EXTERNAL_ID = "causeway-embedded-demo"


def _text(pattern: str) -> Any:
    return StringConstraints(strict=True, pattern=pattern)


AccountId = Annotated[str, _text(r"^[0-9]{12}$")]
RoleName = Annotated[str, _text(r"^[A-Za-z0-9+=,.@_-]{1,64}$")]


class SettingsError(ValueError):
    """A settings file that cannot be used; the message has one line per wrong key."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Company(_Section):
    account: AccountId
    region: Annotated[str, _text(r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]


class Partner(_Section):
    account: AccountId
    external_id: Annotated[str, _text(r"^[A-Za-z0-9+=,.@:/_-]{16,128}$")]
    programmatic_roles: Annotated[list[RoleName], Field(min_length=1)]
    console_roles: Annotated[list[RoleName], Field(min_length=1)]


class Limits(_Section):
    """Windows in seconds, sizes in bytes, retention in days, money in US dollars."""

    batch_window_seconds: Annotated[int, Field(ge=0, le=300)]
    batch_max_objects: Annotated[int, Field(ge=1, le=10_000)]
    batch_max_bytes: Annotated[int, Field(ge=1)]
    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"]
    workers: Annotated[int, Field(ge=2, le=100)]
    job_timeout_minutes: Annotated[int, Field(ge=1, le=2880)]
    max_concurrent_runs: Annotated[int, Field(ge=1, le=200)]
    log_retention_days: Literal[7, 30, 90, 365, 3653]
    landing_retention_days: Annotated[int, Field(ge=1)]
    quarantine_retention_days: Annotated[int, Field(ge=1)]
    monthly_budget: Annotated[int, Field(ge=1)]


class Settings(_Section):
    project: Annotated[str, _text(r"^[a-z][a-z0-9-]{1,20}$")]
    sandbox: bool
    company: Company
    partner: Partner
    limits: Limits


def load_settings(path: Path | None = None) -> Settings:
    """Read and validate the settings file: `path`, else $CAUSEWAY_SETTINGS, else settings.toml.

    Raises SettingsError, naming the file, each wrong key, what was found and what is allowed.
    """
    path = path or Path(os.environ.get("CAUSEWAY_SETTINGS", SETTINGS_FILE))
    try:
        return Settings.model_validate(tomllib.loads(path.read_text()))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such settings file") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        raise SettingsError("\n".join(_line(path, problem) for problem in error.errors())) from None


def _line(path: Path, problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{path}: {key}: missing; add it"
    if problem["type"] == "extra_forbidden":
        return f"{path}: {key}: unknown key; remove it or mend its spelling"
    return f"{path}: {key}: found {problem['input']!r}; {problem['msg']}"
