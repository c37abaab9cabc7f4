"""`make demo`: the whole of Causeway on this machine, from an empty AWS to the partner's answer."""

import contextlib
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from causeway.settings import SETTINGS_FILE, load_settings
from local import cdk
from local.aws.embedded import EmbeddedAws
from local.demo.partner import Outcome, PartnerSide
from local.demo.story import File, corrected_file, first_files
from local.demo.watch import Watch, newest
from local.progress import Progress

BUILD = Path(__file__).resolve().parents[2] / "build"
# So that nobody waits here for a minute; everything else is as settings.toml says.
WINDOW_SECONDS = 2
# What the partner asks of each table.
QUESTIONS = {
    "flights": """
        select carrier, count(*) as flights, round(avg(arr_delay), 1) as "mean delay, min"
        from flights group by carrier order by 3 desc limit 5
    """,
    "planes": "select manufacturer, count(*) as planes from planes group by 1 order by 2 desc limit 1",
    "weather": "select origin, max(wind_speed) as wind from weather group by 1 order by 2 desc limit 1",
}
COUNTS = ("landed", "curated", "quarantined", "read_by_partner", "superseded")


def demo_settings() -> Path:
    """settings.toml with a short batching window."""
    text, replaced = re.subn(
        r"(?m)^batch_window_seconds = .*$",
        f"batch_window_seconds = {WINDOW_SECONDS}",
        SETTINGS_FILE.read_text(),
    )
    assert replaced == 1, f"{SETTINGS_FILE} has no line for batch_window_seconds"
    path = BUILD / "demo" / "settings.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def deploy(aws: EmbeddedAws, progress: Progress) -> dict[str, dict[str, str]]:
    """Synthesize, bootstrap and deploy with the real command line; returns the stacks' outputs."""
    environment = {**aws.environment(aws.account), "CAUSEWAY_SETTINGS": str(demo_settings())}
    assembly = BUILD / "demo" / "cdk.out"
    with (
        progress.phase(
            "synthesize and bootstrap", "Synthesizing the stacks and bootstrapping the account (cdk)"
        ),
        ThreadPoolExecutor() as pool,
    ):
        synthesized = pool.submit(cdk.synth, assembly, environment)
        bootstrapped = pool.submit(cdk.bootstrap, aws.account, aws.region, environment)
        synthesized.result()
        bootstrapped.result()
    with progress.phase("deploy", "Deploying four stacks (cdk deploy)"):
        return cdk.deploy(assembly, environment, progress.note)


def land(aws: EmbeddedAws, bucket: str, files: Sequence[File]) -> dict[str, str]:
    """Put the files into the landing bucket; returns their version ids by key."""
    s3 = aws.client("s3", aws.account)
    return {f.key: s3.put_object(Bucket=bucket, Key=f.key, Body=f.data)["VersionId"] for f in files}


def account_for(watch: Watch, files: Sequence[File], read: dict[str, int]) -> dict[str, Any]:
    """Per dataset: landed (as counted in the files), curated, quarantined and read by the partner."""
    current, superseded = newest(watch.reports())
    in_files = {file.key: file.rows or 0 for file in files}
    account = {}
    for dataset, sources in sorted(current.items()):
        reasons: Counter[str] = Counter()
        for source in sources.values():
            reasons.update(source.reasons)
        account[dataset] = {
            "landed": sum(rows for key, rows in in_files.items() if key.startswith(f"landing/{dataset}/")),
            "curated": sum(source.curated for source in sources.values()),
            "quarantined": sum(source.quarantined for source in sources.values()),
            "reasons": dict(sorted(reasons.items())),
            "unreadable_objects": sum(source.unreadable for source in sources.values()),
            "superseded": superseded[dataset],
            "read_by_partner": read[dataset],
        }
    return account


