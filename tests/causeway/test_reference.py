"""The reference pages are what the commands and the settings say of themselves."""

import pytest

from causeway.__main__ import app
from causeway.reference import FOLDER, pages
from causeway.settings import Settings


@pytest.mark.parametrize("name", pages())
def test_the_page_in_the_repository_is_current(name: str) -> None:
    """`python -m causeway.reference` writes it."""
    assert (FOLDER / name).read_text("utf-8") == pages()[name]


def test_every_command_is_on_the_page() -> None:
    text = pages()["commands.md"]
    for command in app.registered_commands:
        assert command.callback
        assert f"## `causeway {command.callback.__name__.replace('_', '-')}`" in text


def test_every_section_of_the_settings_is_on_the_page() -> None:
    text = pages()["settings.md"]
    for name in Settings.model_fields:
        assert f"## [{name}]" in text or f"| `{name}` |" in text
