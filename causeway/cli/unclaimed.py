"""How commands say what no contract speaks of."""

from collections.abc import Iterator, Mapping
from typing import Any

from causeway.cli.output import printable
from causeway.flow.datasets import LANDING_PREFIX, dataset_of


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    for found in document.get("unclaimed_files", []):
        prefix, files = printable(found["prefix"]), found["files"]
        nearest = f"; did you mean {found['nearest']}?" if found["nearest"] else ""
        yield f"{prefix}: {files:,} file{'s' * (files > 1)} of no dataset{nearest}"
        if dataset := dataset_of(found["prefix"]):
            yield f"  move them, or write contracts/{dataset}.odcs.yaml, deploy, causeway backfill {prefix}"
        else:
            yield f"  a dataset's files lie below {LANDING_PREFIX}<dataset>/: move them there"
    for table in document.get("unclaimed_tables", []):
        yield f"table {table} has no contract: it is kept, and the partner cannot read it"
        yield f"  to drop it: causeway retire {table}"
