"""Drafts over files that nobody wrote for this: what the locked packages of pip and npm ship."""

from __future__ import annotations

from pathlib import Path

from causeway.contract.load import load_contract
from causeway.contract.model import ContractError
from causeway.engine.infer import draft
from causeway.engine.local import run

ROOT = Path(__file__).parents[3]
LARGEST = 300_000  # bytes
EVERY = 75  # of the JSON files, most of which are of few kinds


def shipped() -> list[Path]:
    files = sorted(
        path
        for folder in (ROOT / ".venv" / "lib", ROOT / "node_modules")
        for path in folder.rglob("*")
        if path.suffix in (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
        and path.is_file()
        and 0 < path.stat().st_size < LARGEST
    )
    tables = [path for path in files if path.suffix != ".json"]
    return tables + [path for path in files if path.suffix == ".json"][::EVERY]


def test_packages_ship_enough_files() -> None:
    assert len(shipped()) > 30


def test_a_draft_accepts_its_sample_or_tells_what_in_it_is_no_row(tmp_path: Path) -> None:
    """Or the file is refused, with a reason: whatever it is, nothing else is raised."""
    path, wrong, drafted = tmp_path / "d.odcs.yaml", [], 0
    for file in shipped():
        try:
            text = draft([file], "d")
        except ContractError:
            continue
        path.write_text(text)
        report, examples = run(load_contract(path), [file])
        drafted += 1
        if report.totals["quarantined"] and "are no rows" not in text:
            wrong.append(f"{file}: {examples}")
    assert wrong == []
    assert drafted > 15  # most files of JSON are no tables
