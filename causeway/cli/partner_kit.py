"""`causeway partner-kit`: a folder with everything that the partner needs."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from causeway.cli.output import Json, answer
from causeway.settings import EXTERNAL_ID_FILE, SETTINGS_FILE, Settings, load_settings

ROOT = SETTINGS_FILE.parent
KIT = ROOT / "partner_kit"
PROFILE_SCHEMA = ROOT / "docs" / "profile.schema.json"


def partner_kit(
    output: Annotated[Path, typer.Option(help="The folder.")] = ROOT / "build" / "partner-kit",
    new_external_id: Annotated[
        bool, typer.Option("--new-external-id", help="Make one, before the first deployment.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write what the partner needs: the roles' names, a policy for their side, a program that reads tables.

    Needs credentials of the company's account that may read the deployed stacks' outputs.
    """
    from causeway.contract.load import load_contracts
    from causeway.flow.datasets import CONTRACTS
    from causeway.operate.account import session_of_company, stack_outputs

    if new_external_id:
        make_external_id()
        kept = "written. git ignores it; keep it where the company keeps such things."
        answer({"external_id_file": str(EXTERNAL_ID_FILE)}, lambda: [f"{EXTERNAL_ID_FILE}: {kept}"], as_json)
        return
    settings = load_settings()
    cloudformation = session_of_company(settings).client("cloudformation")
    lake, partner = (stack_outputs(cloudformation, settings, stack) for stack in ("lake", "partner"))
    tables = {dataset: contract.table for dataset, contract in load_contracts(CONTRACTS).items()}
    files = [str(path) for path in write(output, settings, lake | partner, tables)]
    note = "Done. Send these files; the external id in them is no password, but it is nobody else's business."
    answer({"files": files}, lambda: [*files, note], as_json)


def write(
    folder: Path, settings: Settings, outputs: Mapping[str, str], tables: Mapping[str, str]
) -> list[Path]:
    """Write the kit for the roles that there are, with each dataset's newest table; returns its files."""
    partner = settings.partner
    datasets = [tables[name] for name in (tables if "*" in partner.datasets else partner.datasets)]
    facts = {
        **outputs,
        "region": settings.company.region,
        "external_id": partner.external_id,
        "dataset": datasets[0],
        "datasets": ", ".join(datasets),
        "principals": ", ".join(partner.console_principals),
        "programs": ", ".join(partner.programs()),
        "links": "\n".join(f"- {outputs['CuratedDataUrl']}{dataset}/" for dataset in datasets),
        "source": " --source-identity WHO" if partner.source_identity else "",
        "mfa": "with MFA, at most an hour ago" if partner.console_mfa else "through single sign-on",
    }
    roles = [outputs[name] for name in ("ProgrammaticRoleArn", "ConsoleRoleArn") if name in outputs]
    actions = ["sts:AssumeRole", *(["sts:SetSourceIdentity"] if partner.source_identity else [])]
    allow = {"Sid": "TakeCausewayRoles", "Effect": "Allow", "Action": actions, "Resource": roles}
    files = {"allow-causeway.json": json.dumps({"Version": "2012-10-17", "Statement": [allow]}, indent=2)}
    if "ProgrammaticRoleArn" in outputs:
        files |= {f"{KIT.name}/{path.name}": path.read_text() for path in KIT.glob("*.py")}
        files[PROFILE_SCHEMA.name] = PROFILE_SCHEMA.read_text()
        files["requirements.txt"] = (KIT / "requirements.txt").read_text()
        files["access.json"] = json.dumps(_access(settings, outputs, datasets), indent=2)
        files["programs.md"] = Template((KIT / "programs.md").read_text()).substitute(facts)
    if "ConsoleRoleArn" in outputs:
        files["console.md"] = Template((KIT / "console.md").read_text()).substitute(facts)
    (folder / KIT.name).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return [folder / name for name in sorted(files)]


def _access(settings: Settings, outputs: Mapping[str, str], tables: list[str]) -> dict[str, object]:
    """What the kit's program need not be told, by its options; and the tables."""
    return {
        "role_arn": outputs["ProgrammaticRoleArn"],
        "external_id": settings.partner.external_id,
        "region": settings.company.region,
        "database": outputs["CuratedDatabaseName"],
        "tables": tables,
    }


def make_external_id() -> None:
    """Raises AccountError rather than replace one that the partner may have."""
    from causeway.operate.account import AccountError

    if EXTERNAL_ID_FILE.exists():
        raise AccountError(f"{EXTERNAL_ID_FILE} is there already; remove it first to make another")
    EXTERNAL_ID_FILE.write_text(f"causeway-{secrets.token_hex(16)}\n")
