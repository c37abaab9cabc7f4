"""What a settings file's mistakes are answered with: a line each, with what is allowed and what to write."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from causeway.flow.nearest import did_you_mean


class SettingsError(ValueError):
    """A settings file that cannot be used; the message has one line per wrong key."""


WORDS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
# By pydantic's name of the mistake.
REMEDIES = {
    "string_type": "write it in quotes",
    "bool_type": "write true or false, without quotes",
    "int_type": "write it without quotes",
    "list_type": 'write it in brackets: ["…"]',
}


def of_toml(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    """Where the file stops being TOML, what stands there, and what to write instead."""
    reason, number = str(error), len(lines := text.splitlines())
    if place := re.search(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", reason):
        reason, number = place[1], int(place[2] or number)
    line = lines[number - 1].strip() if lines else ""
    return f"{path}: line {number}: {line!r} is not TOML ({reason.lower()}); {_instead(line, reason)}"


def _instead(line: str, reason: str) -> str:
    key, equals, value = (part.strip() for part in line.partition("="))
    if reason.startswith("Cannot "):
        return "the key or the section is there twice: remove one"
    if not equals and not line.startswith("["):
        return 'write key = value, as in region = "us-east-1"'
    if word := WORDS.get(value.lower()):
        return f"write {key} = {word}"
    if re.fullmatch(r"[\w./:@*-]+", value):
        return f'text goes in quotes: write {key} = "{value}"'
    return (
        'close what is open, here or above; text is "quoted", lists [bracketed], numbers, true and false bare'
    )


def of_values(
    path: str,
    problems: Iterable[Any],
    keys: Callable[[tuple[str | int, ...]], Collection[str]],
    texts: Mapping[str, str],
) -> Iterator[str]:
    """A line for each key that is wrong; one that is missing because it is misspelt is told once.

    `keys` gives those that may stand beside the one at a place; `texts` says what each pattern allows.
    """
    told = list(problems)
    unknown = [one["loc"] for one in told if one["type"] == "extra_forbidden"]
    meant = {(*at[:-1], *get_close_matches(str(at[-1]), keys(at), 1)) for at in unknown}
    for one in told:
        if one["type"] != "missing" or one["loc"] not in meant:
            yield _of_value(path, one, keys(one["loc"]), texts)


def _of_value(path: str, problem: Any, keys: Iterable[str], texts: Mapping[str, str]) -> str:
    *section, last = [str(part) for part in problem["loc"]] or [""]
    key, kind, context = ".".join([*section, last]), problem["type"], problem.get("ctx", {})
    if not key:
        return f"{path}: {context['error']}"
    if kind == "missing":
        return f"{path}: {key}: missing; add it"
    if kind == "extra_forbidden":
        return f"{path}: {key}: unknown key{did_you_mean(last, keys)}; remove it or mend its spelling"
    reason = problem["msg"]
    if kind == "value_error":
        reason = str(context["error"])
    elif kind == "string_pattern_mismatch":
        pattern = context["pattern"]
        reason = f"{texts[pattern]}{_without_arn(problem['input'], pattern)}"
    elif kind in REMEDIES:
        reason += f": {REMEDIES[kind]}"
    return f"{path}: {key}: found {problem['input']!r}; {reason}"


def _without_arn(value: str, pattern: str) -> str:
    """Of an ARN, the part that belongs there."""
    resource = value.split(":", 5)[-1] if value.startswith("arn:") else ""
    names = [name for name in (resource.partition("/")[2], resource) if re.search(pattern, name)]
    return f"; write {names[0]!r}" if names else ""
