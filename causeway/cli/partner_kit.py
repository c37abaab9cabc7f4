"""`causeway partner-kit`: a folder with everything that the partner needs."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from causeway.cli.output import Json, answer
from causeway.settings import SETTINGS_FILE, Settings, load_settings, partner_stack
from causeway.settings_partner import Reader

ROOT = SETTINGS_FILE.parent
KIT = ROOT / "partner_kit"
PROFILE_SCHEMA = ROOT / "docs" / "profile.schema.json"


Partner = Annotated[
    str, typer.Option(help="One of the settings' `partners`, by its name; by default their `partner`.")
]


def partner_kit(
    output: Annotated[
        Path | None, typer.Option(help="The folder; build/partner-kit, or build/partner-kit-NAME.")
    ] = None,
    partner: Partner = "",
    new_external_id: Annotated[
        bool, typer.Option("--new-external-id", help="Make one, before the first deployment.")
    ] = False,
    rotate_external_id: Annotated[
        bool,
        typer.Option("--rotate-external-id", help="Make another; the next deployment takes both."),
    ] = False,
    end_rotation: Annotated[
        bool, typer.Option("--end-rotation", help="The next deployment takes the new one alone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write what a partner needs: the roles' names, a policy for their side, a program that reads tables.

    Needs credentials of the company's account that may read the deployed stacks' outputs.
    """
    from causeway.cli import external_id
    from causeway.contract.load import load_contracts
    from causeway.flow.datasets import CONTRACTS
    from causeway.operate.account import session_of_company, stack_outputs

    flags = ((new_external_id, external_id.make), (rotate_external_id, external_id.rotate))
    for asked, change in (*flags, (end_rotation, external_id.end_rotation)):
        if asked:
            file, lines = change(partner)
            answer({"external_id_file": str(file)}, partial(iter, lines), as_json)
            return
    settings = load_settings()
    key, _ = settings.partner_named(partner)
    cloudformation = session_of_company(settings).client("cloudformation")
    lake, access = (stack_outputs(cloudformation, settings, name) for name in ("lake", partner_stack(key)))
    tables = {dataset: contract.table for dataset, contract in load_contracts(CONTRACTS).items()}
    folder = output or ROOT / "build" / f"partner-kit{partner and f'-{partner}'}"
    files = [str(path) for path in write(folder, settings, lake | access, tables, partner)]
    note = "Done. Send these files; the external id in them is no password, but it is nobody else's business."
    answer({"files": files}, lambda: [*files, note], as_json)


def write(
    folder: Path, settings: Settings, outputs: Mapping[str, str], tables: Mapping[str, str], name: str = ""
) -> list[Path]:
    """Write that partner's kit for the roles that there are, with each dataset's newest table."""
    _, partner = settings.partner_named(name)
    datasets = [tables[dataset] for dataset in (tables if "*" in partner.datasets else partner.datasets)]
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
    roles = [outputs[role] for role in ("ProgrammaticRoleArn", "ConsoleRoleArn") if role in outputs]
    actions = ["sts:AssumeRole", *(["sts:SetSourceIdentity"] if partner.source_identity else [])]
    allow = {"Sid": "TakeCausewayRoles", "Effect": "Allow", "Action": actions, "Resource": roles}
    files = {"allow-causeway.json": json.dumps({"Version": "2012-10-17", "Statement": [allow]}, indent=2)}
    if "ProgrammaticRoleArn" in outputs:
        files |= {f"{KIT.name}/{path.name}": path.read_text() for path in KIT.glob("*.py")}
        files[PROFILE_SCHEMA.name] = PROFILE_SCHEMA.read_text()
        files["requirements.txt"] = (KIT / "requirements.txt").read_text()
        files["access.json"] = json.dumps(_access(settings, partner, outputs, datasets), indent=2)
        files["programs.md"] = Template((KIT / "programs.md").read_text()).substitute(facts)
    if "ConsoleRoleArn" in outputs:
        files["console.md"] = Template((KIT / "console.md").read_text()).substitute(facts)
    (folder / KIT.name).mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text)
    return [folder / file for file in sorted(files)]


def _access(
    settings: Settings, partner: Reader, outputs: Mapping[str, str], tables: list[str]
) -> dict[str, object]:
    """What the kit's program need not be told, by its options; and the tables."""
    return {
        "role_arn": outputs["ProgrammaticRoleArn"],
        "external_id": partner.external_id,
        "region": settings.company.region,
        "database": outputs["CuratedDatabaseName"],
        "tables": tables,
    }
