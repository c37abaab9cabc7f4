"""`causeway ml`: the partner's models, by the credentials of the partner's account."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.alerts import lines as alert_lines
from causeway.cli.output import Exit, Json, answer, printable, table

ml = typer.Typer(help="The partner's models: what is in use, what waits, what trains.", no_args_is_help=True)
Model = Annotated[str, typer.Argument(metavar="MODEL", help="Its name: models/MODEL.toml.")]


def _models() -> Any:
    from causeway.operate.account import session_of_partner
    from causeway.operate.models import Models
    from causeway.settings import load_settings

    settings = load_settings()
    return Models(session_of_partner(settings), settings)


@ml.command()
def status(
    names: Annotated[list[str] | None, typer.Argument(metavar="MODEL", help="By default all.")] = None,
    as_json: Json = False,
) -> int:
    """Show what is in use, what waits for approval, and the training that runs or was the last.

    Exits 1 if that training failed, or the newest version waits for approval.
    """
    models = _models()
    wanted = [models.checked(name) for name in names] if names else models.names()
    document = {
        name: {
            "in_use": models.in_use(name),
            "training": models.training(name),
            "packages": models.packages(name),
        }
        for name in wanted
    }
    alerts = models.alerts()
    answer({"models": document, "alerts": alerts}, lambda: _status_text(document, alerts), as_json)
    return Exit.ATTENTION if any(map(_needs_a_person, document.values())) else Exit.FINE


def _needs_a_person(facts: Mapping[str, Any]) -> bool:
    from causeway.operate.executions import RED
    from causeway.operate.models import PENDING

    training, newest = facts["training"] or {}, facts["packages"][:1]
    return training.get("status") in RED or any(package["status"] == PENDING for package in newest)


def _status_text(document: Mapping[str, Any], alerts: Mapping[str, Any]) -> Iterator[RenderableType]:
    for name, facts in document.items():
        used, last = facts["in_use"], facts["training"]
        yield (
            f"{name}: in use is {used['candidate']} of run {used['run']}"
            if used
            else f"{name}: none is in use"
        )
        if last:
            cause = f": {printable(last['cause'].splitlines()[-1])}" if last.get("cause") else ""
            yield f"  the last training, run {last['run']}: {last['status'].lower()}{cause}"
        header = ("version", "status", "verdict", "candidate", "precision", "at least", "recall", "snapshot")
        keys = ("verdict", "candidate", "precision", "lower", "recall", "snapshot")
        rows = [
            (str(one["version"]), one["status"], *(one.get(key, "") for key in keys))
            for one in facts["packages"]
        ]
        if rows:
            yield table(header, rows)
    yield from alert_lines(alerts, "partner.ml")


@ml.command()
def train(
    model: Model,
    snapshot: Annotated[int | None, typer.Option(help="On this snapshot, not on the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Start a training, whatever has changed since the last."""
    models = _models()
    execution = models.train(models.checked(model), str(snapshot or ""))
    answer({"execution": execution}, lambda: [f"Started. `causeway ml status {model}` follows it."], as_json)


@ml.command()
def report(
    model: Model,
    run: Annotated[str | None, typer.Option(help="Of this run, not of the last.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page here, in one file.")] = None,
    as_json: Json = False,
) -> None:
    """Show what the gate said of a run, and every candidate."""
    models = _models()
    found, verdict, pin = models.report(models.checked(model), run)
    if html:
        from causeway.pages.model import model_page

        html.write_text(model_page(found, verdict, pin))
    document = {"report": found, "verdict": verdict, "pin": pin}
    answer(document, lambda: _report_text(found, verdict, html), as_json)


def _report_text(
    found: Mapping[str, Any], verdict: Mapping[str, Any], html: Path | None
) -> Iterator[RenderableType]:
    yield f"{found['model']}, run {found['run']}: {found['best']} has {verdict['verdict']}"
    yield from (f"  {reason}" for reason in verdict["reasons"])
    if holdout := found["holdout"]:
        told = f"{holdout['right']} of {holdout['flagged']} flagged rightly"
        bounds = f"precision at least {holdout['lower']:.1%}, recall {holdout['recall']:.1%}"
        yield f"  on later rows: {told}, {bounds}"
    numbers = ("train", "same_period", "later")
    rows = [(one["name"], *(f"{one[key]:.3f}" for key in numbers)) for one in found["candidates"]]
    yield table(("candidate", "training", "same period", "later"), rows)
    if html:
        yield f"Written to {html}"


@ml.command()
def score(
    model: Model,
    snapshot: Annotated[int | None, typer.Option(help="Of this snapshot, not of the newest.")] = None,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Fetch the scores: Parquet.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the model in use of every row of a snapshot, and wait for the scores."""
    models = _models()
    scored = models.score(models.checked(model), str(snapshot or ""))
    if to:
        models.fetch(scored["scores"], to)
    rows = f"{scored['rows']:,} rows of {scored['dataset']}, snapshot {scored['snapshot']}"
    told = f"{rows}: {scored['positive']:,} have a score of {scored['threshold']:.3f} or more"
    answer(
        {"scored": scored},
        lambda: [told, f"  by {scored['package']}", f"  {to or scored['scores']}"],
        as_json,
    )


@ml.command()
def approve(
    model: Model,
    version: Annotated[int | None, typer.Option(help="This version, not the newest that waits.")] = None,
    as_json: Json = False,
) -> None:
    """Approve a model that passed the gate: it will be in use."""
    models = _models()
    chosen = models.approve(models.checked(model), version)
    answer({"approved": chosen}, lambda: [f"Version {chosen['version']} of {model} is approved."], as_json)


@ml.command()
def rollback(model: Model, as_json: Json = False) -> None:
    """Take back the approval of the model in use: the one before is in use again."""
    models = _models()
    done = models.roll_back(models.checked(model))
    now = f"version {done['in_use']}" if done["in_use"] else "no model"
    answer(
        done, lambda: [f"Version {done['rejected']} of {model} is rejected; in use will be {now}."], as_json
    )
