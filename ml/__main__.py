"""A job of the workflow: `python -m ml prepare|candidate|evaluate|score`. Its environment says the rest.

What it needs beyond SageMaker AI's image is installed first, pinned and hashed, if it is not there.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import as_file, files

NEEDED = ("fairlearn", "polars", "pydantic", "pyiceberg", "skops")
STEPS = ("prepare", "candidate", "evaluate", "score")


def install() -> None:
    """Install the job's modules, unless all are there."""
    if all(importlib.util.find_spec(name) for name in NEEDED):
        return
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r"]
    with as_file(files("ml") / "requirements.txt") as listed:
        subprocess.run([*pip, str(listed)], check=True)


def work_of(step: str) -> Callable[..., None]:
    if step == "prepare":
        from ml.prepare import prepare as work  # noqa: PLC0415 - each needs modules that the others do not
    elif step == "candidate":
        from ml.train.run import candidate as work  # noqa: PLC0415
    elif step == "evaluate":
        from ml.evaluate import evaluate as work  # noqa: PLC0415
    else:
        from ml.score import score as work  # noqa: PLC0415
    return work


def main() -> int:
    """A mistake in what was asked, or in the rows, is one line: SageMaker AI keeps the last as the reason."""
    if sys.argv[1:] not in [[step] for step in STEPS]:
        print(f"python -m ml {'|'.join(STEPS)}", file=sys.stderr)
        return 2
    install()
    from ml.data import TrainingSetError  # noqa: PLC0415 - only now is all of it there
    from ml.jobs import Job  # noqa: PLC0415
    from ml.predict import NoModelError  # noqa: PLC0415
    from ml.spec import SpecError  # noqa: PLC0415
    from ml.train.files import UntrustedModelError  # noqa: PLC0415
    from partner_kit.errors import KitError  # noqa: PLC0415

    try:
        work_of(sys.argv[1])(Job.here())
    except (KitError, TrainingSetError, SpecError, UntrustedModelError, NoModelError) as error:
        print(error, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
