"""Editors are told what settings there are by a schema that says what the model and the file say."""

import json
import tomllib

from causeway.settings import SETTINGS_FILE
from causeway.settings_schema import SCHEMA_FILE, comments, schema


def test_the_schema_in_the_repository_is_the_models() -> None:
    """`python -m causeway.settings_schema` writes it."""
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == schema()


def test_every_comment_of_the_file_becomes_a_description() -> None:
    described = json.dumps(schema())
    for place, text in comments(SETTINGS_FILE.read_text("utf-8")):
        assert json.dumps(text)[1:-1] in described, place


def test_the_file_names_its_schema_to_editors() -> None:
    first = SETTINGS_FILE.read_text("utf-8").splitlines()[0]
    assert SETTINGS_FILE.parent / first.removeprefix("#:schema ") == SCHEMA_FILE
    tomllib.loads(SETTINGS_FILE.read_text("utf-8"))  # to which it is a comment
