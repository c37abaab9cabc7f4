"""`python -m causeway.settings_schema`: the JSON Schemas of settings.toml and an environment's file.

Types and limits are the model's (causeway/settings.py); what a key means is what the file says above it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from causeway.settings import SETTINGS_FILE, Settings

SCHEMA_FILE = SETTINGS_FILE.parent / "docs" / "settings.schema.json"
ENVIRONMENT_SCHEMA_FILE = SCHEMA_FILE.with_name("settings.environment.schema.json")
SECTION, KEY = re.compile(r"\[([a-z_.]+)\]$"), re.compile(r"([a-z_]+) = ")


def schema() -> dict[str, Any]:
    document: dict[str, Any] = Settings.model_json_schema()
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **document,
        "title": "settings.toml",
    }
    for kind in ("Partner", "Reader"):  # are kept out of the file
        document["$defs"][kind]["required"].remove("external_id")
        for name in ("external_id", "former_external_ids"):
            del document["$defs"][kind]["properties"][name]
    for place, text in comments(SETTINGS_FILE.read_text("utf-8")):
        *sections, key = place
        _at(document, sections)["properties"][key]["description"] = text
    return document


def environment_schema() -> dict[str, Any]:
    """Of a file that says only what is otherwise: nothing is required, but of further partners."""
    document = schema()
    del document["properties"]["project"]
    for name, part in [("", document), *document["$defs"].items()]:
        if name != "Reader":
            part.pop("required", None)
    return {**document, "title": "settings.<environment>.toml"}


def comments(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """What stands in the lines above a key or a section, by its place."""
    section: tuple[str, ...] = ()
    above: list[str] = []
    for line in text.splitlines():
        if line.startswith("# "):
            above.append(line.removeprefix("# "))
            continue
        if found := SECTION.match(line):
            section = place = tuple(found[1].split("."))
        elif found := KEY.match(line):
            place = (*section, found[1])
        if found and above:
            yield place, " ".join(above)
        above = []


def _at(document: dict[str, Any], sections: list[str]) -> dict[str, Any]:
    part = document
    for section in sections:
        name = part["properties"][section]["$ref"].rpartition("/")[2]
        part = document["$defs"][name]
    return part


if __name__ == "__main__":
    for file, content in ((SCHEMA_FILE, schema()), (ENVIRONMENT_SCHEMA_FILE, environment_schema())):
        file.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
