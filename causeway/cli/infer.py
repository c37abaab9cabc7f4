"""`causeway infer`: drafts a contract from sample files, for a person to read and mend."""

from pathlib import Path
from typing import Annotated

import typer


def infer(
    files: Annotated[list[Path], typer.Argument(help="Sample files of one dataset.", metavar="FILE")],
    name: Annotated[str | None, typer.Option(help="The dataset; by default the first file's name.")] = None,
) -> None:
    """Draft a contract from sample files."""
    from causeway.engine.infer import draft

    print(draft(files, name), end="")
