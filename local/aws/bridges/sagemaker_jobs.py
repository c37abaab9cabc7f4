"""SageMaker jobs run as processes of this machine: the real command, under the job's role."""

import contextvars
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from ministack.core import responses
from moto.sagemaker.models import sagemaker_backends

from local.aws.bridges import roles, warm

Kind = Literal["Training", "Processing"]
Request = dict[str, Any]
OPT_ML = "/opt/ml"  # where a container has what a temporary folder has here
LONGEST = 86_400  # seconds: SageMaker's own limit when a request sets none
LONGEST_REASON = 1024  # characters
SPECIFICATION = {"Training": "AlgorithmSpecification", "Processing": "AppSpecification"}
FINAL = ("Completed", "Failed", "Stopped")


class AlgorithmError(Exception):
    """The command failed."""


class InputError(Exception):
    """The job asks for what is not there."""


def backend() -> Any:
    """What moto keeps of SageMaker for the account and the region of the request."""
    return sagemaker_backends[responses.get_account_id()][responses.get_region()]


def jobs_of(kind: Kind) -> dict[str, Any]:
    jobs: dict[str, Any] = backend().training_jobs if kind == "Training" else backend().processing_jobs
    return jobs


def start(kind: Kind, request: Request) -> None:
    """Run the job that moto has just recorded, and has called completed."""
    job = jobs_of(kind)[request[f"{kind}JobName"]]
    job.environment = request.get("Environment")  # moto keeps neither
    job.processing_resources = request.get("ProcessingResources")
    if kind == "Training":  # moto makes up metrics
        job.algorithm_specification = request["AlgorithmSpecification"]
        job.final_metric_data_list = []
        job.training_end_time = None
    else:
        job.processing_start_time, job.processing_end_time = job.creation_time, None
    _set_status(kind, job, "InProgress", secondary="Starting")
    run = contextvars.copy_context().run  # the thread acts for the account of the request
    threading.Thread(target=run, args=(_run, kind, request, job), daemon=True).start()


def _run(kind: Kind, request: Request, job: Any) -> None:
    """Run the job to its end; set its status, and why it failed."""
    try:
        with tempfile.TemporaryDirectory(prefix="sagemaker-") as folder:
            credentials = roles.role_credentials(request["RoleArn"], request[f"{kind}JobName"])
            s3, root = roles.s3_client(credentials), Path(folder)
            prepare, upload = (
                (_prepare_training, _upload_model)
                if kind == "Training"
                else (_prepare_processing, _upload_outputs)
            )
            prepare(s3, request, root)
            _execute(kind, request, root, credentials)
            upload(s3, request, root)
        _set_status(kind, job, "Completed", secondary="Completed")
    except subprocess.TimeoutExpired:
        _set_status(kind, job, "Stopped", secondary="MaxRuntimeExceeded")
    except Exception as error:  # whatever it is, the job must end, and say why
        cause = "ClientError" if isinstance(error, InputError | ClientError) else type(error).__name__
        _set_status(kind, job, "Failed", secondary="Failed", reason=f"{cause}: {error}")


