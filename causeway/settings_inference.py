"""Settings of the language model on accelerated machines."""

import re
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from causeway.settings_texts import PrincipalName, Section, text

# A registry's account and region, and a repository in it; by digest, for a tag may come to mean another.
IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([a-z0-9._/-]+)@sha256:[0-9a-f]{64}")
EXAMPLE = '"<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>"'


class InferenceSettings(Section):
    """Context in tokens, concurrency in requests of one instance; what else is wrong, the sizing says."""

    enabled: bool
    model: str
    dtype: str
    context: Annotated[int, Field(ge=1)]
    concurrency: Annotated[int, Field(ge=1)]
    max_instances: Annotated[int, Field(ge=1, le=10)]
    model_data: Annotated[str, text(r"^(s3://[a-z0-9.-]{3,63}/(\S+/)?)?$", '"" or "s3://<bucket>/<prefix>/"')]
    image: Annotated[str, text(rf"^({IMAGE.pattern})?$", f'"" or {EXAMPLE}')]
    users: Annotated[list[PrincipalName], Field(min_length=1)]

    @field_validator("model_data", "image")
    @classmethod
    def _given(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("enabled") and not value:
            raise ValueError("with enabled = true it is needed: write where it is, or enabled = false")
        return value
