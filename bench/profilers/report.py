"""A full report of a profiling library: `python report.py FILE` prints its seconds."""

import sys
import time
import warnings

import pandas as pd  # type: ignore[import-untyped]

warnings.simplefilter("ignore")
frame = pd.read_parquet(sys.argv[1])

from data_profiling import ProfileReport  # type: ignore[import-not-found]  # noqa: E402 - its import is not measured

started = time.perf_counter()
ProfileReport(frame, progress_bar=False).to_json()
print(f"{time.perf_counter() - started:.2f}")
