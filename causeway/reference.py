"""`python -m causeway.reference`: docs/reference, from the commands' help and the settings' model."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from typer.cli import get_docs_for_click

from causeway.__main__ import app
from causeway.settings import SETTINGS_FILE
from causeway.settings_schema import schema

FOLDER = SETTINGS_FILE.parent / "docs" / "reference"
NOTE = "<!-- Generated: python -m causeway.reference -->\n\n"


def pages() -> dict[str, str]:
    """The text of each page, by its file's name."""
    return {"commands.md": NOTE + commands(), "settings.md": NOTE + settings()}


def commands() -> str:
    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="causeway", title="Commands")
    return text.replace("<", "&lt;").rstrip() + "\n"


def settings() -> str:
    document, committed = schema(), tomllib.loads(SETTINGS_FILE.read_text("utf-8"))
    lines = [
        "# Settings",
        "",
        "What differs between deployments is in `settings.toml`. A wrong value is one line at synth; editors",
        "complete the file by [its schema](../settings.schema.json).",
        *_section(document, document, committed, ""),
    ]
    return "\n".join(lines) + "\n"


def _section(
    document: Mapping[str, Any], part: Mapping[str, Any], committed: Mapping[str, Any], name: str
) -> Iterator[str]:
    """A table of the section's own keys; then the sections inside it."""
    keys = {key: field for key, field in part["properties"].items() if not _inner(document, field)}
    yield from ("", f"## [{name}]" if name else "## Of all", "")
    if described := part.get("description"):
        yield from (" ".join(described.split()), "")
    if keys:
        yield from ("| key | is | in the file | |", "|---|---|---|---|")
    for key, field in keys.items():
        value = f"`{_toml(committed[key])}`" if key in committed else "left out"
        yield f"| `{key}` | {_type(field)} | {value} | {_cell(field.get('description', ''))} |"
    for key, field in part["properties"].items():
        if inner := _inner(document, field):
            yield from _section(document, inner, committed.get(key, {}), f"{name}.{key}".lstrip("."))


def _inner(document: Mapping[str, Any], field: Mapping[str, Any]) -> Any:
    return document["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else None


def _type(field: Mapping[str, Any]) -> str:
    if options := field.get("anyOf"):
        return " or ".join(_type(option) for option in options if option != {"type": "null"})
    if values := field.get("enum"):
        return ", ".join(f"`{_toml(value)}`" for value in values)
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    words = {"minimum": "least", "maximum": "most"}
    bounds = [f"{field[name]:,} at {word}" for name, word in words.items() if name in field]
    return ", ".join([str(field.get("type", "table")), *bounds])


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")
