"""Datasets by name: where their contracts and their landed files lie."""

import re
from pathlib import Path

SUFFIX = ".odcs.yaml"
DATASET = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Where they lie in this checkout, and in what is packaged of it.
CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
LANDING_PREFIX = "landing/"
# What Spark, Hadoop, Databricks, Delta and macOS leave beside the files they write.
BESIDE_DATA = re.compile(
    r"/(_SUCCESS|_temporary|_spark_metadata|_delta_log|_(committed|started)_\d+|_(common_)?metadata|\.DS_Store)(/|$)"
    r"|/\.[^/]*\.crc$"
)


def datasets_in(directory: str | Path) -> list[str]:
    """The datasets that have a contract there; looks at names alone."""
    return sorted(path.name.removesuffix(SUFFIX) for path in Path(directory).glob(f"*{SUFFIX}"))


def dataset_of(source: str) -> str:
    """The dataset of a key: what stands between `landing/` and the next slash; "" if nothing does."""
    dataset, slash, _ = source.removeprefix(LANDING_PREFIX).partition("/")
    return dataset if slash and source.startswith(LANDING_PREFIX) else ""


def is_beside_data(source: str) -> bool:
    """Whether a key is what programs write beside data: _SUCCESS, _temporary/…, .a.csv.crc, or a folder."""
    return source.endswith("/") or bool(BESIDE_DATA.search(source))


def prefix_of(dataset: str) -> str:
    """Where a dataset's files lie in the landing bucket."""
    return f"{LANDING_PREFIX}{dataset}/"
