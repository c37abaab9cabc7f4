"""Glue jobs run as processes of this machine: the real script, under the job's role."""

import os
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from ministack.services import glue

from local.aws.bridges import roles
from local.aws.java import spark_environment

PRIVATE = {**roles.PRIVATE, glue: ("_execute_spark_docker", "_get_docker", "_resolve_script")}


def install() -> None:
    # Any image "is there", and a script is looked for only when it is run, as the job's role.
    glue._get_docker = lambda: SimpleNamespace(images=SimpleNamespace(get=lambda _image: None))
    glue._resolve_script = lambda location: location
    glue._execute_spark_docker = _run_job


def _run_job(run: dict[str, Any], job: dict[str, Any], name: str, arguments: dict[str, str], *_: Any) -> None:
    """Run the job's script to its end; set the run's state, and why it failed."""
    log = Path(os.environ["CAUSEWAY_LOGS"]) / f"{name}-{run['Id']}.log"
    try:
        with tempfile.TemporaryDirectory(prefix="glue-") as folder, log.open("wb") as output:
            credentials = roles.role_credentials(job["Role"], name)
            libraries = [uri for uri in arguments.get("--extra-py-files", "").split(",") if uri]
            uris = [job["Command"]["ScriptLocation"], *libraries]
            script, *library_paths = _download(uris, Path(folder), credentials)
            # Lines in the order in which they are written.
            path = {"PYTHONPATH": os.pathsep.join(library_paths), "PYTHONUNBUFFERED": "1"}
            process = subprocess.run(
                [sys.executable, script, *chain.from_iterable(arguments.items())],
                cwd=folder, env={**os.environ, **spark_environment(), **credentials, **path},
                stdout=output, stderr=subprocess.STDOUT, timeout=60 * run["Timeout"], check=False,
            )  # fmt: skip
        run["JobRunState"] = "FAILED" if process.returncode else "SUCCEEDED"
        if process.returncode:
            run["ErrorMessage"] = roles.last_words(log)
    except subprocess.TimeoutExpired:
        run["JobRunState"] = "TIMEOUT"
    except Exception as error:  # whatever it is, the run must end, and say why
        run["JobRunState"], run["ErrorMessage"] = "FAILED", f"{type(error).__name__}: {error}"


def _download(uris: list[str], folder: Path, credentials: dict[str, str]) -> list[str]:
    """The paths of the script and the libraries, fetched as Glue does: by the job's own role."""
    s3 = roles.s3_client(credentials)
    paths = []
    for uri in uris:
        parts = urlsplit(uri)
        paths.append(str(folder / Path(parts.path).name))
        s3.download_file(parts.netloc, parts.path.lstrip("/"), paths[-1])
    return paths
