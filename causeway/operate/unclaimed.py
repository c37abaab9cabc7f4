"""What no contract speaks of: files that landed for no dataset, and tables whose contract is gone."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from causeway.flow.datasets import LANDING_PREFIX, is_beside_data
from causeway.flow.landing import Landing
from causeway.flow.manifest import BATCHES_PREFIX
from causeway.operate.deployment import Deployment

COUNTED = 10_000  # files of a prefix that are counted; nobody needs to know how many more there are


def unclaimed(deployment: Deployment) -> dict[str, Any]:
    """For the JSON object: prefixes with files that no dataset takes in, and tables without a contract."""
    known = set(deployment.prefixes(LANDING_PREFIX).values())
    files = list(_files(deployment.landing, known))
    return {"unclaimed_files": files, "unclaimed_tables": unclaimed_tables(deployment)}


def unclaimed_tables(deployment: Deployment) -> list[str]:
    """Tables of the lake that are of no contract, in no major version that there was."""
    database = deployment.settings.database("lake")
    pages = deployment.client("glue").get_paginator("get_tables").paginate(DatabaseName=database)
    tables = {table["Name"] for page in pages for table in page["TableList"]}
    return sorted(tables - {name for contract in deployment.contracts.values() for name in contract.tables})


def drop(deployment: Deployment, table: str) -> dict[str, Any]:
    """Take a table and its quarantine out of the catalog, then delete their files; the JSON object of that.

    The files are old versions then, for as long as the buckets keep those.
    """
    glue, s3, lake = deployment.client("glue"), deployment.session.resource("s3"), deployment.lake
    places: dict[Literal["lake", "quarantine"], tuple[str, str]] = {
        "lake": (lake["CuratedBucket"], f"{table}/"),
        "quarantine": (lake["QuarantineBucket"], f"rejected/{table}/"),
    }
    files = 0
    for kind, (bucket, prefix) in places.items():
        with contextlib.suppress(glue.exceptions.EntityNotFoundException):
            glue.delete_table(DatabaseName=deployment.settings.database(kind), Name=table)
        responses = s3.Bucket(bucket).objects.filter(Prefix=prefix).delete()
        files += sum(len(response.get("Deleted", [])) for response in responses)
    return {"table": table, "files": files}


def _files(landing: Landing, known: set[str]) -> Iterator[dict[str, Any]]:
    for parent, own in (("", {LANDING_PREFIX, BATCHES_PREFIX}), (LANDING_PREFIX, known)):
        prefixes, loose = _listed(landing, parent)
        for prefix in sorted(prefixes - own):
            counted = sum(1 for _ in _below(landing, prefix))
            if counted:
                nearest = difflib.get_close_matches(prefix, known, 1)
                yield {"prefix": prefix, "files": counted, "nearest": nearest[0] if nearest else None}
        for key in sorted(loose):
            yield {"prefix": key, "files": 1, "nearest": None}


def _listed(landing: Landing, parent: str) -> tuple[set[str], set[str]]:
    """The folders that lie directly below a prefix, and the files."""
    folders: set[str] = set()
    files: set[str] = set()
    for page in _pages(landing, Prefix=parent, Delimiter="/"):
        folders |= {found["Prefix"] for found in page.get("CommonPrefixes", [])}
        files |= set(_keys(page))
    return folders, files


def _below(landing: Landing, prefix: str) -> Iterator[str]:
    pages = _pages(landing, Prefix=prefix, PaginationConfig={"MaxItems": COUNTED})
    return (key for page in pages for key in _keys(page))


def _pages(landing: Landing, **request: Any) -> Iterable[Mapping[str, Any]]:
    pages: Iterable[Mapping[str, Any]] = landing.s3.get_paginator("list_objects_v2").paginate(
        Bucket=landing.bucket, **request
    )
    return pages


def _keys(page: Mapping[str, Any]) -> Iterator[str]:
    return (found["Key"] for found in page.get("Contents", []) if not is_beside_data(found["Key"]))
