"""Metrics of a dataset: their names, and the line of a function's log of which CloudWatch makes them."""

import json
from collections.abc import Mapping
from datetime import datetime

# Of each committed batch: rows, and the share of the landed ones that was rejected, in percent.
LANDED, CURATED, QUARANTINED, SHARE = "LandedRows", "CuratedRows", "QuarantinedRows", "QuarantinedShare"
# Of now: running batches; seconds since the oldest of them began, and since rows were last committed.
RUNNING, OLDEST, FRESHNESS = "RunningBatches", "OldestBatch", "Freshness"
DIMENSION = "Dataset"


def metric_line(
    namespace: str, dataset: str, values: Mapping[str, float], at: datetime, **fields: str
) -> str:
    """In CloudWatch's embedded metric format, to be printed as it is. `fields` are for who reads the log."""
    metrics = [{"Name": name, "Unit": "None"} for name in values]
    directive = {"Namespace": namespace, "Dimensions": [[DIMENSION]], "Metrics": metrics}
    described = {"Timestamp": round(1000 * at.timestamp()), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": described, DIMENSION: dataset, **values, **fields})
