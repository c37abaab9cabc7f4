"""Reads an Open Data Contract Standard v3 file, and says in plain words where it is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import BaseModel, ValidationError

from causeway.contract.model import ContractError
from causeway.contract.place import Place, nearest

# What YAML's parser says begins so, and what is to be done.
YAML = {
    "mapping values are not allowed": "indent the line as its neighbours, or put text with a colon in quotes",
    "expected <block end>": "indent the line as its neighbours: the keys of one thing begin in one column",
    "found character '\\t'": "indent by blanks, not by tabs",
    "found character": "put a text that begins so in quotes",
    "could not find expected ':'": "write key: value",
    "expected ',' or": "close the bracket",
    "found unexpected end of stream": "close the quote",
    "found undefined alias": "put a text that begins with * in quotes",
    "twice": "remove one",
}
# By pydantic's name of the mistake.
EXPECTED = {
    "list_type": "expected a list: a '- ' before each item, or [brackets]",
    "model_type": "expected keys with values, as in {name: distance, logicalType: integer}",
    "dict_type": "expected keys with values, as in {minimum: 0}",
    "string_type": "expected a text: put it in quotes",
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
}
SHOWN = 60  # characters of a wrong value


def read_standard(path: Path, text: str | None, place: Place) -> OpenDataContractStandard:
    """The file, or this text as if it stood there. Raises ContractError, also for what nobody knows."""
    try:
        raw = yaml.load(path.read_text("utf-8") if text is None else text, _Loader)  # noqa: S506
        if not isinstance(raw, dict):
            raise place.wrong("expected a mapping, which begins with apiVersion: v3.1.0")
        standard = OpenDataContractStandard.model_validate(raw)
    except yaml.MarkedYAMLError as error:
        raise _no_yaml(path, error) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise place.wrong(" ".join(str(reason).split())) from error
    except ValidationError as error:
        first = error.errors()[0]
        at = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
        raise (place / at.lstrip(".")).wrong(_expected(first)) from error
    _refuse_unknown(raw, standard, place)
    return standard


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """YAML forbids a key that is there twice; its parser would take the last in silence."""
        keys = [key.value for key, _ in node.value]
        for i, (key, _) in enumerate(node.value):
            if key.value in keys[:i]:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is there twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def _no_yaml(path: Path, error: yaml.MarkedYAMLError) -> ContractError:
    problem = str(error.problem)
    advice = next((advice for begins, advice in YAML.items() if begins in problem), "")
    # What is open at the end began at the context; what stands in the wrong column is the problem itself.
    opened = any(word in problem for word in ("end of stream", "stream end", "expected ':'"))
    place = (opened and error.context_mark) or error.problem_mark
    at = f"line {place.line + 1}, column {place.column + 1}"
    return Place(path, at).wrong(f"not YAML: {problem}{advice and f'; {advice}'}")


def _expected(problem: Any) -> str:
    found = repr(problem["input"])
    found = found if len(found) <= SHOWN else f"{found[:SHOWN]}…"
    if problem["type"] == "model_type" and problem["ctx"]["class_name"] == "EnumValue":
        return f"found {found}; write {{value: {problem['input']}}}, for each of the values"
    return f"found {found}; {EXPECTED.get(problem['type'], problem['msg'])}"


def _refuse_unknown(raw: Any, model: Any, place: Place) -> None:
    """The library ignores a misspelt key inside a property, and with it the rule that it was to be."""
    if isinstance(raw, list) and isinstance(model, list):
        for i, (inner, part) in enumerate(zip(raw, model, strict=True)):
            _refuse_unknown(inner, part, place / f"[{i}]")
    elif isinstance(raw, dict) and isinstance(model, BaseModel):
        names = {field.alias or name: name for name, field in type(model).model_fields.items()}
        for key, inner in raw.items():
            if key not in names:
                raise (place / str(key)).wrong(f"unknown field{nearest(str(key), names)}")
            _refuse_unknown(inner, getattr(model, names[key]), place / key)
