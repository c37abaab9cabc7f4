"""`make demo`: the whole of Causeway on this machine, from an empty AWS to the partner's answer."""

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from causeway.cli.output import show
from causeway.settings import load_settings
from local.aws.embedded import ROOT, EmbeddedAws
from local.demo.accounts import account_for, problems_of
from local.demo.deploy import deploy
from local.demo.films import film_files
from local.demo.kept import write_shells
from local.demo.mail import mail_rounds
from local.demo.page import write_page
from local.demo.partner import PartnerSide
from local.demo.profiles import show_profiles
from local.demo.progress import Progress
from local.demo.store import Application, ask_store, show_store
from local.demo.story import File, files
from local.demo.summary import print_summary
from local.demo.training import Training, problems_of_training, show_training, train_and_ask
from local.demo.watch import Watch

BUILD = ROOT / "build"
# What the partner asks of each table.
QUESTIONS = {
    "castings": "select count(distinct film) as films, count(*) as castings from castings",
    "films": "select year, count(*) as films from films group by 1 order by 2 desc limit 1",
    "flights": """
        select carrier, count(*) as flights, round(avg(arr_delay), 1) as "mean delay, min"
        from flights group by carrier order by 3 desc limit 5
    """,
    "mail": "select label, count(*) as mails from mail group by 1 order by 2 desc",
    "people": "select first_year, count(*) as people from people group by 1 order by 1 limit 1",
    "planes": "select manufacturer, count(*) as planes from planes group by 1 order by 2 desc limit 1",
    "weather": "select origin, max(wind_speed) as wind from weather group by 1 order by 2 desc limit 1",
}
SERVED = ("castings", "films", "people")


def land(watch: Watch, progress: Progress) -> Collection[File]:
    """Land everything; returns the files whose rows should be in the tables."""
    (mails, _later), (others, correction) = mail_rounds(), files()
    first = [*mails, *others, *film_files()]
    description = f"Landing {len(first)} files: flights, planes, weather, mail, films, and some trouble"
    with progress.phase("first files", description):
        watch.land(first, progress.note)
    with progress.phase("correction", f"Landing {correction.key} again: the first one was preliminary"):
        watch.land([correction], progress.note)
    return {file.key: file for file in [*first, correction]}.values()


def run(aws: EmbeddedAws, outputs: dict[str, dict[str, str]], build: Path, progress: Progress) -> list[str]:
    """Do it all, write build/demo.json and .html, print a summary;
    returns what does not hold, a line each.
    """
    settings = load_settings()
    lake = outputs[f"{settings.project}-lake"]
    watch = Watch(aws, lake, outputs[f"{settings.project}-pipeline"])
    newest_files = land(watch, progress)
    description = f"Reading as the partner, from account {settings.partner.account}"
    with progress.phase("partner reads", description), ThreadPoolExecutor(2) as pool:
        partner = partner_side(aws, outputs)
        results = pool.map(partner.read, QUESTIONS, QUESTIONS.values())
        answers = dict(zip(QUESTIONS, results, strict=True))
    with progress.phase("profiles", "Each table's first commit is profiled, and the partner reads that too"):
        watch.await_profiles(QUESTIONS, progress.note)
        profiles = {dataset: partner.profile(dataset) for dataset in QUESTIONS}
    with progress.phase("refusals", "Trying what the partner must not do"):
        refusals = partner.refusals(lake)
    application = Application(aws, settings, outputs[f"{settings.project}-store"])
    loads = {dataset: str(answers[dataset]["snapshot"]) for dataset in SERVED}
    store = ask_store(application, lake, loads, progress)
    training = Training(aws, settings.partner.account, outputs[f"{settings.project}-training"])
    model = train_and_ask(training, progress, build)

    read = {dataset: answer["rows"] for dataset, answer in answers.items()}
    account = account_for(newest_files, watch.reports(), read)
    document: dict[str, Any] = {
        "format": 1,
        "datasets": account,
        "unrouted": dict(Counter(record["code"] for record in watch.unrouted())),
        "refusals": refusals,
        "snapshots": {dataset: str(answer["snapshot"]) for dataset, answer in answers.items()},
        "profiles": {dataset: profile["profile"]["snapshot"] for dataset, profile in profiles.items()},
        "store": store,
        "model": model,
        "seconds": {},
    }
    problems = [*problems_of(account, refusals | store["refusals"]), *problems_of_training(model)]
    show_profiles(profiles, build)
    with progress.phase("page", "Writing the page of all this (causeway report)"):
        asked = {dataset: (sql, answers[dataset]) for dataset, sql in QUESTIONS.items()}
        page = write_page(aws, document, asked, build)
    document["seconds"] |= {**progress.seconds, "total": progress.total}
    (build / "demo.json").write_text(json.dumps(document, indent=1) + "\n")
    tell(document, answers["flights"]["result"], problems, page)
    return problems


def tell(document: dict[str, Any], answer: list[dict[str, Any]], problems: list[str], page: Path) -> None:
    show_store(document["store"])
    show_training(document["model"])
    show(f"\nAll of this on a page, with samples of what was rejected: {page}")
    print_summary(document, answer, problems)


def partner_side(aws: EmbeddedAws, outputs: dict[str, dict[str, str]]) -> PartnerSide:
    settings = load_settings()
    return PartnerSide(aws, settings, outputs[f"{settings.project}-partner"]["ProgrammaticRoleArn"])


def keep(aws: EmbeddedAws, partner: PartnerSide) -> None:
    """Leave the embedded AWS up until interrupted, and say how to talk to it as either account."""
    print("The embedded AWS stays up until Ctrl-C. In another terminal, as the company or as the partner:")
    for script in write_shells(aws, partner, BUILD / "demo", BUILD / "demo" / "settings.toml"):
        print(f"  source {script.relative_to(ROOT)}")
    print("Then: causeway status, aws s3 ls, boto3; docs/tutorial.md goes on from here", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        aws.process.wait()


def main() -> int:
    company, progress = load_settings().company, Progress()
    aws = EmbeddedAws(account=company.account, region=company.region, logs=BUILD / "demo" / "logs")
    with contextlib.ExitStack() as stack:
        try:
            with progress.phase("start", f"Starting an embedded AWS on {aws.endpoint}"):
                stack.enter_context(aws)
            outputs = deploy(aws, BUILD / "demo", progress)
            problems = run(aws, outputs, BUILD, progress)
            if os.environ.get("KEEP") == "1":
                keep(aws, partner_side(aws, outputs))
            return 1 if problems else 0
        except RuntimeError as error:
            print(f"✗ {error}\n  Logs: {aws.logs}\nFAILED. TOOK={progress.total:.0f}s")
            return 1


if __name__ == "__main__":
    sys.exit(main())
