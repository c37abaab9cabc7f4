"""A question in words, answered from the store. ASKED says what it is sent."""

import logging
import os
from collections.abc import Mapping
from typing import Any

import boto3

from causeway.flow.clients import PATIENT
from causeway.flow.nearest import did_you_mean
from causeway.flow.parameters import SearchParameters, from_environment
from causeway.store.answers import answered, check_model
from causeway.store.database import Database
from causeway.store.embeddings import Embedder, embedder
from causeway.store.nearest import SearchError
from causeway.store.s3_vectors import VectorBucket, vector_bucket
from causeway.store.search import search

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

ASKED = {"question": str, "dataset": str, "filters": dict, "limit": int, "exact": bool, "answer": bool}


def respond(
    event: Mapping[str, Any],
    database: Database,
    by: Embedder,
    model: str = "",
    vectors: VectorBucket | None = None,
) -> dict[str, Any]:
    """What causeway.store.search answers. Raises SearchError, for what is misspelt too."""
    if "question" not in event:
        raise SearchError('a question is missing; send {"question": "…"}')
    for name, value in event.items():
        if name not in ASKED:
            raise SearchError(f"{name} is unknown{did_you_mean(name, ASKED)}; known: {', '.join(ASKED)}")
        if type(value) is not ASKED[name]:
            raise SearchError(f"{name}: found {value!r}, expected {ASKED[name].__name__}")
    asked = {name: value for name, value in event.items() if name != "answer"}
    if not event.get("answer"):
        return search(database, by, vectors=vectors, **asked)
    check_model(model)
    found = search(database, by, vectors=vectors, **asked)
    return answered(event["question"], found, model, boto3.client("bedrock-runtime", config=PATIENT))


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    parameters = from_environment(SearchParameters, os.environ)
    client = boto3.client("rds-data", config=PATIENT)
    store = parameters.cluster, parameters.reader_secret, parameters.store_database
    by, vectors = embedder(parameters.embeddings, boto3), vector_bucket(parameters.vector_bucket, boto3)
    found = respond(event, Database(client, *store), by, parameters.answers, vectors)
    # Not the question: whoever asks may write of persons.
    logger.info("%d answers from %s at %s", len(found["answers"]), found["dataset"], found["snapshot"])
    return found
