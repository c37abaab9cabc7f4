"""What texts settings may be, in patterns and in words."""

import re
from functools import cache
from typing import Annotated, Any

import botocore.session
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from causeway.flow.datasets import DATASET
from causeway.flow.nearest import did_you_mean

ADDRESS = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}", re.ASCII
)  # SNS takes more
TEXTS: dict[str, str] = {}  # what each pattern allows, in words


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def text(pattern: str, allowed: str) -> Any:
    """A text that matches, and in words what does."""
    TEXTS[pattern] = allowed
    return StringConstraints(strict=True, pattern=pattern)


@cache
def _regions() -> list[str]:
    """AWS's regions as boto3 has them: no rule tells a new one from a slip of the pen."""
    aws = botocore.session.get_session()
    return [r for part in aws.get_available_partitions() for r in aws.get_available_regions("s3", part)]


def _region(name: str) -> str:
    if name not in (known := _regions()):
        raise ValueError(
            f"no region that boto3 {botocore.__version__} knows, such as us-east-1 or eu-central-1"
            f"{did_you_mean(name, known)}; for one that is newer, pin a newer boto3 in requirements.in"
        )
    return name


def _address(name: str) -> str:
    if not ADDRESS.fullmatch(name):
        raise ValueError("an address is name@domain, such as data@example.com; mend it")
    return name


AccountId = Annotated[str, text(r"^[0-9]{12}$", 'an account id is 12 digits, as in "111111111111"')]
A_DATASET = "lower-case letters, digits and _, a letter first, 40 at most: a contract's name"
Dataset = Annotated[str, text(rf"^{DATASET.pattern}$", A_DATASET)]
RoleName = Annotated[
    str,
    text(
        r"^([A-Za-z0-9_.-]+/)*[A-Za-z0-9+=,.@_-]{1,64}$",
        "a role's name is letters, digits and +=,.@_-, 64 at most, after its path if it has one",
    ),
]
# Wildcards only where the partner cannot make roles of its own: what single sign-on names.
SINGLE_SIGN_ON = r"role/aws-reserved/sso\.amazonaws\.com/[A-Za-z0-9+=,.@_/*-]+"
PrincipalName = Annotated[
    str,
    text(
        rf"^(user|role)/([A-Za-z0-9_.-]+/)*[A-Za-z0-9+=,.@_-]{{1,64}}$|^{SINGLE_SIGN_ON}$",
        'a principal is "user/<name>" or "role/<name>"',
    ),
]
Region = Annotated[str, AfterValidator(_region)]
Address = Annotated[str, AfterValidator(_address)]
