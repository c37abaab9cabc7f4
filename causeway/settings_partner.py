"""Settings of the partners: who each is, what it may read and land, and how it gets in."""

from collections.abc import Collection
from typing import Annotated

from pydantic import Field

from causeway.flow.datasets import DATASET
from causeway.flow.nearest import did_you_mean
from causeway.settings_errors import SettingsError
from causeway.settings_texts import (
    A_DATASET,
    AccountId,
    Address,
    Dataset,
    PrincipalName,
    RoleName,
    Section,
    text,
)


class MachineLearning(Section):
    """What is deployed into the partner's account, and the event bus there on which it hears of commits."""

    enabled: bool
    models: list[Annotated[str, text(r"^([a-z][a-z0-9-]{0,19}|\*)$", 'a model\'s name, or "*" for all')]]
    bus: Annotated[str, text(r"^[A-Za-z0-9._-]{1,256}$", "an event bus's name is letters, digits and ._-")]
    role: RoleName
    instance: Annotated[
        str, text(r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", 'an instance of SageMaker AI, as "ml.m5.large"')
    ]
    spot: bool
    emails: list[Address]


ExternalId = Annotated[
    str, text(r"^[A-Za-z0-9+=,.@:/_-]{16,128}$", "letters, digits and +=,.@:/_-, from 16 to 128")
]
PartnerName = Annotated[
    str,
    text(
        r"^[a-z][a-z0-9-]{0,15}$", "a partner's name is up to 16 small letters, digits and -, a letter first"
    ),
]


class Reader(Section):
    """A partner that reads."""

    account: AccountId
    external_id: ExternalId
    # Accepted as well, while the partner changes to the one above.
    former_external_ids: Annotated[list[ExternalId], Field(default_factory=list, max_length=1)]
    datasets: Annotated[
        list[Annotated[str, text(rf"^({DATASET.pattern}|\*)$", f'{A_DATASET}, or "*" for all')]],
        Field(min_length=1),
    ]
    may_land: list[Dataset]
    revoked: bool
    programmatic: bool
    programmatic_roles: Annotated[list[RoleName], Field(min_length=1)]
    source_identity: bool
    vpc_endpoints: list[Annotated[str, text(r"^vpce-[0-9a-f]{8,17}$", 'an endpoint\'s id, as "vpce-…"')]]
    console: bool
    console_principals: Annotated[list[PrincipalName], Field(min_length=1)]
    console_mfa: bool

    def programs(self) -> list[str]:
        """The partner's roles that may assume the programmatic role."""
        return list(dict.fromkeys(self.programmatic_roles))

    def readable(self, known: Collection[str]) -> list[str]:
        """The datasets that it may read, of those that are known; "*" is all of them."""
        return sorted(known if "*" in self.datasets else self.datasets)

    def check_datasets(self, known: list[str], key: str = "partner") -> None:
        """Raises SettingsError if a dataset that the partner may read or land has no contract."""
        unknown = sorted({*self.datasets, *self.may_land} - {*known, "*"})
        if unknown:
            allowed = ", ".join(known)
            meant = did_you_mean(unknown[0], known)
            raise SettingsError(f"{key}: no contract for {', '.join(unknown)}; contracts: {allowed}{meant}")


class Partner(Reader):
    """The partner that makes models, too."""

    ml: MachineLearning

    def programs(self) -> list[str]:
        own = [self.ml.role] if self.ml.enabled else []
        return list(dict.fromkeys([*super().programs(), *own]))
