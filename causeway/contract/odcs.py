"""Compiles an Open Data Contract Standard v3 file into a Contract, refusing what could not be enforced."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from open_data_contract_standard.model import SchemaProperty

from causeway.contract.dialect import compile_facts, physical, refuse_misplaced, spelled, spellings
from causeway.contract.model import Column, Contract
from causeway.contract.odcs_file import read_standard
from causeway.contract.odcs_property import compile_columns
from causeway.contract.odcs_quality import compile_quality
from causeway.contract.odcs_sla import compile_frequency, compile_sla
from causeway.contract.place import Place, not_one_of
from causeway.contract.serving import compile_references, is_served
from causeway.flow.datasets import SUFFIX

TRANSFORMS = ("identity", "year", "month", "day")


def compile_file(path: Path, text: str | None = None) -> Contract:
    place = Place(path)
    standard, dataset = read_standard(path, text, place), path.name.removesuffix(SUFFIX)
    if standard.kind != "DataContract" or not (standard.apiVersion or "").startswith("v3."):
        raise place.wrong("expected kind: DataContract and apiVersion: v3.x")
    if not re.fullmatch(r"\d+\.\d+\.\d+", standard.version or ""):
        raise (place / "version").wrong(f"{standard.version!r} is not a semantic version such as 1.0.0")
    if standard.name not in (None, dataset):
        raise (place / "name").wrong(
            f"{standard.name!r} is not the file's name, which is the dataset's; write name: {dataset}, "
            f"or name the file {standard.name}{SUFFIX}"
        )
    refuse_misplaced(standard.customProperties or [], place)
    schemas = standard.schema_ or []
    if len(schemas) != 1 or not schemas[0].properties:
        raise (place / "schema").wrong("expected exactly one object, with properties")
    top, place = place, place / "schema[0]"
    facts = compile_facts(schemas[0].customProperties or [], place)
    columns = spelled(
        compile_columns(schemas[0].properties, place), schemas[0].properties, spellings(facts), place
    )
    contract = Contract(
        dataset=dataset,
        version=str(standard.version),
        columns=columns,
        description=schemas[0].description or "",
        partitioning=_partitioning(schemas[0].properties, columns, place),
        **physical(facts, columns, place),
    )
    rules, bounds = compile_quality(schemas[0], contract, place)
    return replace(
        contract,
        rules=rules,
        bounds=(*bounds, *compile_sla(standard, schemas[0], contract, top)),
        frequency=compile_frequency(standard, top),
        served=is_served(standard, contract, top),
        references=compile_references(schemas[0], contract, place),
    )


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
                not_one_of(transform, allowed)
            )
        partitions.append((p.partitionKeyPosition or i, column.name, str(transform)))
    return tuple((name, transform) for _, name, transform in sorted(partitions))
