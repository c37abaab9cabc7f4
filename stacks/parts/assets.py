"""What is packaged: the few files of this repository that run on AWS, laid out as they are here."""

from pathlib import Path, PurePosixPath
from typing import Any

from aws_cdk import IgnoreMode

from causeway.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

# What every function shares, and the contracts, which say what datasets there are.
FUNCTIONS = ("causeway/__init__.py", "causeway/flow/*.py", "contracts/*.odcs.yaml")
GLUE_LIBRARY = (
    "causeway/__init__.py",
    "causeway/flow/*.py",
    "causeway/contract/*.py",
    "causeway/engine/*.py",
    "causeway/engine/check/*.py",
    "causeway/engine/profile/*.py",
    "causeway/engine/read/*.py",
    "causeway/lake/*.py",
    "causeway/store/*.py",
    "glue_jobs/*.py",
)
# What the partner's jobs run, and what its functions decide by.
MACHINE_LEARNING = (
    "causeway/__init__.py",
    "causeway/flow/__init__.py",
    "causeway/flow/models.py",
    "causeway/flow/parameters.py",
    "ml/*.py",
    "ml/judge/*.py",
    "ml/train/*.py",
    "ml/requirements.txt",
    "models/*",
    "partner_kit/*.py",
)
DECISIONS = (
    "causeway/__init__.py",
    "causeway/flow/__init__.py",
    "causeway/flow/clients.py",
    "causeway/flow/models.py",
    "causeway/flow/parameters.py",
    "ml/__init__.py",
    "ml/judge/*.py",
    "ml/parameters.py",
)
# What a model is asked by.
PREDICTIONS = (
    *DECISIONS,
    "ml/features.py",
    "ml/predict.py",
    "ml/spec.py",
    "ml/train/__init__.py",
    "ml/train/columns.py",
    "ml/train/files.py",
)
# What a question is searched by.
SEARCH = (
    "causeway/__init__.py",
    "causeway/flow/__init__.py",
    "causeway/flow/clients.py",
    "causeway/flow/nearest.py",
    "causeway/flow/parameters.py",
    "causeway/store/__init__.py",
    "causeway/store/answers.py",
    "causeway/store/database.py",
    "causeway/store/embeddings.py",
    "causeway/store/nearest.py",
    "causeway/store/s3_vectors.py",
    "causeway/store/search.py",
)
CONTRACTS = ("contracts/*.odcs.yaml",)
# What the jobs ask Glue to install: pinned with hashes, written by `make lock`.
JOB_MODULES = ROOT / "glue_jobs" / "requirements.txt"
PROFILE_MODULES = ROOT / "glue_jobs" / "requirements-profile.txt"
PREDICT_MODULES = ROOT / "lambdas" / "predict" / "requirements.txt"


EARLIER_PACKAGES = "A run that begins while the stack is deployed reads what the deployment before packaged"


def package_prefix(settings: Settings) -> str:
    """Where CDK's bucket keeps what each deployment packaged, for runs that began before the newest one."""
    return f"{settings.project}/"


def only(*patterns: str) -> dict[str, Any]:
    """Options of an asset that holds just the files these patterns match, below the repository's root."""
    folders = {str(parent) for p in patterns for parent in PurePosixPath(p).parents} - {"."}
    opened = sorted(folders, key=lambda folder: (folder.count("/"), folder))
    rules = ["/*", *(rule for folder in opened for rule in (f"!/{folder}", f"/{folder}/*"))]
    return {
        "path": str(ROOT),
        "exclude": [*rules, *(f"!/{pattern}" for pattern in patterns), "*.pyc"],
        "ignore_mode": IgnoreMode.GIT,
    }
