"""`causeway explain`: what a reason code means, and what to do about it."""

from typing import Annotated

import typer

from causeway.cli.output import Json, answer, table
from causeway.flow.codes import Code
from causeway.flow.nearest import did_you_mean

MESSAGE = "message"
REMEDY = (
    "Is the file wrong: land it again under the same key. Is the contract: mend it, raise its version, "
    "deploy, causeway replay landing/<dataset>/."
)
REMEDY_OF_MESSAGES = "No table lacks anything by it, unless causeway status names files of no dataset."


def explain(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="By default all.")] = None,
    as_json: Json = False,
) -> None:
    """Say what a reason code of the quarantine means."""
    known = {one.value: one for one in Code}
    if code not in (None, *known):
        raise typer.BadParameter(f"no reason code {code}{did_you_mean(code or '', known)}")
    wanted = [known[code]] if code else list(Code)
    remedy = REMEDY_OF_MESSAGES if code and wanted[0].subject == MESSAGE else REMEDY
    rows = [(one.value, one.subject, one.meaning) for one in wanted]
    document = {"codes": [dict(zip(("code", "subject", "meaning"), row, strict=True)) for row in rows]}
    answer(
        document, lambda: [table(("code", "said of", "meaning"), rows), *([remedy] if code else [])], as_json
    )
