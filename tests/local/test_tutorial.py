"""The tutorial does what it says: every command of it, as it stands, in a checkout of its own."""

import json
import os
import re
import subprocess
from pathlib import Path
from shutil import copy2

import pytest

from causeway.settings import load_settings
from local.aws.embedded import ROOT
from local.demo.kept import write_shells
from local.demo.partner import PartnerSide
from tests.local.deployment import Deployment

pytestmark = pytest.mark.embedded

TUTORIAL = (ROOT / "docs/tutorial.md").read_text("utf-8")
STEP = re.compile(r"^## \d+\. (.*)$", re.MULTILINE)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = "======== "  # before a step's output


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git would clone, with what was installed into this checkout."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy2(ROOT / name, folder / name)
    for name in (".venv", "node_modules"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def outputs(deployment: Deployment, checkout: Path) -> dict[str, str]:
    """What each step printed, by its title."""
    settings = load_settings()
    role = deployment.outputs[f"{settings.project}-partner"]["ProgrammaticRoleArn"]
    partner = PartnerSide(deployment.aws, settings, role)
    write_shells(deployment.aws, partner, checkout / "build/demo", deployment.app.parent / "settings.toml")
    _, *parts = STEP.split(TUTORIAL)
    script = ["set -euo pipefail"]
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        script += [f"echo; echo {LINE!r}{title!r}", *BLOCK.findall(text)]
    # The modules of that checkout, not of the one whose tests these are.
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    _, *printed = done.stdout.split(f"\n{LINE}")
    return {title: text for title, _, text in (part.partition("\n") for part in printed)}


def test_doctor_finds_every_stack(outputs: dict[str, str]) -> None:
    assert "✓ stack causeway-lake: OK" in outputs["An AWS"]
    assert "✓ stack causeway-store: OK" in outputs["An AWS"]


def test_the_contract_takes_all_of_the_sample(outputs: dict[str, str]) -> None:
    assert (
        "FILES=1 ROWS=4 CURATED=4 REJECTED=0"
        in outputs["A file of which nobody knows more than that it is there"]
    )


def test_a_new_dataset_is_a_table_after_its_contract_is_deployed(outputs: dict[str, str]) -> None:
    printed = outputs["A dataset"]
    assert re.search(r"landing/trips/2026-11.csv +committed +4 +0 ", printed)
    assert "rows: landed 4 = curated 4 + quarantined 0" in printed


def test_faults_are_told_with_their_raw_text(outputs: dict[str, str]) -> None:
    printed = outputs["A file with a fault in it"]
    assert re.search(r"landing/trips/2026-12.csv +committed +1 +2 ", printed)
    assert "6,2026-12-01T07:45:00Z,soon,Old Town,1.00" in printed
    assert "trips: maximum minutes: 1 in 1 source" in printed


def test_the_partner_reads_the_table_and_asks_it(outputs: dict[str, str]) -> None:
    assert re.search(r"Harbour +┆ 3 ", outputs["The partner reads it"])


def test_a_mended_contract_takes_the_row_and_leaves_the_other(outputs: dict[str, str]) -> None:
    printed = outputs["The contract was wrong"]
    assert "curated 2 + quarantined 1" in printed
    assert "maximum minutes" not in printed
    assert "trips: type minutes: 1 in 1 source" in printed


def test_finance_sees_the_datasets_cost(outputs: dict[str, str], checkout: Path) -> None:
    assert re.search(r"^trips +\d", outputs["What it cost, and how it stands"], re.MULTILINE)
    assert "trips" in (checkout / "build/tutorial/report.html").read_text("utf-8")


def test_another_partner_gets_a_kit_for_its_table_alone(outputs: dict[str, str], checkout: Path) -> None:
    assert "causeway-partner-acme" in outputs["Another partner, who reads trips alone"]
    access = json.loads((checkout / "build/tutorial/kit-acme/access.json").read_text("utf-8"))
    assert access["tables"] == ["trips"]
    assert access["external_id"] == "agreed-with-acme-once"


def test_nothing_of_it_is_left(outputs: dict[str, str], deployment: Deployment) -> None:
    assert "trips: dropped" in outputs["Away with it"]
    tables = deployment.client("glue").get_tables(DatabaseName="causeway_lake")["TableList"]
    assert "trips" not in {table["Name"] for table in tables}
