"""`python -m causeway.contract.json_schema`: the JSON Schema of contracts, by which editors complete them.

The standard's own model, and of custom properties and options the names that mean something here. What a
schema cannot say, such as which options a type has or which columns there are, `causeway check` does.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from open_data_contract_standard.model import OpenDataContractStandard

from causeway.contract.dialect import FACTS, OF_COLUMNS, SPELLINGS
from causeway.contract.odcs_options import OPTIONS, TYPES

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "contract.schema.json"


def schema() -> dict[str, Any]:
    document: dict[str, Any] = OpenDataContractStandard.model_json_schema(by_alias=True)
    parts = document["$defs"]
    for part in (document, *parts.values()):
        part["additionalProperties"] = False
        for field in part["properties"].values():
            _drop_noise(field)
    _custom(parts, "SchemaObject", FACTS | SPELLINGS)
    _custom(parts, "SchemaProperty", {*SPELLINGS, *OF_COLUMNS})
    column = parts["SchemaProperty"]["properties"]
    column["logicalType"] = {"enum": list(TYPES)}
    names = {name for options in OPTIONS.values() for name in options}
    column["logicalTypeOptions"] = {"type": "object", "propertyNames": {"enum": sorted(names)}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **document,
        "title": "A data contract: one dataset",
    }


def _drop_noise(field: dict[str, Any]) -> None:
    """Titles repeat the names, and the model gives all that is left out as null."""
    for key in ("title", "default"):
        field.pop(key, None)
    given = [option for option in field.get("anyOf", []) if option != {"type": "null"}]
    if len(given) == 1:
        del field["anyOf"]
        field.update(given[0])


def _custom(parts: dict[str, Any], owner: str, names: Iterable[str]) -> None:
    """The custom properties that this part of a contract may have."""
    of_part = f"CustomPropertyOf{owner}"
    general = parts["CustomProperty"]
    properties = general["properties"] | {"property": {"enum": sorted(names)}}
    parts[of_part] = general | {"properties": properties, "required": ["property", "value"]}
    listed = {"type": "array", "items": {"$ref": f"#/$defs/{of_part}"}}
    parts[owner]["properties"]["customProperties"] = listed


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json.dumps(schema(), indent=1) + "\n", "utf-8")
