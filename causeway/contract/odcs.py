"""Compiles an Open Data Contract Standard v3 file into a Contract, refusing what could not be enforced."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty
from pydantic import BaseModel, ValidationError

from causeway.contract.dialect import compile_facts, physical, spelled, spellings
from causeway.contract.model import Column, Contract
from causeway.contract.odcs_property import compile_columns
from causeway.contract.odcs_quality import compile_quality
from causeway.contract.odcs_sla import compile_sla
from causeway.contract.place import Place, nearest
from causeway.flow.datasets import SUFFIX

TRANSFORMS = ("identity", "year", "month", "day")


def compile_file(path: Path, text: str | None = None) -> Contract:
    place = Place(path)
    standard = _read(path, text, place)
    if standard.kind != "DataContract" or not (standard.apiVersion or "").startswith("v3."):
        raise place.wrong("expected kind: DataContract and apiVersion: v3.x")
    if not re.fullmatch(r"\d+\.\d+\.\d+", standard.version or ""):
        raise (place / "version").wrong(f"{standard.version!r} is not a semantic version such as 1.0.0")
    schemas = standard.schema_ or []
    if len(schemas) != 1 or not schemas[0].properties:
        raise (place / "schema").wrong("expected exactly one object, with properties")
    top, place = place, place / "schema[0]"
    facts = compile_facts(schemas[0].customProperties or [], place)
    columns = spelled(
        compile_columns(schemas[0].properties, place), schemas[0].properties, spellings(facts), place
    )
    contract = Contract(
        dataset=path.name.removesuffix(SUFFIX),
        version=str(standard.version),
        columns=columns,
        description=schemas[0].description or "",
        partitioning=_partitioning(schemas[0].properties, columns, place),
        **physical(facts, columns, place),
    )
    rules, bounds = compile_quality(schemas[0], contract, place)
    return replace(contract, rules=rules, bounds=(*bounds, *compile_sla(standard, schemas[0], contract, top)))


def _read(path: Path, text: str | None, place: Place) -> OpenDataContractStandard:
    try:
        raw = yaml.safe_load(path.read_text("utf-8") if text is None else text)
        if not isinstance(raw, dict):
            raise place.wrong("expected a mapping")
        standard = OpenDataContractStandard.model_validate(raw)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise place.wrong(" ".join(str(reason).split())) from error
    except ValidationError as error:
        first = error.errors()[0]
        at = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
        raise (place / at.lstrip(".")).wrong(first["msg"]) from error
    _refuse_unknown(raw, standard, place)
    return standard


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


def _partitioning(
    properties: list[SchemaProperty], columns: tuple[Column, ...], place: Place
) -> tuple[tuple[str, str], ...]:
    partitions = []
    for i, (p, column) in enumerate(zip(properties, columns, strict=True)):
        if not p.partitioned:
            continue
        custom = {c.property: c.value for c in p.customProperties or []}
        if column.private:
            raise (place / f"properties[{i}].partitioned").wrong(
                "a column whose values the partner does not get is not one to partition by"
            )
        transform = custom.get("partitionTransform", "identity")
        allowed = TRANSFORMS if column.type in ("date", "timestamp") else TRANSFORMS[:1]
        if transform not in allowed:
            raise (place / f"properties[{i}].customProperties.partitionTransform").wrong(
                f"{transform!r} is not one of {', '.join(allowed)}"
            )
        partitions.append((p.partitionKeyPosition or i, column.name, str(transform)))
    return tuple((name, transform) for _, name, transform in sorted(partitions))
