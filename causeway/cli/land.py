"""`causeway land`: puts files where a dataset's files land, and says what became of them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.output import Exit, Json, Progress, answer, table

if TYPE_CHECKING:
    from causeway.flow.landing import Landing

HEADER = ("file", "became", "rows", "rejected", "snapshot")
PAUSE = 1  # seconds between two looks


def land(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    dataset: Annotated[str, typer.Option(help="Whose files they are; it needs a contract that is deployed.")],
    wait: Annotated[int, typer.Option(metavar="SECONDS", help="Until it is known; 0: do not wait.")] = 600,
    as_json: Json = False,
) -> int:
    """Put files into the landing bucket, as `aws s3 cp` does, and wait until they are committed.

    Exits 1 if one is rejected whole, or is not committed by then.
    """
    from causeway.flow.datasets import prefix_of
    from causeway.operate.deployment import Deployment

    deployment = Deployment.find()
    (name,), landing = deployment.datasets([dataset]), deployment.landing
    keys = {f"{prefix_of(name)}{path.name}": path for path in files}
    versions = {
        key: landing.s3.put_object(Bucket=landing.bucket, Key=key, Body=path.read_bytes())["VersionId"]
        for key, path in keys.items()
    }
    became = _await(landing, name, versions, wait)
    told: list[dict[str, Any]] = [{"key": key, **became[key]} for key in keys]
    answer({"dataset": name, "files": told}, lambda: _text(told), as_json)
    fine = {"committed"} if wait else {"committed", "waiting"}
    return Exit.FINE if {file["state"] for file in told} <= fine else Exit.ATTENTION


def _await(
    landing: "Landing", dataset: str, versions: Mapping[str, str], seconds: int
) -> dict[str, dict[str, Any]]:
    """What became of each key's version."""
    deadline = monotonic() + seconds
    with Progress("looks at the ledger") as progress:
        while True:
            entries, _ = landing.known(dataset, versions)
            done = [key for key, of in entries.items() if of.version == versions[key]]
            if len(done) == len(versions) or monotonic() >= deadline:
                break
            progress.add(1, f", {len(done)} of {len(versions)} files committed")
            sleep(PAUSE)
    waiting = {"state": "waiting", "rows": None, "rejected": None, "snapshot": None}
    return dict.fromkeys(versions, waiting) | {
        key: {
            "state": "quarantined" if entries[key].unreadable else "committed",
            "rows": entries[key].rows,
            "rejected": entries[key].quarantined,
            "snapshot": entries[key].snapshot,
        }
        for key in done
    }


def _text(files: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    shown = ("key", "state", "rows", "rejected", "snapshot")
    yield table(HEADER, [["" if file[name] is None else file[name] for name in shown] for file in files])
    if any(file["rejected"] for file in files):
        yield "causeway quarantine says why rows were rejected"
    waiting = [file["key"] for file in files if file["state"] == "waiting"]
    yield from (f"not committed yet: causeway trace {key}" for key in waiting)
