"""The demo's chain and what can go wrong with it, on the embedded AWS."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import polars as pl
import pytest

from causeway.flow.models import Run, champion_key, running_key
from causeway.settings import load_settings
from causeway.store.embeddings import DIMENSION, Hashing, passages
from local.demo.__main__ import SERVED
from local.demo.accounts import newest
from local.demo.deploy import cdk
from local.demo.films import film_files
from local.demo.mail import mail_rounds, mails
from local.demo.partner import PartnerSide
from local.demo.store import SEARCH
from local.demo.training import Training, train
from local.deploy import stacks_of
from tests.causeway.engine.profile.test_associations import pytest_approx
from tests.local.deployment import COMPANY, PARTNER, Deployment, job_processes, signal_jobs

pytestmark = pytest.mark.embedded


def test_every_flight_is_landed_and_accounted_for(deployment: Deployment) -> None:
    flights = deployment.document["datasets"]["flights"]
    assert not deployment.problems
    assert flights["landed"] == 336_776
    assert flights["landed"] == flights["curated"] + flights["quarantined"]
    assert flights["read_by_partner"] == flights["curated"]
    assert flights["superseded"] == 1000
    assert flights["unreadable_objects"] == 2


def test_every_dataset_adds_up(deployment: Deployment) -> None:
    datasets = deployment.document["datasets"]
    assert {"flights", "weather"} <= set(datasets)
    for rows in datasets.values():
        assert (
            rows["landed"]
            == rows["curated"] + rows["quarantined"]
            == rows["read_by_partner"] + rows["quarantined"]
        )


def test_every_refusal_is_one(deployment: Deployment) -> None:
    refusals = deployment.document["refusals"]
    assert len(refusals) >= 15
    assert set(refusals.values()) == {"refused"}


def test_what_no_dataset_could_take_is_kept_with_its_reason(deployment: Deployment) -> None:
    assert deployment.document["unrouted"] == {"folder_marker": 1, "test_event": 1, "unknown_dataset": 1}


@pytest.fixture(scope="module")
def partner(deployment: Deployment) -> PartnerSide:
    role = deployment.outputs["causeway-partner"]["ProgrammaticRoleArn"]
    return PartnerSide(deployment.aws, load_settings(), role)


def test_the_partner_learns_of_the_columns_what_the_contract_says(partner: PartnerSide) -> None:
    answer = partner.ask("castings", "--dictionary")
    columns = {column["column"]: column for column in answer["result"]}
    assert answer["note"] == "One row a film and a person."
    assert (columns["film"]["key"], columns["film"]["references"]) == (True, "films.film")
    assert columns["position"]["description"] == "In the list of its cast, from 1."


def test_a_snapshot_is_held_by_the_company_and_read_by_the_partner_by_its_name(
    deployment: Deployment, partner: PartnerSide
) -> None:
    first = partner.ask("flights", "--snapshots")["result"][0]
    assert first["expires"]
    deployment.causeway("hold", "flights", str(first["snapshot"]), "--name", "ml-2026-q1")
    assert partner.ask("flights", "--snapshot", "ml-2026-q1")["rows"] == first["rows"]
    deployment.causeway("hold", "flights", "--release", "ml-2026-q1")
    assert deployment.causeway("hold", "--list")["holds"] == []


def test_a_table_is_profiled_as_it_is_and_as_it_was(deployment: Deployment) -> None:
    rows = deployment.document["datasets"]["planes"]["curated"]
    profile = deployment.causeway("profile", "planes", "--recompute")
    assert (profile["rows"], profile["columns"]["tailnum"]["distinct"]["count"]) == (rows, rows)
    assert profile["associations"]
    again = deployment.causeway("profile", "planes", "--recompute", "--snapshot", str(profile["snapshot"]))
    assert again == profile


@pytest.mark.parametrize("dataset", ["flights", "planes", "weather"])
def test_the_first_commit_is_profiled_in_spark_tasks_with_the_numbers_of_one_process(
    deployment: Deployment, dataset: str
) -> None:
    snapshot = deployment.document["profiles"][dataset]
    written = deployment.causeway("profile", dataset, "--snapshot", str(snapshot))
    made_now = deployment.causeway("profile", dataset, "--snapshot", str(snapshot), "--recompute")
    assert {"older", "profiled_at"} & written.keys() == {"profiled_at"}
    for part in ("rows", "columns", "associations", "committed_at"):
        assert written[part] == pytest_approx(made_now[part])


def test_a_later_snapshot_has_the_profile_of_the_nearest_before_it_which_says_its_age(
    deployment: Deployment,
) -> None:
    """At most one is made in profile_hours: the next waits."""
    before = deployment.snapshot("weather")
    deployment.land("later.jsonl")
    deployment.becomes("it is committed", lambda: deployment.snapshot("weather") != before)
    later = deployment.snapshot("weather")
    profile = deployment.causeway("profile", "weather", "--snapshot", str(later))
    assert profile["snapshot"] == deployment.document["profiles"]["weather"]
    assert profile["older"]["than"] == later
    assert profile["older"]["commits"] > 0
    deployment.becomes(
        "the next waits", lambda: any(name.startswith("weather-") for name in deployment.profiling())
    )


def test_a_profile_is_published_with_its_place(deployment: Deployment) -> None:
    snapshot = str(deployment.document["profiles"]["planes"])
    event = deployment.heard(
        "events",
        lambda body: body["detail-type"] == "Dataset Profiled" and body["detail"]["snapshot"] == snapshot,
    )
    assert event["detail"]["dataset"] == "planes"
    place = urlsplit(event["detail"]["profile"])
    stored = deployment.client("s3").get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
    assert json.loads(stored["Body"].read())["snapshot"] == int(snapshot)


def test_a_profile_says_what_a_correction_changed(deployment: Deployment) -> None:
    table = deployment.aws.catalog().load_table(("causeway_lake", "flights"))
    newest = table.snapshot_by_id(int(deployment.document["snapshots"]["flights"]))
    assert newest
    drift = deployment.causeway("profile", "flights", "--against", str(newest.parent_snapshot_id))["drift"]
    # September was preliminary: a thousand rows of it were there, and all of it came.
    assert drift["month"]["psi"] > 0.01
    assert drift["year"]["psi"] == 0
    assert drift["carrier"]["new"]["count"] == 0


def test_an_address_of_the_settings_is_deployed_and_status_counts_it(
    deployment: Deployment, tmp_path: Path
) -> None:
    """The embedded AWS takes every address as confirmed, and sends it nothing."""

    def hears() -> tuple[Any, ...]:
        alerts = deployment.causeway("status", "--failed")["alerts"]
        alerts |= deployment.causeway("ml", "status", account=PARTNER)["alerts"]
        assert [of for of, heard in alerts.items() if heard["unconfirmed"]] == []
        return tuple(alerts[of]["confirmed"] for of in ("failures", "budget", "trainings"))

    assert hears() == (1, 0, 0)  # a queue: see `listen`
    settings = deployment.app.parent / "settings.toml"
    text = settings.read_text()
    deployment.copy_checkout(tmp_path)
    settings.write_text(text.replace("[alerts]\nemails = []", '[alerts]\nemails = ["data@example.com"]'))
    try:
        app = deployment.synthesize(tmp_path)
    finally:
        settings.write_text(text)
    deployment.redeploy("causeway-pipeline", app)
    assert hears() == (2, 0, 0)
    deployment.redeploy("causeway-pipeline", deployment.app)
    assert hears() == (1, 0, 0)


def test_the_partners_model_passed_the_gate_and_is_in_use(deployment: Deployment) -> None:
    model = deployment.document["model"]
    assert (model["verdict"], model["best"], model["snapshot"]) == (
        "passed",
        "stacking-2",
        deployment.document["snapshots"]["mail"],
    )
    assert model["holdout"]["lower"] >= 0.90
    assert model["in_use"].endswith(":model-package/causeway-spam/1")
    assert {one["round"] for one in model["candidates"]} == {1, 2, 3}


def test_a_later_model_is_measured_against_the_one_in_use_and_taking_it_back_rolls_back(
    deployment: Deployment, tmp_path: Path
) -> None:
    training, first = deployment.training, deployment.document["model"]["in_use"]
    _, later = mail_rounds()
    deployment.watch.land(later, lambda _: None)
    model = train(training, lambda _: None, tmp_path, ended=1)
    report = training.store.get(Run("spam", model["run"]).report) or {}
    assert (model["verdict"], model["in_use"]) == ("passed", first.removesuffix("1") + "2")
    assert report["champion"]["run"] == deployment.document["model"]["run"]
    assert [one["trained_on"] for one in report["ablations"]] == ["original", "new", "both"]
    facts = deployment.causeway("ml", "status", account=PARTNER)["models"]["spam"]
    assert [one["status"] for one in facts["packages"]] == ["Approved", "Approved"]
    assert (facts["in_use"]["run"], facts["training"]["status"]) == (model["run"], "SUCCEEDED")
    assert deployment.causeway("ml", "rollback", "spam", account=PARTNER)["in_use"] == 1
    assert training.await_in_use("spam", first)["run"] == deployment.document["model"]["run"]
    page = tmp_path / "before.html"
    run = deployment.document["model"]["run"]
    deployment.causeway("ml", "report", "spam", "--run", run, "--html", str(page), account=PARTNER)
    assert "Model spam: passed" in page.read_text()


def test_the_registry_has_the_models_card(deployment: Deployment) -> None:
    registry = deployment.aws.client("sagemaker", PARTNER)
    package = deployment.document["model"]["in_use"]
    card = registry.describe_model_package(ModelPackageName=package)["ModelCard"]
    assert card["ModelCardStatus"] == "PendingReview"
    content = json.loads(card["ModelCardContent"])
    assert "Not to delete mail" in content["intended_uses"]["purpose_of_model"]
    (seen,) = (one for one in content["evaluation_details"][0]["metric_groups"] if "threshold" in one["name"])
    holdout = deployment.document["model"]["holdout"]
    assert {one["name"]: one["value"] for one in seen["metric_data"]}["flagged"] == holdout["flagged"]


def test_a_search_in_words_finds_what_numpy_finds_in_the_same_snapshot(deployment: Deployment) -> None:
    found = deployment.document["store"]["search"]
    table = deployment.aws.catalog().load_table(("causeway_lake", "films"))
    columns = ("film", "extract")
    films = table.scan(selected_fields=columns, snapshot_id=int(found["snapshot"])).to_arrow().to_pylist()
    castings = (
        deployment.aws.catalog().load_table(("causeway_lake", "castings")).scan().to_arrow().to_pylist()
    )
    his = {one["film"] for one in castings if one["person"] == SEARCH["filters"]["castings.person"]}
    assert 0 < len(his) < len(films) / 50
    for rows, answers in (
        ([film for film in films if film["film"] in his], found["answers"]),
        (films, deployment.causeway("search", SEARCH["question"], "--exact", "--limit", "10")["answers"]),
    ):
        texts = [(row["extract"][a:b], a) for row in rows for a, b in passages(row["extract"] or "")]
        vectors = [vector or [0.0] * DIMENSION for vector in Hashing().embed([text for text, _ in texts])]
        similar = np.array(vectors) @ np.array(Hashing().embed([SEARCH["question"]])[0])
        nearest = np.argsort(-similar)[: len(answers)]
        assert len(answers) in (2, 10)
        assert [one["similarity"] for one in answers] == pytest.approx(similar[nearest], abs=2e-4)
        assert answers[0]["passage"] == texts[nearest[0]][0]


def test_an_application_that_asks_the_model_in_use_is_told_of_spam(deployment: Deployment) -> None:
    asked = deployment.document["model"]["asked"]
    assert asked["package"] == deployment.document["model"]["in_use"]
    assert (asked["rows"], asked["right"] / asked["flagged"] > 0.8) == (200, True)
    assert asked["right"] > asked["positives"] / 2
    assert deployment.training.ask("spam", [{"subject": None, "body": None, "structure": None}])
    with pytest.raises(RuntimeError, match="'subject' is missing; did you mean it by 'subjct'"):
        deployment.training.ask("spam", [{"subjct": "", "body": "", "structure": ""}])


def test_the_model_in_use_scores_every_row_of_a_snapshot_as_it_answers_one(
    deployment: Deployment, tmp_path: Path
) -> None:
    snapshot, path = deployment.document["snapshots"]["mail"], tmp_path / "scores.parquet"
    command = ("ml", "score", "spam", "--snapshot", snapshot, "--to", str(path))
    scored = deployment.causeway(*command, account=PARTNER)["scored"]
    assert (scored["rows"], scored["snapshot"]) == (4392, snapshot)
    scores = pl.read_parquet(path)
    assert scores.height == 4392
    assert scores["positive"].sum() == scored["positive"]
    known = {row["id"]: row for row in mails()}
    some = [known[key] for key in scores["id"].head(50)]
    inputs = [{name: mail[name] for name in ("subject", "body", "structure")} for mail in some]
    answered = [one["score"] for one in deployment.training.ask("spam", inputs)["predictions"]]
    assert answered == pytest.approx(scores["score"].head(50).to_list())
    with pytest.raises(AssertionError, match="no version of late is in use: approve one"):
        deployment.causeway("ml", "score", "late", account=PARTNER)


def test_an_event_that_comes_again_trains_nothing(deployment: Deployment) -> None:
    last = deployment.training.store.get(running_key("spam")) or {}
    asked = {"model": "spam", "snapshot": last["snapshot"], "asked": False}
    output = deployment.training.run(asked)
    assert output["begun"]["action"] == "skip"
    assert asked["snapshot"] in output["begun"]["why"]


def test_a_snapshot_that_has_expired_ends_red_and_the_model_in_use_stays(deployment: Deployment) -> None:
    training = deployment.training
    before = training.store.get(champion_key("spam"))
    with pytest.raises(RuntimeError, match="has no snapshot 1: it expired, or never was; the company"):
        training.run({"model": "spam", "snapshot": "1", "asked": True})
    assert before
    assert training.store.get(champion_key("spam")) == before


def test_who_comes_while_a_training_runs_is_trained_on_when_it_has_failed(deployment: Deployment) -> None:
    training = deployment.training
    failing = training.begin({"model": "spam", "snapshot": "1", "asked": True})
    deployment.becomes("the failing training has its turn", lambda: running(training) == failing)
    assert training.run({"model": "spam", "snapshot": "", "asked": False})["begun"]["action"] == "skip"
    with pytest.raises(RuntimeError, match="has no snapshot 1"):
        training.end(failing)
    deployment.becomes("another has its turn", lambda: running(training) != failing)
    # All rows were judged, by the model that was taken back.
    assert training.end(running(training))["plan"]["action"] == "skip"


def running(training: Training) -> str:
    """The execution that trains the model spam, or was the last to."""
    return str((training.store.get(running_key("spam")) or {})["execution"])


def test_another_story_is_trained_approved_and_asked_by_the_same_stack(deployment: Deployment) -> None:
    trained = deployment.training.run({"model": "late", "snapshot": "", "asked": True})
    assert trained["gate"]["verdict"] == "passed"
    approved = deployment.causeway("ml", "approve", "late", account=PARTNER)["approved"]
    deployment.training.await_in_use("late", approved["package"])
    scored = deployment.causeway("ml", "score", "late", account=PARTNER)["scored"]
    assert scored["rows"] == deployment.document["datasets"]["flights"]["curated"]
    assert sorted(scored["snapshots"]) == ["flights", "weather"]
    assert 0 < scored["positive"] < scored["rows"] / 10


def test_the_store_answers_over_three_tables_as_the_landed_files_do(deployment: Deployment) -> None:
    castings, films, people = (file.data for file in film_files())
    known = pl.read_ndjson(films).filter(pl.col("href").is_not_null()).unique("href", keep="last")
    named = pl.read_csv(people).filter(
        pl.col("person").str.contains("^[A-Z]") & (pl.col("person").str.len_chars() > 3)
    )
    played = pl.read_parquet(castings).unique(["film", "person"], keep="last")
    played = played.join(known.select(film="href", year="year"), on="film").join(named, on="person")
    pairs = played.join(played, on="film").filter(
        (pl.col("person") < pl.col("person_right")) & (pl.col("first_year") == 1940)
    )
    counted = pairs.group_by(one="person", other="person_right").agg(
        films=pl.len(), first=pl.col("year").min(), last=pl.col("year").max()
    )
    expected = counted.sort("films", "one", descending=[True, False]).head(5)
    store = deployment.document["store"]
    assert [(row["one"], row["other"], row["films"], row["years"]) for row in store["answer"]] == [
        (one, other, n, f"{first}–{last}") for one, other, n, first, last in expected.rows()
    ]
    unnamed = pl.read_parquet(castings).filter(pl.col("film").is_not_null()).unique(["film", "person"])
    assert store["waiting"] == {"castings": unnamed.join(named, on="person", how="anti").height}
    assert {name: store["snapshots"][name] for name in SERVED} == {
        name: deployment.document["snapshots"][name] for name in SERVED
    }


def test_a_source_that_goes_takes_its_rows_out_of_the_store_and_brings_them_back(
    deployment: Deployment,
) -> None:
    def held() -> dict[str, tuple[int, int, str]]:
        facts = deployment.causeway("store", "status")["datasets"]
        return {name: (f["rows"], f["waiting"], f["needs"]) for name, f in facts.items()}

    before = held()
    s3, bucket = deployment.client("s3"), deployment.lake["LandingBucket"]
    (file,) = (file for file in film_files() if "people" in file.key)
    s3.delete_object(Bucket=bucket, Key=file.key)
    castings = sum(before["castings"][:2])
    gone = {**before, "people": (0, 0, ""), "castings": (0, castings, "")}
    deployment.becomes("everyone has left, and all castings wait", lambda: held() == gone)
    s3.put_object(Bucket=bucket, Key=file.key, Body=file.data)
    deployment.becomes("they are back", lambda: held() == before)


def test_success_is_published_with_dataset_batch_and_snapshot(deployment: Deployment) -> None:
    snapshot = deployment.document["snapshots"]["flights"]
    event = deployment.heard(
        "events",
        lambda e: e["detail-type"] == "Dataset Curated" and e["detail"]["snapshot"] == snapshot,
    )
    assert event["detail"]["dataset"] == "flights"
    assert len(event["detail"]["batch"]) == 32


def test_an_event_that_is_delivered_again_starts_no_job(deployment: Deployment) -> None:
    (current, _) = newest(deployment.watch.reports())
    (source,) = current["planes"].values()
    described = {"key": source.source, "versionId": source.version, "size": 1, "sequencer": "1"}
    body = json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": described}}]})
    before = len(deployment.watch.executions())
    deployment.client("sqs").send_message(QueueUrl=deployment.lake["LandingEventsUrl"], MessageBody=body)
    deployment.becomes("the queue is empty", lambda: not deployment.waiting("LandingEventsUrl"))
    assert len(deployment.watch.executions()) == before


def test_what_landed_without_an_event_is_found_and_curated(deployment: Deployment) -> None:
    s3, bucket = deployment.client("s3"), deployment.lake["LandingBucket"]
    kept = s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    landed = deployment.land("suppressed.jsonl")
    kept.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=kept)
    assert deployment.reconcile() == 1
    deployment.becomes("it is curated", lambda: deployment.is_curated(landed))
    assert deployment.reconcile() == 0


def test_a_dead_letter_is_seen_and_moved_back(deployment: Deployment) -> None:
    sqs, queue = deployment.client("sqs"), deployment.lake["LandingEventsUrl"]
    gone = deployment.outputs["causeway-pipeline"]["StateMachine"] + "-gone"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    with deployment.broken("BatchEvents", STATE_MACHINE=gone):
        landed = deployment.land("unlucky.jsonl")
        deployment.becomes("it is a dead letter", lambda: deployment.waiting("DeadLettersUrl"))
        assert deployment.causeway("status")["datasets"]["weather"]["dead_lettered"] == 1
    assert deployment.causeway("replay", "--dead-letters")["dead_letters_moved"] == 1
    deployment.becomes("it is curated", lambda: deployment.is_curated(landed))
    assert deployment.waiting("DeadLettersUrl") == 0


def test_what_the_function_fails_of_is_the_jobs_which_when_killed_runs_again_and_nothing_is_lost(
    deployment: Deployment,
) -> None:
    with deployment.broken("CurateSmall", CONTRACTS="s3://nowhere/contracts.zip"):
        landed = deployment.land("killed.jsonl")
        deployment.becomes("its job runs", lambda: job_processes(deployment.aws))
        signal_jobs(deployment.aws, signal.SIGKILL)
        deployment.becomes("it is curated", lambda: deployment.is_curated(landed))
    deployment.becomes("nothing is unaccounted for", lambda: deployment.unaccounted() == 0)


def test_every_batch_has_a_price_failed_runs_included_and_prices_add_up(deployment: Deployment) -> None:
    def ask() -> dict[str, Any]:
        return deployment.causeway("costs", "--by", "batch")

    deployment.becomes("every batch has a price", lambda: ask()["unpriced_batches"] == 0)
    document = ask()
    groups, total = document["groups"], document["total"]
    assert total["runs"] > len(groups) >= 8
    assert sum(one["dollars"] for one in groups.values()) == pytest_approx(total["dollars"])
    # The one whose call failed, and whose job was killed, ran again, under the same batch.
    assert any(one["failed"] > 1 and one["runs"] > one["failed"] for one in groups.values())
    assert total["gb_seconds"] > 0 < total["dpu_seconds"]
    by_dataset = deployment.causeway("costs")
    assert by_dataset["total"] == total
    assert {"flights", "mail", "planes", "weather"} <= by_dataset["groups"].keys()


def test_a_job_that_fails_ends_its_execution_red_and_is_notified(deployment: Deployment) -> None:
    states = deployment.client("stepfunctions")
    machine = deployment.outputs["causeway-pipeline"]["StateMachine"]
    asked = {"dataset": "flights", "batch": "0" * 32, "manifest": "s3://nowhere/manifest.json"}
    started = states.start_execution(stateMachineArn=machine, name="fails", input=json.dumps(asked))
    notice = deployment.heard("failures", lambda body: "0" * 32 in body["Message"])
    assert "NoSuchBucket" in notice["Message"] or "AccessDenied" in notice["Message"]

    def execution() -> Any:
        return states.describe_execution(executionArn=started["executionArn"])

    deployment.becomes("it has ended", lambda: execution()["status"] != "RUNNING")
    assert (execution()["status"], execution()["error"]) == ("FAILED", "GivenUp")


def test_a_message_that_is_no_event_is_kept_and_stops_nothing(deployment: Deployment) -> None:
    queue = deployment.lake["LandingEventsUrl"]
    deployment.client("sqs").send_message(QueueUrl=queue, MessageBody="not an event")

    def received() -> list[str]:
        return [record["received"] for record in deployment.watch.unrouted()]

    deployment.becomes("it is recorded", lambda: "not an event" in received())


def test_deploying_again_changes_nothing(deployment: Deployment) -> None:
    app, deployed = str(deployment.app), 0
    for account in (COMPANY, PARTNER):
        stacks, environment = stacks_of(deployment.app, account), deployment.aws.environment(account)
        lines = cdk("deploy", *stacks, "--require-approval", "never", "--app", app, environment=environment)
        assert len([line for line in lines if "(no changes)" in line]) == len(stacks), "\n".join(lines)
        deployed += len(stacks)
    assert deployed == len(list(deployment.app.glob("*.template.json")))


def test_deployments_while_files_land_turn_nothing_red_and_lose_nothing(
    deployment: Deployment, tmp_path: Path
) -> None:
    apps = [deployment.synthesize_changed(tmp_path / number, number) for number in ("1", "2", "3")]
    before = {execution["name"] for execution in deployment.watch.executions()}
    packages: set[str] = {deployment.job_library()}
    landed: list[tuple[str, str]] = []
    # The emulator kills a function's call when the function is replaced; AWS lets it end.
    sqs, queue = deployment.client("sqs"), deployment.lake["LandingEventsUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "5"})

    def redeploy() -> None:
        for app in apps:
            deployment.redeploy("causeway-pipeline", app)
            packages.add(deployment.job_library())

    with ThreadPoolExecutor() as pool:
        redeploying = pool.submit(redeploy)
        while not redeploying.done():
            landed.append(deployment.land(f"during-{len(landed)}.jsonl"))
            deployment.becomes("its event was taken", lambda: not deployment.waiting("LandingEventsUrl"))
        redeploying.result()
    assert len(packages) == 1 + len(apps)
    deployment.becomes("all is curated", lambda: all(map(deployment.is_curated, landed)))
    deployment.becomes("nothing is unaccounted for", lambda: deployment.unaccounted() == 0)
    executions = [run for run in deployment.watch.executions() if run["name"] not in before]
    assert len(executions) > 1
    assert {execution["status"] for execution in executions} == {"SUCCEEDED"}


def test_a_run_still_reads_what_it_was_packaged_with_after_the_next_deployment(
    deployment: Deployment, tmp_path: Path
) -> None:
    glue, old = deployment.client("glue"), deployment.job_library()
    (job,) = (job for job in glue.get_jobs()["Jobs"] if job["Description"].startswith("Curates"))
    arguments = glue.get_job_runs(JobName=job["Name"])["JobRuns"][0]["Arguments"]
    deployment.redeploy("causeway-pipeline", deployment.synthesize_changed(tmp_path, "the next"))
    assert deployment.job_library() != old
    arguments = {**arguments, "--extra-py-files": old}
    run = glue.start_job_run(JobName=job["Name"], Arguments=arguments)["JobRunId"]

    def state() -> Any:
        return glue.get_job_run(JobName=job["Name"], RunId=run)["JobRun"]["JobRunState"]

    deployment.becomes("it has ended", lambda: state() not in ("STARTING", "RUNNING"))
    assert state() == "SUCCEEDED"


# Models of the length of a mail alone: one that is chosen by more than it can know, one by next to nothing.
LENGTH = """
dataset = "mail"
key = ["id"]
time = "received"
label = { column = "label", equals = "spam" }
repeats = []
sufficient = 0.99
card = { purpose = "None.", limits = ["All."] }
precision = { chosen = CHOSEN, certified = 0.9, expected_share = 0.1 }
retrain = { on_commits = false, new_rows = 500, drift = 0.25, every_days = 7 }
slices = { structure = 1.0 }
tiers = [{ name = "generic", features = [{ name = "length", of = "body", take = "length" }] }]
"""


def test_further_models_are_further_files_and_none_that_is_not_good_enough_is_registered(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.copy_checkout(tmp_path)
    for name, chosen in (("hopeful", "0.95"), ("content", "0.05")):
        (tmp_path / "models" / f"{name}.toml").write_text(LENGTH.replace("CHOSEN", chosen))
    deployment.redeploy("causeway-training", deployment.synthesize(tmp_path), PARTNER)
    asked = {"snapshot": "", "asked": True}
    hopeful = deployment.training.run({"model": "hopeful", **asked})["gate"]
    assert hopeful["verdict"] == "not enough evidence"
    assert hopeful["reasons"] == [
        "no threshold has precision with a lower bound of 0.95 on the validation rows"
    ]
    content = deployment.training.run({"model": "content", **asked})["gate"]
    assert content["verdict"] == "failed"
    assert content["reasons"][0].endswith("and 0.9 is wanted")
    facts = deployment.causeway("ml", "status", account=PARTNER)["models"]
    assert facts["hopeful"]["packages"] == facts["content"]["packages"] == []
    assert deployment.training.ask("spam", [{"subject": None, "body": None, "structure": None}])


def test_nothing_listens_beyond_loopback(deployment: Deployment) -> None:
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    port = f"{deployment.aws.port:04X}"
    bound = [
        line.split()[1].split(":")[0]
        for line in listening
        if line.split()[1].endswith(f":{port}") and line.split()[3] == "0A"
    ]
    assert bound == ["0100007F"]
