"""A small batch, curated by the Glue job's own code without Spark, which would take a minute to start."""

import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Twice what a function may have unzipped: so its layer holds them zipped, and they are unzipped here.
MODULES, UNZIPPED = Path("/opt/modules.zip"), Path("/tmp/modules")  # noqa: S108 - Lambda's only disk
_began = [time.monotonic()]  # with the environment, whose start is billed to its first call


def unzip(modules: Path, folder: Path) -> None:
    """As a whole or not at all: a call may be ended while it does this, and the next finds what it left."""
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        with zipfile.ZipFile(modules) as archive:
            archive.extractall(partial)
        partial.rename(folder)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def handler(event: Mapping[str, str], context: Any) -> None:
    began = _began.pop() if _began else time.monotonic()
    if MODULES.exists():  # on the embedded AWS they are installed
        unzip(MODULES, UNZIPPED)
    from lambdas.curate_small.call import curate  # noqa: PLC0415 - what it imports is there only now

    curate(event, run=context.aws_request_id, memory_mb=int(context.memory_limit_in_mb), began=began)
