"""Commands that documents show are ones that the command line takes."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from causeway.__main__ import app
from causeway.settings import SETTINGS_FILE

ROOT = SETTINGS_FILE.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# In a line of a shell, up to a comment or what is another command's; in a text, between backticks.
CALL = re.compile(r"(?:^|[\s(/`])causeway ([a-z][^|;&)<>\n`#]*)")
INLINE = re.compile(r"`causeway ([a-z][^`…]*)`")


def calls(page: Path) -> set[str]:
    text = page.read_text("utf-8")
    shown = {call for block in BLOCK.findall(text) for call in CALL.findall(re.sub(r"\s#.*", "", block))}
    # [--version V]: what may be left out.
    return {re.sub(r"[][]", "", call).strip() for call in shown | {*INLINE.findall(BLOCK.sub("", text))}}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_shows_is_taken(page: Path) -> None:
    for call in sorted(calls(page)):
        command, words = typer.main.get_command(app), shlex.split(call)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
        assert len(words) < len(shlex.split(call)), f"there is no causeway {call}"
        if getattr(command, "commands", None):
            continue  # `causeway costs`: what it takes is its subcommands'
        try:
            _, left, _ = command.make_parser(typer.Context(command)).parse_args(words)
        except typer.TyperException as error:
            pytest.fail(f"causeway {call}: {error.format_message()}")
        assert left == [], f"causeway {call}: {left} is nothing that it takes"


def test_pages_show_commands() -> None:
    assert sum(len(calls(page)) for page in PAGES) > 100
