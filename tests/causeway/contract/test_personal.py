"""Columns that the partner must not see, and what else a contract says that nothing could keep."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from causeway.contract.changes import breaking_changes
from causeway.contract.model import Contract, ContractError
from causeway.engine import local
from causeway.engine.curate import curate_slices
from causeway.engine.dry_run import load_runnable
from causeway.engine.infer import draft
from causeway.engine.model import Slice
from tests.causeway.engine.helpers import NOW, codes, run, values

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


HASHED = f"{MAIL}, {PASS % 'hash'}"
KEY = b"of this test"


def hashed(rules: Contract, data: bytes, key: bytes = KEY) -> list[str | None]:
    slices = (Slice("s", "v", 0, len(data), len(data)),)
    facts: Any = {"batch": "b", "committed_at": NOW, "hash_key": key}
    (part,) = curate_slices(rules, slices, lambda _, __, a, b: data[a:b], **facts)
    return list(part.rows["mail"].to_pylist())


def test_a_hashed_column_holds_the_hmac_of_each_value_and_null_where_there_is_none(tmp_path: Path) -> None:
    rules = contract(tmp_path, f"name: mail, logicalType: string, {PASS % 'hash'}")
    mac = hmac.new(KEY, "ä@b.c".encode(), "sha256").hexdigest()
    data = "id,mail\n1,ä@b.c\n2,\n3,ä@b.c\n".encode()
    assert hashed(rules, data) == [mac, None, mac]
    assert mac not in hashed(rules, data, b"another key")


@pytest.mark.parametrize(("type", "text"), [("integer", "00042"), ("date", "2024-02-29")])
def test_equal_values_have_equal_hashes_whatever_their_spelling(type: str, text: str, tmp_path: Path) -> None:
    rules = contract(tmp_path, f"name: mail, logicalType: {type}, {PASS % 'hash'}")
    mac = hmac.new(KEY, text.lstrip("0").encode(), "sha256").hexdigest()
    assert hashed(rules, f"id,mail\n1,{text}\n".encode()) == [mac]


def test_without_a_key_nothing_is_hashed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no key"):
        hashed(contract(tmp_path, HASHED), b"id,mail\n1,a@b.c\n", b"")


def test_a_hashed_column_is_checked_before_it_is_hashed(tmp_path: Path) -> None:
    rules = contract(tmp_path, f"{HASHED}, logicalTypeOptions: {{pattern: '^.+@.+$'}}")
    assert len(hashed(rules, b"id,mail\n1,a@b.c\n2,nobody\n3,\n4,d@e.f\n5,d@e.f\n")) == 1


def test_a_local_run_writes_no_value_of_a_hashed_column(tmp_path: Path) -> None:
    rules = contract(tmp_path, HASHED)
    file = tmp_path / "people.csv"
    file.write_text("id,mail\n1,a@b.c\n")
    local.run(rules, [file], tmp_path / "out")
    (part,) = (tmp_path / "out" / "curated").glob("*.parquet")
    (mail,) = pq.read_table(part)["mail"].to_pylist()
    assert len(mail) == 64
    assert b"a@b.c" not in part.read_bytes()


def test_to_hash_a_column_that_readers_have_or_no_longer_to_breaks_them(tmp_path: Path) -> None:
    open_, hashed = contract(tmp_path, MAIL), contract(tmp_path, HASHED)
    assert [change for _, change in breaking_changes(open_, hashed)] == ["is hashed"]
    assert [change for _, change in breaking_changes(hashed, open_)] == ["is no longer hashed"]


DOMAIN = "name: domain, logicalType: string, transformLogic: \"split_part(mail, '@', 2)\""


def test_what_is_computed_from_a_withheld_column_needs_a_word_of_its_own(tmp_path: Path) -> None:
    classified = MAIL + ", classification: confidential"
    for private in (classified, HASHED):
        with pytest.raises(ContractError, match="domain: computed from mail, whose values the partner"):
            contract(tmp_path, private, DOMAIN)
    passed = contract(tmp_path, classified, f"{DOMAIN}, {PASS % 'pass'}")
    assert values(run(passed, b"id,mail\n1,a@b.c\n"), "domain") == ["b.c"]


@pytest.mark.parametrize(
    ("property", "top", "reason"),
    [
        (f"name: a, logicalType: string, {PASS % 'hide'}", "", "'hide' is not one of withhold, hash, pass"),
        (f"name: a, logicalType: number, {PASS % 'hash'}", "", "not with number; withhold it"),
        (f"name: a, logicalType: string, partitioned: true, {PASS % 'hash'}", "", "not one to partition by"),
        ("name: a, logicalType: string, encryptedName: b", "", "nothing here encrypts"),
        (
            "name: a, logicalType: string",
            "slaProperties: [{property: retention, value: 4, unit: y}]\n",
            "nothing here watches",
        ),
        (
            "name: a, logicalType: string, classification: pii, partitioned: true",
            "",
            "not one to partition by",
        ),
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