def wrong(account: dict[str, Any], outcomes: Sequence[Outcome]) -> list[str]:
    """What does not hold, a line each; empty when all is well."""
    lines = []
    for dataset, rows in account.items():
        if rows["landed"] != rows["curated"] + rows["quarantined"]:
            parts = f"curated {rows['curated']} + quarantined {rows['quarantined']}"
            lines.append(f"{dataset}: landed {rows['landed']} ≠ {parts}")
        if rows["curated"] != rows["read_by_partner"]:
            lines.append(
                f"{dataset}: curated {rows['curated']}, but the partner read {rows['read_by_partner']}"
            )
    lines += [f"not refused: {o.tried} ({o.outcome})" for o in outcomes if o.outcome != "refused"]
    return lines


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Rows as text: words to the left, numbers to the right."""
    texts = [list(header)] + [[f"{c:,}" if isinstance(c, int) else str(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(header))]
    right = [bool(rows) and isinstance(rows[0][i], int | float) for i in range(len(header))]
    aligned = [
        "  ".join(
            t.rjust(w) if r else t.ljust(w) for t, w, r in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in texts
    ]
    return "\n".join(f"  {line}" for line in [aligned[0], "  ".join("─" * w for w in widths), *aligned[1:]])


def tell_story(aws: EmbeddedAws, outputs: dict[str, dict[str, str]], progress: Progress) -> int:
    """Land the files, wait, read as the partner, try the refusals, report; 0 if everything holds."""
    settings = load_settings()
    lake, partner = outputs[f"{settings.project}-lake"], outputs[f"{settings.project}-partner"]
    watch = Watch(aws, lake)

    files = first_files()
    with progress.phase(
        "first files", f"Landing {len(files)} files: a year of flights, planes and weather, and some trouble"
    ):
        watch.wait_until_done(land(aws, watch.landing, files), progress.note)
    correction = corrected_file()
    with progress.phase("correction", f"Landing {correction.key} again: the first one was preliminary"):
        watch.wait_until_done(land(aws, watch.landing, [correction]), progress.note)
        files = [file for file in files if file.key != correction.key] + [correction]

    database = settings.project.replace("-", "_") + "_lake"
    with progress.phase("partner reads", f"Reading as the partner, from account {settings.partner.account}"):
        side = PartnerSide(aws, settings, partner["ProgrammaticRoleArn"])
        with ThreadPoolExecutor(2) as pool:
            asked = {d: pool.submit(side.read, database, d, QUESTIONS[d]) for d in QUESTIONS}
            answers = {dataset: answer.result() for dataset, answer in asked.items()}
    with progress.phase("refusals", "Trying what the partner must not do"):
        outcomes = side.refusals(lake, database.replace("_lake", "_quarantine"))

    account = account_for(watch, files, {d: answer["rows"] for d, answer in answers.items()})
    document: dict[str, Any] = {
        "format": 1,
        "datasets": account,
        "unrouted": dict(Counter(record["code"] for record in watch.unrouted())),
        "refusals": {outcome.tried: outcome.outcome for outcome in outcomes},
        "snapshots": {dataset: str(answer["snapshot"]) for dataset, answer in answers.items()},
        "seconds": {**progress.seconds, "total": progress.total},
    }
    (BUILD / "demo.json").write_text(json.dumps(document, indent=1) + "\n")
    _tell(progress, account, outcomes, answers["flights"]["result"], document)
    problems = wrong(account, outcomes)
    for problem in problems:
        progress.say(f"✗ {problem}")
    total = {what: sum(rows[what] for rows in account.values()) for what in COUNTS}
    progress.say(
        f"{'FAILED.' if problems else 'Done.'} LANDED={total['landed']} CURATED={total['curated']} "
        f"QUARANTINED={total['quarantined']} READ={total['read_by_partner']} REFUSED={len(outcomes)} "
        f"SNAPSHOT={document['snapshots']['flights']} TOOK={progress.total:.0f}s"
    )
    return 1 if problems else 0


def _tell(
    progress: Progress,
    account: dict[str, Any],
    outcomes: Sequence[Outcome],
    answer: list[dict[str, Any]],
    document: dict[str, Any],
) -> None:
    say = progress.say
    say("\nWhat became of every row")
    header = ("dataset", *(what.replace("_", " ") for what in COUNTS))
    say(table([[name, *(rows[what] for what in COUNTS)] for name, rows in account.items()], header))
    say("\nWhy rows were quarantined, and objects set aside")
    reasons = [[name, code, n] for name, rows in account.items() for code, n in rows["reasons"].items()]
    reasons += [["—", code, n] for code, n in sorted(document["unrouted"].items())]
    say(table(reasons, ("dataset", "reason", "rows or objects")))
    say("\nThe partner asked: which airlines kept New York waiting longest?")
    say(table([list(row.values()) for row in answer], list(answer[0])))
    refused = sum(outcome.outcome == "refused" for outcome in outcomes)
    say(f"\nThe partner was refused {refused} of {len(outcomes)} things it must not do:")
    for outcome in outcomes:
        say(f"  {'✓' if outcome.outcome == 'refused' else '✗'} {outcome.tried}: {outcome.outcome}")
    say(f"\nSnapshot of flights: {document['snapshots']['flights']} (a training set is a snapshot)")
    say("Seconds: " + " · ".join(f"{name} {seconds}" for name, seconds in document["seconds"].items()))
    say("Next: KEEP=1 make demo (leaves this AWS up) · make test · make deploy (to a sandbox) · make help\n")


def keep(aws: EmbeddedAws, progress: Progress) -> None:
    """Leave the embedded AWS up until interrupted, and say how to talk to it."""
    progress.say("The embedded AWS stays up until Ctrl-C. In another terminal:")
    progress.say(f"  export AWS_ENDPOINT_URL={aws.endpoint} AWS_DEFAULT_REGION={aws.region}")
    progress.say(
        f"  export AWS_ACCESS_KEY_ID={aws.account} AWS_SECRET_ACCESS_KEY=embedded  # the account's root"
    )
    progress.say("  aws s3 ls   # or boto3, which reads the same variables")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        aws.wait()


def main() -> int:
    settings = load_settings()
    progress = Progress()
    BUILD.mkdir(exist_ok=True)
    aws = EmbeddedAws(account=settings.company.account, region=settings.company.region)
    try:
        with progress.phase("start", f"Starting an embedded AWS on {aws.endpoint}"):
            aws.start()
        status = tell_story(aws, deploy(aws, progress), progress)
        if os.environ.get("KEEP") == "1":
            keep(aws, progress)
        return status
    except (RuntimeError, cdk.CdkError) as error:
        kept = aws.keep_logs(BUILD / "demo" / "logs")
        progress.say(f"✗ {error}\n  Logs: {kept}\nFAILED. TOOK={progress.total:.0f}s")
        return 1
    finally:
        aws.stop()


if __name__ == "__main__":
    sys.exit(main())
