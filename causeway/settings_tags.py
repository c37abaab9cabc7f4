"""The tags that everything carries: a required set, and the user's own, as AWS takes them."""

import re
from collections import Counter
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

# What all services take. Some take more, and some would refuse it only when they deploy.
TEXT = re.compile(r"[\w +=.:/@-]+")
CHARACTERS = "letters, digits, spaces and + - = . _ : / @"
LONGEST_KEY, LONGEST_VALUE, MOST = 128, 256, 50
REQUIRED = ("owner", "environment", "cost_centre", "data_classification")
PROJECT = "project"  # its value is the name of the project


def _taken(text: str, longest: int, what: str) -> str:
    if not TEXT.fullmatch(text) or len(text) > longest or text != text.strip():
        raise ValueError(f"a tag's {what} is 1 to {longest} of {CHARACTERS}, no space at either end; mend it")
    return text


def _key(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise ValueError("keys that begin with aws: are AWS's own; choose another")
    return _taken(key, LONGEST_KEY, "key")


Key = Annotated[str, AfterValidator(_key)]
Value = Annotated[str, AfterValidator(lambda value: _taken(value, LONGEST_VALUE, "value"))]


class Tags(BaseModel):
    """The required tags by their keys, with _ for -; `own` are the user's."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    owner: Value
    environment: Value
    cost_centre: Value
    data_classification: Value
    own: dict[Key, Value] = {}

    def of(self, project: str) -> dict[str, str]:
        """Every tag of that project, by key."""
        required = {name.replace("_", "-"): getattr(self, name) for name in REQUIRED}
        return {PROJECT: project, **required, **self.own}

    @model_validator(mode="after")
    def _no_clash(self) -> Self:
        """IAM takes keys that differ in case alone for one."""
        given = [PROJECT, *(name.replace("_", "-") for name in REQUIRED), *self.own]
        if len(given) > MOST:
            raise ValueError(f"{len(given)} tags in all, and AWS takes {MOST} of a resource; remove some")
        times = Counter(key.lower() for key in given)
        if clash := [key for key in given if times[key.lower()] > 1]:
            raise ValueError(f"{' and '.join(clash)} clash: AWS tells keys apart by more than their case")
        return self
