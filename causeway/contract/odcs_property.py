"""Compiles one property of an Open Data Contract Standard file into a Column."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from open_data_contract_standard.model import DataQuality, SchemaProperty

from causeway.contract.bound import ROWS
from causeway.contract.model import ACCESS, MEASURES, Column, is_name
from causeway.contract.odcs_options import (
    BOUNDS,
    TYPES,
    encoded_of,
    options_of,
    pattern_of,
    precision_of,
    snake_case,
    strftime_of,
    timezone_of,
    value_of,
)
from causeway.contract.odcs_quality import ROW_METRICS, is_of_rows
from causeway.contract.place import Place, not_one_of
from causeway.contract.possible import refuse_impossible

PARTNER_ACCESS = "partnerAccess"  # a property's custom property, one of ACCESS
MEASURE = "measure"  # likewise, one of MEASURES
EMBED = "embed"  # likewise, true or false
WIDTHS = ("i32", "i64", "f32", "f64")
HASHABLE = ("string", "integer", "date")  # a value has one text there


def compile_columns(
    properties: list[SchemaProperty], place: Place, *, nested: bool = False
) -> tuple[Column, ...]:
    columns = tuple(_column(p, place / f"properties[{i}]", nested=nested) for i, p in enumerate(properties))
    for attribute in ("name", "field"):
        names = [getattr(column, attribute) for column in columns]
        same = str.lower if attribute == "name" else str  # the catalog knows no upper and lower case
        for i, name in enumerate(names):
            if same(name) in map(same, names[:i]):
                raise (place / f"properties[{i}]").wrong(f"{attribute} {name!r} is used twice")
    return columns


def _column(p: SchemaProperty, place: Place, *, nested: bool = False, item: bool = False) -> Column:
    name = p.name or ""
    if not item and not is_name(name):
        raise (place / "name").wrong(f"{name!r}: expected a printable name that does not begin with '_'")
    if name:
        place = Place(place.file, f"{place.path} ({name})")
    if p.logicalType not in TYPES:
        raise (place / "logicalType").wrong(not_one_of(p.logicalType, TYPES))
    options = options_of(p, place)
    precision, scale = precision_of(p, options, place)
    width = str(options.get("format", "i64")) if p.logicalType in ("integer", "number") else "i64"
    if width not in WIDTHS:
        raise (place / "logicalTypeOptions.format").wrong(not_one_of(width, WIDTHS))
    column = Column(
        name=name,
        field=name if p.physicalName is None else p.physicalName,
        type=p.logicalType,
        required=bool(p.required or p.primaryKey),
        unique=bool(p.unique),
        key=bool(p.primaryKey),
        bits=int(width[1:]),
        precision=precision,
        scale=scale,
        timezone=timezone_of(p, options, place),
        format=strftime_of(options, place) if p.logicalType in ("date", "timestamp", "time") else None,
        format_text=options.get("format"),
        encoded=encoded_of(p, options, place),
        min_length=options.get("minLength", options.get("minItems")),
        max_length=options.get("maxLength", options.get("maxItems")),
        unique_items=bool(options.get("uniqueItems")),
        pattern=pattern_of(options.get("pattern"), place / "logicalTypeOptions.pattern"),
        transform=p.transformLogic,
        description=p.description or "",
        measure=_measure(p, place),
        access=_access(p, place, whole=not nested and not item),
        embedded=_embedded(p, place, whole=not nested and not item),
        items=_items(p, place),
        properties=_parts(p, options, place),
    )
    column = _limited(column, p, options, place)
    column = _kept(column, p.quality or [], place, nested=nested)
    refuse_impossible(column, place)
    if nested and (column.unique or column.key or column.transform):
        raise place.wrong("primaryKey, unique and transformLogic are of whole columns")
    return column


def _access(p: SchemaProperty, place: Place, *, whole: bool) -> str:
    """The partner's: none to what is classified, unless the contract says otherwise."""
    if p.encryptedName:
        raise (place / "encryptedName").wrong("nothing here encrypts a column; withhold it, or take this out")
    access = _custom(p, PARTNER_ACCESS)
    if (p.classification or access) and not whole:
        raise (place / "classification").wrong("is of whole columns, not of a part of one")
    at = place / f"customProperties ({PARTNER_ACCESS})"
    if access not in ("", *ACCESS):
        raise at.wrong(not_one_of(access, ACCESS))
    if access == "hash" and p.logicalType not in HASHABLE:
        raise at.wrong(f"hash goes with {', '.join(HASHABLE)}, not with {p.logicalType}; withhold it")
    classified = (p.classification or "public").lower() != "public"
    return access or ("withhold" if classified else "")


