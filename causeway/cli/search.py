"""`causeway search`: rows of the store, by what their texts say."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from causeway.cli.output import Json, answer, printable


def search(
    question: Annotated[str, typer.Argument(help="What is looked for, in words.")],
    dataset: Annotated[str | None, typer.Option(help="Needed if texts of several are embedded.")] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="COLUMN=VALUE",
            help="Only such rows; <dataset>.<column> of one that references lead to. May be repeated.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="How many answers, 100 at most.")] = 5,
    exact: Annotated[bool, typer.Option("--exact", help="Compare every vector, without the index.")] = False,
    by_model: Annotated[
        bool, typer.Option("--answer", help="Let the settings' model answer from what is found.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Search the embedded texts of the relational store, as its reader."""
    from causeway.operate.deployment import Deployment
    from causeway.store import answers
    from causeway.store import search as store
    from causeway.store.deployed import DeployedStore
    from causeway.store.embeddings import embedder

    asked = store.filters_of(filters or [])
    deployment = Deployment.find()
    model = deployment.settings.store.answers
    if by_model:
        answers.check_model(model)
    deployed = DeployedStore(deployment)
    found = store.search(
        deployed.database,
        embedder(deployment.settings.store.embeddings, deployment.session),
        question,
        vectors=deployed.vectors,
        dataset=dataset,
        filters=asked,
        limit=limit,
        exact=exact,
    )
    if by_model:
        found = answers.answered(question, found, model, deployment.client("bedrock-runtime"))
    answer(found, lambda: _text(found), as_json)


def _text(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    if found.get("answer"):
        yield from (printable(line) for line in found["answer"].splitlines())
        yield f"by {found['answered_by']}{'' if found['answer_is_whole'] else ', cut off'}, from:"
    for one in found["answers"]:
        row = ", ".join(f"{name} {value}" for name, value in one["row"].items())
        yield printable(f"{one['similarity']:.2f}  {row}")
        yield printable(f"      {' '.join(one['passage'].split())}")
    if not found["answers"]:
        yield "Nothing was found; with filters, no such row has an embedded text."
    how = "exact" if found["exact"] else "approximate"
    yield f"{found['dataset']} at snapshot {found['snapshot']}, by {found['model']}, {how}"
