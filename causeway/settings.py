"""The one source of settings: settings.toml, validated and typed."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from causeway import settings_errors
from causeway.flow.nearest import did_you_mean
from causeway.settings_environment import environment_of, read_settings
from causeway.settings_errors import SettingsError
from causeway.settings_inference import InferenceSettings
from causeway.settings_partner import MachineLearning, Partner, PartnerName, Reader
from causeway.settings_store import StoreSettings
from causeway.settings_tags import Tags
from causeway.settings_texts import (
    TEXTS,
    AccountId,
    Address,
    Dataset,
    Region,
    Section,
    text,
)

SETTINGS_FILE = Path(__file__).resolve().parent.parent / "settings.toml"
EXTERNAL_ID_FILE = SETTINGS_FILE.parent / ".external-id"
EMBEDDED_ACCOUNT = "111111111111"
EMBEDDED_EXTERNAL_ID = "causeway-embedded-demo"
MAX_PROFILE_HOURS = 30 * 24


class Company(Section):
    account: AccountId
    region: Region


class Alerts(Section):
    """Who hears of the company's alarms, failed executions and budget."""

    emails: list[Address]


class SmallBatches(Section):
    """What a function curates instead of the Glue job: so many objects and bytes at most."""

    max_objects: Annotated[int, Field(ge=0, le=10_000)]
    max_bytes: Annotated[int, Field(ge=1)]
    memory_mb: Annotated[int, Field(ge=1769, le=10_240)]
    timeout_seconds: Annotated[int, Field(ge=30, le=900)]


class DatasetLimits(Section):
    """What is otherwise for a dataset than [limits] says; a window in seconds, a size in bytes."""

    batch_window_seconds: Annotated[int, Field(ge=1, le=900)] | None = None
    batch_max_objects: Annotated[int, Field(ge=1, le=10_000)] | None = None
    batch_max_bytes: Annotated[int, Field(ge=1)] | None = None
    profile_hours: Annotated[int, Field(ge=0, le=MAX_PROFILE_HOURS)] | None = None


class Limits(Section):
    """Windows in seconds, sizes in bytes, retention in days, money in US dollars."""

    batch_window_seconds: Annotated[int, Field(ge=0, le=300)]
    batch_max_objects: Annotated[int, Field(ge=1, le=10_000)]
    batch_max_bytes: Annotated[int, Field(ge=1)]
    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"]
    workers: Annotated[int, Field(ge=2, le=100)]
    reconcile_hours: Annotated[int, Field(ge=1, le=168)]
    job_timeout_minutes: Annotated[int, Field(ge=1, le=2880)]
    max_concurrent_runs: Annotated[int, Field(ge=1, le=200)]
    profile_hours: Annotated[int, Field(ge=0, le=MAX_PROFILE_HOURS)]
    # Shorter than the shortest time between two runs, so that none meets another.
    profile_minutes: Annotated[int, Field(ge=1, le=55)]
    log_retention_days: Literal[7, 30, 90, 365, 3653]
    landing_retention_days: Annotated[int, Field(ge=1)]
    quarantine_retention_days: Annotated[int, Field(ge=1)]
    snapshot_retention_days: Annotated[int, Field(ge=1)]
    monthly_budget: Annotated[int, Field(ge=1)]
    anomaly_dollars: Annotated[int, Field(ge=0)]


