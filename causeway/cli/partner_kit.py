"""`causeway partner-kit`: a folder with everything that the partner needs."""

import argparse
import json
import secrets
from pathlib import Path
from string import Template
from typing import Any

from causeway.contract.load import load_contracts
from causeway.operate.account import AccountError, session_of_company, stack_outputs
from causeway.settings import EXTERNAL_ID_FILE, SETTINGS_FILE, Settings, load_settings

ROOT = SETTINGS_FILE.parent
KIT = ROOT / "partner_kit"


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("partner-kit", help="write what the partner needs", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "partner-kit", help="the folder")
    parser.add_argument("--new-external-id", action="store_true", help="make one, before the first deploy")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Needs credentials of the company's account that may read the deployed stacks' outputs."""
    if options.new_external_id:
        return new_external_id()
    settings = load_settings()
    cloudformation = session_of_company(settings).client("cloudformation")
    outputs = {
        name: value
        for stack in ("lake", "partner")
        for name, value in stack_outputs(cloudformation, settings, stack).items()
    }
    written = write(options.output, settings, outputs, sorted(load_contracts(ROOT / "contracts")))
    print("\n".join(f"{path}" for path in written))
    print("Done. Send these files; the external id in them is no password, but it is nobody else's business.")
    return 0


def write(folder: Path, settings: Settings, outputs: dict[str, str], contracts: list[str]) -> list[Path]:
    """Write the kit for the roles that there are; returns its files."""
    partner = settings.partner
    datasets = contracts if "*" in partner.datasets else partner.datasets
    roles = [outputs[name] for name in ("ProgrammaticRoleArn", "ConsoleRoleArn") if name in outputs]
    facts = {
        **outputs,
        "region": settings.company.region,
        "external_id": partner.external_id,
        "dataset": datasets[0],
        "datasets": ", ".join(datasets),
        "principals": ", ".join(partner.console_principals),
        "programs": ", ".join(partner.programmatic_roles),
        "links": "\n".join(f"- {outputs['CuratedDataUrl']}{dataset}/" for dataset in datasets),
        "source": " --source-identity WHO" if partner.source_identity else "",
        "mfa": "with MFA, at most an hour ago" if partner.console_mfa else "through single sign-on",
    }
    actions = ["sts:AssumeRole", *(["sts:SetSourceIdentity"] if partner.source_identity else [])]
    allow = {"Sid": "TakeCausewayRoles", "Effect": "Allow", "Action": actions, "Resource": roles}
    files = {"allow-causeway.json": json.dumps({"Version": "2012-10-17", "Statement": [allow]}, indent=2)}
    if "ProgrammaticRoleArn" in outputs:
        files |= {name: (KIT / name).read_text() for name in ("read_table.py", "requirements.txt")}
        files["programs.md"] = Template((KIT / "programs.md").read_text()).substitute(facts)
    if "ConsoleRoleArn" in outputs:
        files["console.md"] = Template((KIT / "console.md").read_text()).substitute(facts)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return [folder / name for name in sorted(files)]


def new_external_id() -> int:
    if EXTERNAL_ID_FILE.exists():
        raise AccountError(f"{EXTERNAL_ID_FILE} is there already; remove it first to make another")
    EXTERNAL_ID_FILE.write_text(f"causeway-{secrets.token_hex(16)}\n")
    print(f"{EXTERNAL_ID_FILE}: written. git ignores it; keep it where the company keeps such things.")
    return 0
