"""A contract that breaks those who read its table is refused, unless its major version says so."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from causeway.contract.changes import breaking_changes, load_kept, tell_withdrawn
from causeway.contract.load import load_contracts
from causeway.contract.model import Column, Contract, ContractError

ROOT = Path(__file__).parents[3]
A = Column("a", "a", "integer", required=True)
B = Column("b", "b", "object", properties=(Column("x", "x", "number", precision=9, scale=2),))
OLD = Contract("orders", "1.2.3", (A, B))

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: {}\nschema:\n- name: orders\n  properties:\n"
ID = "  - {name: id, logicalType: integer, required: true}\n"
NARROW_ID = "  - {name: id, logicalType: integer, required: true, logicalTypeOptions: {format: i32}}\n"
CITY = "  - {name: city, logicalType: string}\n"
NOTE = "  - {name: note, logicalType: string}\n"
Write = Callable[..., None]


@pytest.mark.parametrize(
    ("columns", "where", "what"),
    [
        ((A,), "schema[0].properties (b)", "is removed"),
        ((replace(A, bits=32), B), "schema[0].properties[0] (a)", "int64 is narrowed to int32"),
        ((B, replace(A, type="date")), "schema[0].properties[1] (a)", "int64 becomes date32[day]"),
        ((replace(A, required=False), B), "schema[0].properties[0] (a)", "no longer required"),
        ((A, replace(B, properties=())), "schema[0].properties[1] (b).properties (x)", "is removed"),
        ((A, B, replace(A, name="c")), "schema[0].properties[2] (c)", "is new and required"),
    ],
    ids=["removed", "narrowed", "retyped", "optional", "part", "new"],
)
def test_a_change_that_breaks_readers_is_named_with_its_place(
    columns: tuple[Column, ...], where: str, what: str
) -> None:
    new = replace(OLD, columns=columns, version="1.3.0")
    ((at, found),) = breaking_changes(OLD, new)
    assert at == where
    assert what in found
    assert breaking_changes(OLD, replace(new, version="2.0.0")) == []


def test_what_readers_can_live_with_breaks_nothing() -> None:
    part = replace(B.properties[0], precision=12)
    wider = (replace(B, properties=(part,)), A, Column("c", "c", "string"))
    assert breaking_changes(OLD, replace(OLD, columns=wider)) == []


@pytest.fixture
def contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of contracts in a git repository."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "t")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@example.org")
    folder = tmp_path / "repository" / "contracts"
    folder.mkdir(parents=True)
    git(folder.parent, "init", "--quiet")
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def write(folder: Path, version: str, *columns: str, name: str = "orders", commit: bool = False) -> Path:
    path = folder / f"{name}.odcs.yaml"
    path.write_text(HEAD.format(version) + "".join(columns))
    if commit:
        git(folder, "add", path.name)
        git(folder, "commit", "--quiet", "--message", version)
    return path


def test_an_uncommitted_break_is_refused_with_file_place_reason_and_remedy(contracts: Path) -> None:
    write(contracts, "1.0.0", ID, CITY, commit=True)
    path = write(contracts, "1.1.0", ID)
    with pytest.raises(ContractError) as caught:
        load_kept(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: schema[0].properties (city): is removed, which breaks readers")
    remedy = "raise the version to 2.0.0, whose table orders_v2 is made beside this one and filled by replay"
    assert message.endswith(f"; undo it, or {remedy}")
    assert "\n" not in message


def test_a_major_version_lets_a_break_through(contracts: Path) -> None:
    write(contracts, "1.0.0", ID, CITY, commit=True)
    assert load_kept(write(contracts, "2.0.0", ID)).version == "2.0.0"


def test_a_committed_break_is_refused_and_stays_so_after_more_commits(contracts: Path) -> None:
    write(contracts, "1.0.0", ID, CITY, commit=True)
    write(contracts, "1.1.0", ID, commit=True)
    path = write(contracts, "1.2.0", ID, NOTE, commit=True)
    with pytest.raises(ContractError, match=r"city.*is removed.*version 1.0.0"):
        load_kept(path)


def test_what_an_earlier_major_version_promised_binds_no_more(contracts: Path) -> None:
    write(contracts, "1.0.0", ID, CITY, commit=True)
    write(contracts, "2.0.0", ID, commit=True)
    assert load_kept(write(contracts, "2.1.0", ID, NOTE)).version == "2.1.0"


def test_a_contract_that_could_not_be_deployed_binds_nobody(contracts: Path) -> None:
    write(contracts, "1.0.0", "  - {name: id, logicalType: text}\n", CITY, commit=True)
    assert load_kept(write(contracts, "1.0.0", ID)).version == "1.0.0"


def test_two_problems_at_once_are_both_named(contracts: Path) -> None:
    write(contracts, "1.0.0", ID, CITY, commit=True)
    write(contracts, "1.0.0", NARROW_ID)
    write(contracts, "1.0.0", "  - {name: id, logicalType: text}\n", name="trips")
    with pytest.raises(ContractError) as caught:
        load_contracts(contracts, load_kept)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    for part in ("(city): is removed", "(id): int64 is narrowed to int32", "'text' is not one of"):
        assert part in str(caught.value)


def test_without_git_it_is_said_once_that_nobody_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "1.0.0", ID)
    write(tmp_path, "1.0.0", ID, name="trips")
    assert set(load_contracts(tmp_path, load_kept)) == {"orders", "trips"}
    (line,) = capsys.readouterr().err.splitlines()
    assert "not compared with earlier ones" in line


def test_a_shallow_checkout_is_compared_with_what_it_has_and_says_so(
    contracts: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(contracts, "1.0.0", ID, CITY, commit=True)
    write(contracts, "1.0.0", ID, commit=True)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", contracts.parent.as_uri(), str(shallow))
    assert load_kept(shallow / "contracts" / "orders.odcs.yaml").version == "1.0.0"
    assert "shallow" in capfd.readouterr().err


def test_synth_refuses_a_contract_that_breaks_readers(contracts: Path) -> None:
    root = contracts.parent
    for name in ("app.py", "settings.toml", "causeway", "glue_jobs", "stacks"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, root / name)
    write(contracts, "1.0.0", ID, CITY, commit=True)
    write(contracts, "1.0.1", ID)
    done = subprocess.run([sys.executable, "app.py"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(str(contracts / "orders.odcs.yaml"))


def test_a_draft_and_the_first_version_share_a_table_so_neither_may_break_the_other() -> None:
    draft = replace(OLD, version="0.9.0")
    released = replace(OLD, version="1.0.0", columns=OLD.columns[1:])
    assert (draft.table, released.table, draft.next_major) == ("orders", "orders", 2)
    assert [change for _, change in breaking_changes(draft, released)] == ["is removed"]


def test_a_table_of_a_major_version_never_has_the_name_of_another_dataset(contracts: Path) -> None:
    write(contracts, "2.0.0", ID)
    write(contracts, "1.0.0", ID, name="orders_v2")
    with pytest.raises(ContractError, match=r"orders 2.0.0 has the table orders_v2: another dataset's"):
        load_contracts(contracts)


def test_a_contract_that_is_deleted_is_told_until_the_commit_after(
    contracts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(contracts, "1.0.0", ID, commit=True)
    write(contracts, "1.0.0", ID, name="birds", commit=True)
    tell_withdrawn(contracts)
    assert capfd.readouterr().err == ""
    path.unlink()
    tell_withdrawn(contracts)
    (uncommitted,) = capfd.readouterr().err.splitlines()
    assert uncommitted.startswith(f"causeway: {path} is deleted: ")
    assert "`causeway retire orders`" in uncommitted
    git(contracts, "commit", "--quiet", "--all", "--message", "gone")
    tell_withdrawn(contracts)
    (committed,) = capfd.readouterr().err.splitlines()
    git(contracts, *committed.partition("`git ")[2].partition("`")[0].split())  # what it says brings it back
    assert path.exists()
    path.unlink()
    write(contracts, "1.0.1", ID, name="birds", commit=True)
    capfd.readouterr()
    tell_withdrawn(contracts)
    assert capfd.readouterr().err == ""