class Settings(Section):
    project: Annotated[
        str, text(r"^[a-z][a-z0-9-]{1,20}$", "2 to 21 lower-case letters, digits and -, a letter first")
    ]
    sandbox: bool
    audit: bool
    job_modules: Annotated[
        str, text(r"^(s3://[a-z0-9.-]{3,63}/.+\.gluewheels\.zip)?$", '"" or "s3://bucket/….gluewheels.zip"')
    ]
    company: Company
    partner: Partner
    partners: dict[PartnerName, Reader] = Field(default_factory=dict)
    alerts: Alerts
    store: StoreSettings
    inference: InferenceSettings
    tags: Tags
    limits: Limits
    small_batches: SmallBatches
    datasets: dict[Dataset, DatasetLimits] = Field(default_factory=dict)

    def every_partner(self) -> dict[str, Reader]:
        """By the name that it has in the settings' keys: "partner", "partners.acme"."""
        return {"partner": self.partner, **{f"partners.{name}": one for name, one in self.partners.items()}}

    def partner_named(self, name: str) -> tuple[str, Reader]:
        """That one of [partners], or [partner] for "", and its key. Raises SettingsError."""
        if name and name not in self.partners:
            known = f"partners: {', '.join(sorted(self.partners)) or 'none but [partner]'}"
            raise SettingsError(f"no partner {name!r}; {known}{did_you_mean(name, self.partners)}")
        return (f"partners.{name}", self.partners[name]) if name else ("partner", self.partner)

    def every_tag(self) -> dict[str, str]:
        """What everything carries, by key."""
        return self.tags.of(self.project)

    def batching(self) -> dict[str, dict[str, int]]:
        """The batching function's limits: for every dataset ("*"), and what single ones have of their own."""
        everywhere = self.limits.model_dump(include={"batch_max_objects", "batch_max_bytes"})
        own = {
            name: limits.model_dump(exclude_none=True, exclude={"profile_hours"})
            for name, limits in self.datasets.items()
        }
        return {
            dataset: {key.removeprefix("batch_"): value for key, value in limits.items()}
            for dataset, limits in {"*": everywhere, **own}.items()
        }

    def profile_hours(self) -> dict[str, int]:
        """The hours between two profiles, 0 for none: of every dataset ("*"), and of those with their own."""
        own = {
            n: limits.profile_hours for n, limits in self.datasets.items() if limits.profile_hours is not None
        }
        return {"*": self.limits.profile_hours, **own}

    def check_datasets(self, known: Collection[str]) -> None:
        """Raises SettingsError if a dataset that the settings name has no contract."""
        for key, partner in self.every_partner().items():
            partner.check_datasets(sorted(known), key)
        if unknown := sorted(self.datasets.keys() - set(known)):
            allowed = ", ".join(sorted(known))
            meant = did_you_mean(unknown[0], known)
            raise SettingsError(
                f"datasets: no contract for {', '.join(unknown)}; contracts: {allowed}{meant}"
            )

    def database(self, kind: Literal["lake", "quarantine"]) -> str:
        """The name of a database of the catalog."""
        return f"{self.project.replace('-', '_')}_{kind}"

    @model_validator(mode="after")
    def _two_accounts(self) -> Self:
        for key, partner in self.every_partner().items():
            if partner.account == self.company.account:
                raise ValueError(
                    f"{key}.account: found {partner.account}, which is company.account as well; "
                    "write the partner's own account: Causeway joins two"
                )
        return self

    @model_validator(mode="after")
    def _partner_takes_a_role(self) -> Self:
        if self.store.partner_reads and not self.partner.programmatic:
            raise ValueError(
                "store.partner_reads: found true, and partner.programmatic false; set that to true as well: "
                "the partner reads the store by programs"
            )
        return self

    @model_validator(mode="after")
    def _own_external_id(self) -> Self:
        for key, partner in self.every_partner().items():
            if self.company.account != EMBEDDED_ACCOUNT and partner.external_id == EMBEDDED_EXTERNAL_ID:
                name = key.removeprefix("partner").removeprefix("s.")
                make = "causeway partner-kit --new-external-id" + (name and f" --partner {name}")
                raise ValueError(
                    f"{key}.external_id: account {self.company.account} needs one of its own; "
                    f"run `{make}`, or set ${external_id_variable(name)}"
                )
        return self


def partner_stack(key: str) -> str:
    """The stack of a partner's roles, after the project, by its key in the settings."""
    return key.replace("partners.", "partner-")


def role_prefix(settings: Settings, key: str) -> str:
    """What the names of a partner's two roles begin with."""
    return settings.project if key == "partner" else f"{settings.project}-{partner_stack(key)}"


def load_settings(path: Path | None = None, environment: str | None = None) -> Settings:
    """Read and validate the settings file: `path`, else $CAUSEWAY_SETTINGS, else settings.toml; over it that
    of the environment: `environment`, else $CAUSEWAY_ENVIRONMENT, else none.

    Raises SettingsError, naming the file, each wrong key, what was found and what is allowed.
    """
    path = path or Path(os.environ.get("CAUSEWAY_SETTINGS", SETTINGS_FILE))
    values, files = read_settings(path, environment := environment_of(environment))
    others = values.get("partners")
    sections = {"": values.get("partner"), **(others if isinstance(others, dict) else {})}
    for name, section in sections.items():
        if isinstance(section, dict):
            first, *former = external_ids(name, environment)
            section.setdefault("external_id", first)
            section.setdefault("former_external_ids", former)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(
            "\n".join(settings_errors.of_values(files, error.errors(), _keys, TEXTS))
        ) from None


def _keys(place: tuple[str | int, ...]) -> Collection[str]:
    """The keys that may stand beside the one at that place."""
    sections: dict[str | int, object] = {
        name: field.annotation for name, field in Settings.model_fields.items()
    }
    if place[:1] == ("partners",):
        return Reader.model_fields
    section = {**sections, "ml": MachineLearning}.get(place[-2]) if len(place) > 1 else Settings
    return getattr(section, "model_fields", DatasetLimits.model_fields)


def external_ids(partner: str = "", environment: str | None = None) -> list[str]:
    """The partner's external id, and after it the former one while that is accepted; "" is [partner]."""
    file = external_id_file(partner, environment)
    kept = file.read_text() if file.exists() else ""
    return (os.environ.get(external_id_variable(partner)) or kept).split() or [EMBEDDED_EXTERNAL_ID]


def external_id_file(partner: str = "", environment: str | None = None) -> Path:
    """Where it is kept: .external-id, .external-id-acme, .external-id.staging, .external-id-acme.staging."""
    own, within = partner and f"-{partner}", environment_of(environment)
    return EXTERNAL_ID_FILE.with_name(f"{EXTERNAL_ID_FILE.name}{own}{within and f'.{within}'}")


def external_id_variable(partner: str) -> str:
    """Which variable of the environment says it instead: the id, and after it the former one, if there is."""
    return f"CAUSEWAY_EXTERNAL_ID{partner and f'_{partner}'}".upper().replace("-", "_")
