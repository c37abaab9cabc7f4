"""Once a day: have billing divide the bill by our tags, as soon as it lists them."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import boto3

from causeway.flow.billing import REFUSED, REGION, activate, command
from causeway.flow.clients import PATIENT
from causeway.flow.parameters import ActivateTagsParameters, from_environment

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


def handler(_event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Where the keys stand. That they wait, or that another account must do it, is no failure."""
    parameters = from_environment(ActivateTagsParameters, os.environ)
    found = activate(boto3.client("ce", REGION, config=PATIENT), parameters.keys, datetime.now(UTC))
    logger.info("%s: %s", found.state, json.dumps(asdict(found)))
    if refused := [key for key, state in found.keys.items() if state == REFUSED]:
        logger.warning("the payer account activates them: %s", command(refused))
    return {"state": found.state, **asdict(found)}
