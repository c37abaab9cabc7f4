"""Editors complete contracts by a schema that takes what Causeway takes."""

import copy
import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]

from causeway.contract.json_schema import SCHEMA_FILE, schema
from causeway.engine.infer import SCHEMA_LINE
from causeway.flow.datasets import CONTRACTS

FILES = sorted(CONTRACTS.glob("*.odcs.yaml"))
FLIGHTS: dict[str, Any] = yaml.safe_load((CONTRACTS / "flights.odcs.yaml").read_text("utf-8"))


def test_the_schema_in_the_repository_is_the_models() -> None:
    """`python -m causeway.contract.json_schema` writes it."""
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == schema()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_takes_every_contract_there_is_and_each_names_it(file: Any) -> None:
    text = file.read_text("utf-8")
    jsonschema.validate(yaml.safe_load(text), schema())
    assert text.startswith(SCHEMA_LINE)
    assert (file.parent / SCHEMA_LINE.rpartition("=")[2].strip()).resolve() == SCHEMA_FILE


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        (["schema", 0, "properties", 0], "requird", True),
        (["schema", 0, "properties", 0], "logicalType", "strin"),
        (["schema", 0, "properties", 0], "logicalTypeOptions", {"minimun": 1}),
        (["schema", 0, "customProperties", 0], "property", "delimeter"),
        ([], "verion", "1.0.0"),
    ],
)
def test_it_refuses_names_that_mean_nothing(place: list[Any], key: str, value: Any) -> None:
    contract: Any = copy.deepcopy(FLIGHTS)
    part = contract
    for step in place:
        part = part[step]
    part[key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(contract, schema())
