"""Settings of the relational store."""

from typing import Annotated, Literal

from pydantic import Field

from causeway.settings_texts import PrincipalName, Section, text


class StoreSettings(Section):
    """The relational store. Capacity in Aurora's units of 2 GB."""

    enabled: bool
    max_capacity: Annotated[int, Field(ge=1, le=256)]
    pause_after_minutes: Annotated[int, Field(ge=5, le=1440)]
    readers: Annotated[list[PrincipalName], Field(min_length=1)]
    partner_reads: bool
    embeddings: Literal["local", "bedrock"]
    vectors: Literal["postgres", "s3"]
    answers: Annotated[str, text(r"^([a-z0-9]+\.[a-z0-9:-]+)?$", '"" or an id: "amazon.nova-lite-v1:0"')]
