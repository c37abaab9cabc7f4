"""What a job of the workflow is told, by its environment; and what all of them share."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from causeway.flow.models import Run, Store, champion_key
from causeway.flow.parameters import from_environment
from ml.parameters import JobParameters
from ml.spec import Spec, load_spec


@dataclass(frozen=True)
class Job:
    """One job's own: its model, its run, where its files lie here and there."""

    parameters: JobParameters
    spec: Spec
    run: Run
    folder: Path
    store: Store
    progress: Callable[[str], None]

    @classmethod
    def here(cls) -> "Job":
        parameters = from_environment(JobParameters, os.environ)
        run = Run(parameters.model, parameters.run)
        s3 = boto3.client("s3")
        store, folder = Store(s3, parameters.bucket), Path(parameters.ml_folder)
        return cls(parameters, load_spec(run.model), run, folder, store, lambda line: print(line, flush=True))

    def champion(self) -> tuple[dict[str, Any], dict[str, Any]] | tuple[None, None]:
        """The model in use and what it was trained on, if there is one."""
        champion = self.store.get(champion_key(self.run.model))
        return (champion, self.store.get(champion["pin"]) or {}) if champion else (None, None)


def told(numbers: Mapping[str, Any]) -> str:
    return ", ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in numbers.items())
