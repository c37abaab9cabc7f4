"""The embedded AWS left up after the demo: how a shell talks to it as either account."""

import shlex
from pathlib import Path

from local.aws.embedded import ROOT, EmbeddedAws
from local.demo.partner import PartnerSide

OURS = ("AWS_", "CAUSEWAY_")  # names of variables that say which AWS, and as whom


def write_shells(aws: EmbeddedAws, partner: PartnerSide, folder: Path, settings: Path) -> list[Path]:
    """Write company.sh and partner.sh into the folder, to be sourced."""
    company = aws.environment(aws.account) | {"CAUSEWAY_SETTINGS": str(settings), "CAUSEWAY_LAYERS": "none"}
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for whose, environment in {"company": company, "partner": partner.environment}.items():
        named = {name: value for name, value in environment.items() if name.startswith(OURS)}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in named.items()]
        written.append(folder / f"{whose}.sh")
        written[-1].write_text("\n".join([*lines, f'export PATH="{ROOT}/.venv/bin:$PATH"', ""]))
    return written
