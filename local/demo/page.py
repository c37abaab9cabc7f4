"""The demo's page: the report of the deployment, with what was asked and tried beside it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from causeway.pages.report import report_page
from local.aws.embedded import ROOT, EmbeddedAws
from local.demo.store import SEARCH


def write_page(aws: EmbeddedAws, document: Mapping[str, Any], asked: Mapping[str, Any], build: Path) -> Path:
    """Write build/demo.html. `asked`: by dataset, the partner's query and its answer.

    Raises RuntimeError if the command that reports of the deployment fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "causeway", "report", "--json"],
        cwd=ROOT, env=aws.environment(aws.account), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not done.stdout:
        raise RuntimeError(f"causeway report failed: {done.stderr.strip()[-500:]}")
    beside = sorted(
        page.name for pattern in ("profile-*.html", "model-*.html") for page in build.glob(pattern)
    )
    demo = {
        "asked": {name: _asked(*of) for name, of in asked.items()},
        "refusals": {**document["refusals"], **document["store"]["refusals"]},
        "answers": list(_answers(document["store"], document["model"])),
        "pages": beside,
    }
    page = build / "demo.html"
    page.write_text(report_page(json.loads(done.stdout), demo), "utf-8")
    return page


def _asked(sql: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    result = answer["result"]
    lines = [line.strip() for line in sql.strip().splitlines()]
    return {
        "sql": "\n".join(lines),
        "rows": answer["rows"],
        "snapshot": answer["snapshot"],
        "header": list(result[0]),
        "result": [list(row.values()) for row in result],
    }


def _answers(store: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[str]:
    first, holdout = store["answer"][0], model["holdout"]
    pair = f"{first['one']} and {first['other']}, {first['films']} films in {first['years']}"
    yield f"Who made most films together? An application asked the store, over three tables: {pair}."
    titles = "; ".join(f"{one['row']['title']} ({one['row']['year']})" for one in store["search"]["answers"])
    where = " and ".join(f"{name} is {value}" for name, value in SEARCH["filters"].items())
    yield f"It searched the films' texts for “{SEARCH['question']}”, where {where}: {titles}."
    trained = f"The partner trained a model on snapshot {model['snapshot']}"
    yield f"{trained}; the gate, on later rows, says that it has {model['verdict']}."
    if holdout:
        flagged, right = holdout["flagged"], holdout["right"]
        yield f"Of {flagged} later mails that it flagged, {right} are spam ({holdout['precision']:.1%})."