def _custom(p: SchemaProperty, name: str) -> Any:
    return {c.property: c.value for c in p.customProperties or []}.get(name, "")


def _measure(p: SchemaProperty, place: Place) -> str:
    """What a profile takes the column's values for; its type says it, unless the contract does."""
    measure, at = _custom(p, MEASURE), place / f"customProperties ({MEASURE})"
    if measure not in ("", *MEASURES):
        raise at.wrong(not_one_of(measure, MEASURES))
    if measure and p.logicalType in ("array", "object"):
        raise at.wrong(f"goes with columns of one value, not with {p.logicalType}")
    if measure == "quantity" and p.logicalType in ("string", "boolean"):
        raise at.wrong(f"a {p.logicalType} is no quantity; category and identifier are allowed")
    return str(measure)


def _embedded(p: SchemaProperty, place: Place, *, whole: bool) -> bool:
    """Whether the store finds rows by what the text says; that of a private one would give it away."""
    embed, at = _custom(p, EMBED) or False, place / f"customProperties ({EMBED})"
    if embed not in (True, False):
        raise at.wrong(f"{embed!r} is not one of true, false")
    if embed and (p.logicalType != "string" or not whole):
        what = p.logicalType if whole else "a part of a column"
        raise at.wrong(f"goes with a column of type string, not with {what}; take it out")
    if embed and (access := _access(p, place, whole=whole)) in ("withhold", "hash"):
        raise at.wrong(
            f"the store has no text to embed: {PARTNER_ACCESS} is {access}; pass it, or take this out"
        )
    return bool(embed)


def _kept(column: Column, qualities: list[DataQuality], place: Place, *, nested: bool) -> Column:
    """With the standard's library rules that each row keeps; bounds and SQL are the whole contract's."""
    for i, quality in enumerate(qualities):
        at, metric = place / f"quality[{i}]", quality.metric or quality.rule
        if is_of_rows(quality):
            column = _library_rule(column, quality, at)
        elif nested and quality.type != "text":
            raise at.wrong(
                f"{metric}: only mustBe: 0 can be kept inside a column; bounds are of whole ones"
                if metric
                else "SQL goes with the schema or a column, not a part of one"
            )
    return column


def _library_rule(column: Column, quality: DataQuality, place: Place) -> Column:
    """The standard's own metrics, where they speak of single rows: none may break them."""
    arguments = quality.arguments or {}
    metric = quality.metric or quality.rule
    if metric in ("nullValues", "missingValues"):
        return replace(column, required=True)
    if metric == "duplicateValues":
        return replace(column, unique=True)
    if metric == "invalidValues" and arguments.keys() <= {"validValues", "pattern"} and arguments:
        values = tuple(
            value_of(column, v, place / "arguments.validValues")
            for v in arguments.get("validValues", [])
            if v is not None  # nulls are no matter of values, but of `required`
        )
        pattern = pattern_of(arguments.get("pattern"), place / "arguments.pattern")
        return replace(column, values=values or column.values, pattern=pattern or column.pattern)
    if metric == ROWS:
        raise place.wrong(f"rowCount goes with the schema; with a column go {', '.join(ROW_METRICS)}")
    if metric == "invalidValues":
        raise (place / "arguments").wrong("invalidValues: expected validValues, pattern or both")
    raise place.wrong(not_one_of(metric, ROW_METRICS))


def _limited(column: Column, p: SchemaProperty, options: dict[str, Any], place: Place) -> Column:
    """With its bounds and its allowed values."""
    limits = {
        snake_case(o): value_of(column, options[o], place / f"logicalTypeOptions.{o}")
        for o in (*BOUNDS, "multipleOf")
        if o in options
    }
    values = tuple(value_of(column, v.value, place / "enum") for v in p.enum or [])
    return replace(column, **limits, values=values)


def _items(p: SchemaProperty, place: Place) -> Column | None:
    if p.logicalType != "array":
        return None
    if p.items is None:
        raise (place / "items").wrong("an array says what its items are; a string keeps it as JSON")
    return _column(p.items, place / "items", nested=True, item=True)


def _parts(p: SchemaProperty, options: dict[str, Any], place: Place) -> tuple[Column, ...]:
    if p.logicalType != "object":
        return ()
    if not p.properties:
        raise (place / "properties").wrong(
            "an object says what its properties are; a string keeps it as JSON"
        )
    parts = compile_columns(p.properties, place, nested=True)
    required = set(options.get("required", ()))
    if unknown := required - {part.name for part in parts}:
        raise (place / "logicalTypeOptions.required").wrong(f"no property {', '.join(sorted(unknown))}")
    return tuple(replace(part, required=part.required or part.name in required) for part in parts)