def _execute(kind: Kind, request: Request, root: Path, credentials: dict[str, str]) -> None:
    """Run the job's command, whose output is the log, to its end."""
    specification = request[SPECIFICATION[kind]]
    if not specification.get("ContainerEntrypoint"):
        raise InputError("the embedded AWS has no images: set ContainerEntrypoint to the command to run")
    command = [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", [])]
    command = [_here(part, root) for part in command]
    environment = {
        **os.environ,
        **warm.ONE_THREAD,
        "PYTHONUNBUFFERED": "1",  # lines in the order in which they are written
        **credentials,
        **{name: _here(value, root) for name, value in request.get("Environment", {}).items()},
        "OPT_ML": str(root),
    }
    limit = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", LONGEST)
    log = Path(os.environ["CAUSEWAY_LOGS"]) / f"{request[f'{kind}JobName']}.log"
    if command[:2] == ["python3", "-m"]:
        code = warm.run_module(command[2:], root, environment, log, limit)
    else:
        code = _run_command(command, root, environment, log, limit)
    if code:
        raise AlgorithmError(f"exit code {code}: {roles.last_words(log)}")


def _run_command(command: list[str], root: Path, environment: dict[str, str], log: Path, limit: int) -> int:
    program = sys.executable if command[0] == "python3" else command[0]
    with log.open("wb") as output:
        process = subprocess.run(
            [program, *command[1:]],
            cwd=root, env=environment, stdout=output, stderr=subprocess.STDOUT, timeout=limit, check=False,
        )  # fmt: skip
    return process.returncode


def _prepare_training(s3: Any, request: Request, root: Path) -> None:
    for folder in ("input/config", "input/data", "model", "output/data"):
        (root / folder).mkdir(parents=True)
    parameters = json.dumps(request.get("HyperParameters", {}))
    (root / "input/config/hyperparameters.json").write_text(parameters)
    for channel in request.get("InputDataConfig", []):
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        _download(s3, uri, root / "input/data" / channel["ChannelName"])


def _prepare_processing(s3: Any, request: Request, root: Path) -> None:
    for item in request.get("ProcessingInputs", []):
        _download(s3, item["S3Input"]["S3Uri"], Path(_here(item["S3Input"]["LocalPath"], root)))
    for output in _outputs(request):
        Path(_here(output["LocalPath"], root)).mkdir(parents=True, exist_ok=True)


def _upload_model(s3: Any, request: Request, root: Path) -> None:
    """Upload the model, and what else the job wrote, an archive each; none of an empty folder."""
    place = f"{request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/output"
    for folder, name in (("model", "model.tar.gz"), ("output/data", "output.tar.gz")):
        paths = sorted((root / folder).iterdir())
        if paths:
            with tarfile.open(root / name, "w:gz") as archive:
                for path in paths:
                    archive.add(path, arcname=path.name)
            _upload(s3, root / name, f"{place}/{name}")


def _upload_outputs(s3: Any, request: Request, root: Path) -> None:
    for output in _outputs(request):
        folder = Path(_here(output["LocalPath"], root))
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            _upload(s3, path, f"{output['S3Uri'].rstrip('/')}/{path.relative_to(folder)}")


def _outputs(request: Request) -> list[dict[str, str]]:
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return [output["S3Output"] for output in outputs]


def _here(text: str, root: Path) -> str:
    """The text with the container's folder replaced by the job's."""
    return text.replace(OPT_ML, str(root))


def _download(s3: Any, uri: str, folder: Path) -> None:
    """Fetch the object, or all objects under the prefix, as SageMaker does: by the job's own role."""
    bucket, prefix = _place(uri)
    folder.mkdir(parents=True, exist_ok=True)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    if not keys:
        raise InputError(f'No S3 objects found under S3 URL "{uri}"')
    for key in keys:
        whole = key.startswith(f"{prefix.rstrip('/')}/")  # else the prefix ends within a name
        start = len(prefix) if whole else prefix.rfind("/") + 1
        name = key[start:].lstrip("/")
        if not name or name.endswith("/"):
            continue  # it stands for a folder, and has no content
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def _upload(s3: Any, path: Path, uri: str) -> None:
    bucket, key = _place(uri)
    s3.upload_file(str(path), bucket, key)


def _place(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def _set_status(kind: Kind, job: Any, status: str, *, secondary: str, reason: str | None = None) -> None:
    """Set the job's status, last of all: who waits for it reads the rest."""
    now = datetime.now(UTC)
    job.failure_reason = reason[:LONGEST_REASON] if reason else None
    job.last_modified_time = now
    if status in FINAL:
        setattr(job, f"{kind.lower()}_end_time", now)
    if kind == "Training":
        job.secondary_status = secondary
    setattr(job, f"{kind.lower()}_job_status", status)
