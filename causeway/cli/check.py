"""`causeway check`: runs a contract over local files with the engine that runs on AWS."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.output import COUNTED, Exit, Json, answer, printable, table

EXAMPLE = 160  # characters of one that a person sees


def check(
    contract: Annotated[Path, typer.Argument(help="A contract's file.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Files to check.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write curated/ and quarantine/ Parquet here.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Check files against a contract. Exits 1 if rows or files are rejected."""
    from causeway.engine.dry_run import load_runnable
    from causeway.engine.local import run

    loaded = load_runnable(contract)
    started = time.perf_counter()
    report, examples = run(loaded, files, out)
    document = _document(report.sources, round(time.perf_counter() - started, 3))
    where = f"Written to {out}/curated and {out}/quarantine" if out else ""
    title = f"Contract {loaded.dataset} {loaded.version}"
    answer(document, lambda: _text(document, title, examples, where), as_json)
    rejected = document["rows_quarantined"] or document["objects_unreadable"]
    return Exit.ATTENTION if rejected else Exit.FINE


def _document(sources: Any, seconds: float) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    for source in sources:
        reasons.update(source.reasons)
    return {
        "rows_in": sum(source.landed for source in sources),
        "rows_curated": sum(source.curated for source in sources),
        "rows_quarantined": sum(source.quarantined for source in sources),
        "objects_unreadable": sum(source.unreadable for source in sources),
        "reasons": dict(sorted(reasons.items())),
        "files": [
            {
                "file": source.source,
                "rows": source.landed,
                "curated": source.curated,
                "quarantined": source.quarantined,
                "reasons": source.reasons,
                "unreadable": source.unreadable,
            }
            for source in sources
        ],
        "seconds": seconds,
    }


def _text(
    document: Mapping[str, Any], title: str, examples: Mapping[str, str], where: str
) -> Iterator[RenderableType]:
    yield f"{title}\n"
    readable = [file for file in document["files"] if not file["unreadable"]]
    columns = ("rows", "curated", "quarantined")
    if readable:
        rows = ((printable(file["file"]), *(file[name] for name in columns)) for file in readable)
        yield table(("file", "rows", "curated", "rejected"), rows)
    for file in document["files"]:
        if file["unreadable"]:
            yield f"{printable(file['file'])}  cannot be read ({', '.join(file['reasons'])})"
    if document["reasons"]:
        often = sorted(document["reasons"].items(), key=lambda reason: (-reason[1], reason[0]))
        rows = ((code, times, printable(examples.get(code, ""))[:EXAMPLE]) for code, times in often)
        yield ""
        yield table(("reason", "times", "for example"), rows)
        yield COUNTED
    if where:
        yield f"\n{where}"
    yield (
        f"\nDone. FILES={len(document['files'])} ROWS={document['rows_in']} "
        f"CURATED={document['rows_curated']} REJECTED={document['rows_quarantined']} "
        f"UNREADABLE={document['objects_unreadable']} TOOK={document['seconds']:.2f}s"
    )
