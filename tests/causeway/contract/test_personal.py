"""Columns that the partner must not see, and what else a contract says that nothing could keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from causeway.contract.changes import breaking_changes
from causeway.contract.model import Contract, ContractError
from causeway.engine.dry_run import load_runnable
from causeway.engine.infer import draft
from tests.causeway.engine.helpers import codes, run, values

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\n"
ID = "  - {name: id, logicalType: integer, primaryKey: true}\n"


def contract(folder: Path, *properties: str, top: str = "") -> Contract:
    path = folder / "people.odcs.yaml"
    body = "".join(f"  - {{{one}}}\n" for one in properties)
    path.write_text(f"{HEAD}{top}schema:\n- name: people\n  properties:\n{ID}{body}")
    return load_runnable(path)


MAIL = "name: mail, logicalType: string, required: true, unique: true"
PASS = "customProperties: [{property: partnerAccess, value: %s}]"


@pytest.mark.parametrize(
    ("said", "withheld"),
    [
        ("", False),
        (", classification: public", False),
        (", classification: confidential", True),
        (", classification: whatever", True),
        (f", classification: confidential, {PASS % 'pass'}", False),
        (f", {PASS % 'withhold'}", True),
    ],
)
def test_a_classified_column_is_withheld_unless_the_contract_passes_it(
    said: str, withheld: bool, tmp_path: Path
) -> None:
    result = run(contract(tmp_path, MAIL + said), b"id,mail\n1,a@b.c\n")
    assert ("mail" not in result.rows.column_names) == withheld
    assert ("a@b.c" not in str(result.rows.to_pylist())) == withheld


def test_a_withheld_column_is_checked_like_any_other(tmp_path: Path) -> None:
    rules = contract(tmp_path, MAIL + ", classification: restricted")
    result = run(rules, b"id,mail\n1,a@b.c\n2,\n3,d@e.f\n4,d@e.f\n")
    assert values(result, "id") == [1]
    assert codes(result) == [(3, ["required"]), (4, ["unique"]), (5, ["unique"])]


def test_to_withhold_a_column_that_readers_have_breaks_them(tmp_path: Path) -> None:
    open_, withheld = contract(tmp_path, MAIL), contract(tmp_path, MAIL + ", classification: secret")
    assert [change for _, change in breaking_changes(open_, withheld)] == ["is removed"]
    assert breaking_changes(withheld, withheld) == []


DOMAIN = "name: domain, logicalType: string, transformLogic: \"split_part(mail, '@', 2)\""


def test_what_is_computed_from_a_withheld_column_needs_a_word_of_its_own(tmp_path: Path) -> None:
    classified = MAIL + ", classification: confidential"
    with pytest.raises(ContractError, match="domain: computed from mail, which is withheld"):
        contract(tmp_path, classified, DOMAIN)
    passed = contract(tmp_path, classified, f"{DOMAIN}, {PASS % 'pass'}")
    assert values(run(passed, b"id,mail\n1,a@b.c\n"), "domain") == ["b.c"]


SLA = "slaProperties: [{property: latency, value: 4}]\n"


@pytest.mark.parametrize(
    ("property", "top", "reason"),
    [
        (f"name: a, logicalType: string, {PASS % 'hide'}", "", "'hide' is not one of withhold, pass"),
        ("name: a, logicalType: string, encryptedName: b", "", "nothing here encrypts"),
        (
            "name: a, logicalType: string",
            "slaProperties: [{property: latency, value: 4}]\n",
            "nothing here watches",
        ),
        ("name: a, logicalType: string, classification: pii, partitioned: true", "", "withheld column"),
        (
            "name: a, logicalType: integer, logicalTypeOptions: {minimum: 5, maximum: 3}",
            "",
            "minimum 5 is above",
        ),
        (
            "name: a, logicalType: string, logicalTypeOptions: {minLength: 5, maxLength: 3}",
            "",
            "minLength 5 is",
        ),
        (
            "name: a, logicalType: array, items: {logicalType: string, classification: pii}",
            "",
            "is of whole columns",
        ),
    ],
)
def test_what_nothing_keeps_is_refused(property: str, top: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=reason):
        contract(tmp_path, property, top=top)


def test_a_draft_names_columns_that_look_personal_and_holds_no_value_of_them(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    rows = "".join(f"{n},anna{n % 3}@example.org,Anna{n % 3},{n % 3}00555,Oslo\n" for n in range(1, 60))
    path.write_text("id,contact,first_name,phone,city\n" + rows)
    text = draft([path])
    for column in ("contact", "first_name", "phone"):
        assert f"# {column}: looks personal" in text
    assert "city: looks personal" not in text
    assert "nna" not in text
    assert "00555" not in text
    assert "Oslo" in text
