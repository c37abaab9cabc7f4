"""The Glue job's script, the same on Glue and on the embedded AWS: starts Spark, and curates one batch.

Spark takes seconds to start, in processes of its own. Meanwhile this one imports what it needs, and finds out
what the batch has to do.
"""

import logging
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from pyspark import SparkConf, SparkContext

from causeway.flow.manifest import dataset_and_batch
from causeway.flow.parameters import EXECUTION, MANIFEST

logger = logging.getLogger("causeway")


def main(argv: Sequence[str]) -> None:
    logging.basicConfig(
        level=logging.INFO, format=f"%(asctime)s %(name)s %(levelname)s %(message)s {run_of(argv)}"
    )
    logging.getLogger("py4j").setLevel(logging.WARNING)
    logger.info("began")
    with ThreadPoolExecutor(1) as pool:
        spark = pool.submit(start_spark)
        from glue_jobs.job import curate  # noqa: PLC0415 - takes seconds

        curate(argv, spark)


def run_of(argv: Sequence[str]) -> str:
    """Which batch, or part of one, a run is of, and which execution started it: for each line of its log."""
    given = dict(pairwise(argv))
    _, batch = dataset_and_batch(given.get(MANIFEST, ""))
    return f"batch={batch} execution={given.get(EXECUTION, '').rpartition(':')[2]}".replace("%", "%%")


def start_spark() -> SparkContext:
    """A context, without a session: its SQL takes seconds more, and the tasks carry no rows."""
    context = SparkContext.getOrCreate(SparkConf().setAppName("causeway"))
    logger.info("Spark is up")
    return context


if __name__ == "__main__":
    main(sys.argv[1:])
