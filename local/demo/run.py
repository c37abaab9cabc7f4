"""The demo's steps on a deployment: land files, read as the partner, try what must be refused."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from causeway.settings import load_settings
from local.aws.embedded import EmbeddedAws
from local.demo.accounts import account_for, problems_of
from local.demo.partner import PartnerSide
from local.demo.progress import Progress
from local.demo.story import corrected_file, first_files
from local.demo.summary import print_summary
from local.demo.watch import Watch

# What the partner asks of each table.
QUESTIONS = {
    "flights": """
        select carrier, count(*) as flights, round(avg(arr_delay), 1) as "mean delay, min"
        from flights group by carrier order by 3 desc limit 5
    """,
    "planes": "select manufacturer, count(*) as planes from planes group by 1 order by 2 desc limit 1",
    "weather": "select origin, max(wind_speed) as wind from weather group by 1 order by 2 desc limit 1",
}


def run(aws: EmbeddedAws, outputs: dict[str, dict[str, str]], build: Path, progress: Progress) -> list[str]:
    """Do it all, write build/demo.json, print a summary; returns what does not hold, a line each."""
    settings = load_settings()
    lake, access = outputs[f"{settings.project}-lake"], outputs[f"{settings.project}-partner"]
    watch, files, correction = Watch(aws, lake), first_files(), corrected_file()
    description = f"Landing {len(files)} files: a year of flights, planes and weather, and some trouble"
    with progress.phase("first files", description):
        watch.land(files, progress.note)
    with progress.phase("correction", f"Landing {correction.key} again: the first one was preliminary"):
        watch.land([correction], progress.note)

    description = f"Reading as the partner, from account {settings.partner.account}"
    with progress.phase("partner reads", description), ThreadPoolExecutor(2) as pool:
        partner = PartnerSide(aws, settings, access["ProgrammaticRoleArn"])
        results = pool.map(partner.read, QUESTIONS, QUESTIONS.values())
        answers = dict(zip(QUESTIONS, results, strict=True))
    with progress.phase("refusals", "Trying what the partner must not do"):
        refusals = partner.refusals(lake)

    newest_files = {file.key: file for file in [*files, correction]}.values()
    read = {dataset: answer["rows"] for dataset, answer in answers.items()}
    account = account_for(newest_files, watch.reports(), read)
    document: dict[str, Any] = {
        "format": 1,
        "datasets": account,
        "unrouted": dict(Counter(record["code"] for record in watch.unrouted())),
        "refusals": refusals,
        "snapshots": {dataset: str(answer["snapshot"]) for dataset, answer in answers.items()},
        "seconds": {**progress.seconds, "total": progress.total},
    }
    (build / "demo.json").write_text(json.dumps(document, indent=1) + "\n")
    problems = problems_of(account, refusals)
    print_summary(document, answers["flights"]["result"], problems)
    return problems
