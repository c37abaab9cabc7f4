"""Bridges over what ministack 1.5.33 lacks, and no more than that.

Each replaces a private name of the emulator. `install` fails loudly where a name is not there, so
that another version of the emulator cannot go on without it. docs/fidelity.md says what they prove.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3

from local.aws.java import spark_environment

MINISTACK = "1.5.33"
FINAL_STATES = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")
REPLACED = {
    "ministack.app": ("pin_request_origin",),
    "ministack.core.iam_actions": ("extract_iam_action", "extract_resource_arn"),
    "ministack.core.iam_evaluator": ("_resolve_condition_key",),
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS",),
    "ministack.services.glue": ("_execute_spark_docker", "_get_docker", "_resolve_script"),
    "ministack.services.sqs": ("_receive_messages_for_esm",),
    "ministack.services.stepfunctions": ("_SERVICE_DISPATCH",),
}
CATALOG_CALLS = ("GetDatabase", "GetTable", "CreateTable", "UpdateTable", "DeleteTable")
USED = {
    "ministack.services.budgets": ("_create_budget", "_delete_budget"),
    "ministack.services.cloudtrail": (
        "_create_trail",
        "_delete_trail",
        "_put_event_selectors",
        "_start_logging",
    ),
    "ministack.core.lambda_runtime": ("execution_credentials",),
    "ministack.core.responses": ("get_account_id", "get_region"),
    "ministack.services.glue": ("_job_runs", "_start_job_run"),
    "ministack.services.iam": ("_roles",),
    "ministack.services.lambda_svc": ("_iter_all_esms",),
    "ministack.services.sqs": ("_collect_msgs", "_dlq_sweep", "_expire_retained", "_get_q", "_queues_lock"),
    "ministack.services.stepfunctions": ("_ExecutionError",),
}


def install() -> None:
    """Put every bridge in place. Raises RuntimeError when the emulator is not the one they fit."""
    found = version("ministack")
    if found != MINISTACK:
        raise RuntimeError(f"the bridges fit ministack {MINISTACK}, found {found}: run `make install`")
    for module, names in (*REPLACED.items(), *USED.items()):
        for name in names:
            if not hasattr(_part(module), name):
                raise RuntimeError(f"ministack has no {module}.{name}: the bridge over it does not fit")
    _count_loopback_as_tls()
    _run_glue_jobs_here()
    _start_glue_jobs_from_state_machines()
    _gather_messages_for_the_batching_window()
    _make_what_cloudformation_lacks()
    _name_catalog_resources()
    _name_batch_actions()
    _name_principals_by_role()


def _part(module: str) -> Any:
    return importlib.import_module(module)


def _count_loopback_as_tls() -> None:
    # Policies deny plain HTTP; over loopback there is nothing to listen in on.
    app = _part("ministack.app")
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)


def _run_glue_jobs_here() -> None:
    glue = _part("ministack.services.glue")
    # Any image "is there", and a script is looked for only when it is run, as the job's role.
    glue._get_docker = lambda: SimpleNamespace(images=SimpleNamespace(get=lambda _image: None))
    glue._resolve_script = lambda location: location
    glue._execute_spark_docker = _run_glue_job


def _run_glue_job(run: dict[str, Any], job: dict[str, Any], name: str, args: dict[str, str], *_: Any) -> None:
    """Run the job's script in a process of its own, under the job's role; set the run's state."""
    log = Path(os.environ["CAUSEWAY_LOGS"]) / f"{name}-{run['Id']}.log"
    try:
        with tempfile.TemporaryDirectory(prefix="glue-") as folder:
            environment = {**os.environ, **spark_environment(), **_role_credentials(job["Role"], name)}
            script, library = _fetch_code(job, args, Path(folder), environment)
            environment["PYTHONPATH"] = os.pathsep.join(library)
            command = [sys.executable, script, *(part for item in args.items() for part in item)]
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder
                )
                _wait(process, run, 60 * job["Timeout"])
    except Exception as error:  # whatever it is, the run must end, and say why
        run["JobRunState"], run["ErrorMessage"] = "FAILED", f"{type(error).__name__}: {error}"
    if run["JobRunState"] == "FAILED" and not run["ErrorMessage"]:
        lines = log.read_text(errors="replace").strip().splitlines() or ["no output"]
        run["ErrorMessage"] = f"{lines[-1]} (log: {log})"


def _wait(process: subprocess.Popen[bytes], run: dict[str, Any], timeout: int) -> None:
    deadline = time.monotonic() + timeout
    while process.poll() is None:
        late = time.monotonic() > deadline
        if late or run["JobRunState"] == "STOPPED":
            process.kill()
            process.wait()
            run["JobRunState"] = "TIMEOUT" if late else "STOPPED"
            return
        time.sleep(0.2)
    run["JobRunState"] = "FAILED" if process.returncode else "SUCCEEDED"


def _role_credentials(role: str, session: str) -> dict[str, str]:
    """Temporary credentials of the job's role, made as the emulator makes a Lambda's."""
    responses = _part("ministack.core.responses")
    runtime = _part("ministack.core.lambda_runtime")
    arn = f"arn:aws:lambda:{responses.get_region()}:{responses.get_account_id()}:function:{session}"
    credentials: dict[str, str] = runtime.execution_credentials(
        {"FunctionArn": arn, "FunctionName": session, "Role": role}
    )
    return {**credentials, "AWS_DEFAULT_REGION": responses.get_region()}


def _fetch_code(
    job: dict[str, Any], args: dict[str, str], folder: Path, credentials: dict[str, str]
) -> tuple[str, list[str]]:
    """The script and the libraries, fetched as Glue does: by the job's own role."""
    s3 = boto3.client(
        "s3",
        region_name=credentials["AWS_DEFAULT_REGION"],
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=credentials["AWS_SESSION_TOKEN"],
    )
    paths = []
    libraries = [uri for uri in args.get("--extra-py-files", "").split(",") if uri]
    for uri in (job["Command"]["ScriptLocation"], *libraries):
        where = urlsplit(uri)
        path = folder / Path(where.path).name
        s3.download_file(where.netloc, where.path.lstrip("/"), str(path))
        paths.append(str(path))
    return paths[0], paths[1:]


def _start_glue_jobs_from_state_machines() -> None:
    states = _part("ministack.services.stepfunctions")
    states._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = _start_job_run


def _start_job_run(resource: str, task_input: dict[str, Any]) -> dict[str, Any]:
    glue = _part("ministack.services.glue")
    states = _part("ministack.services.stepfunctions")
    status, _headers, body = glue._start_job_run(task_input)
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise states._ExecutionError(f"Glue.{answer['__type']}", answer.get("message", ""))
    if not resource.endswith(".sync"):
        return answer
    run = next(r for r in glue._job_runs[task_input["JobName"]] if r["Id"] == answer["JobRunId"])
    while run["JobRunState"] not in FINAL_STATES or run["CompletedOn"] is None:
        time.sleep(0.2)
    if run["JobRunState"] != "SUCCEEDED":
        raise states._ExecutionError("States.TaskFailed", json.dumps(run))
    return dict(run)


def _gather_messages_for_the_batching_window() -> None:
    """SQS→Lambda with MaximumBatchingWindowInSeconds and batches above 10, which the emulator ignores."""
    sqs = _part("ministack.services.sqs")
    lambdas = _part("ministack.services.lambda_svc")

    def receive(queue_url: str, batch_size: int) -> list[dict[str, Any]]:
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            arn, now = queue["attributes"]["QueueArn"], time.time()
            windows = [
                esm.get("MaximumBatchingWindowInSeconds", 0)
                for _account, _region, esm in lambdas._iter_all_esms()
                if esm.get("EventSourceArn") == arn
            ]
            visible = [m["visible_at"] for m in queue["messages"] if m.get("visible_at", now) <= now]
            if visible and len(visible) < batch_size and now - min(visible) < max(windows, default=0):
                return []
            timeout = int(queue["attributes"].get("VisibilityTimeout", "30"))
            messages: list[dict[str, Any]] = sqs._collect_msgs(queue, batch_size, timeout)
            return messages

    sqs._receive_messages_for_esm = receive


def _make_what_cloudformation_lacks() -> None:
    """Budgets and trails in templates: types that only the emulator's own services for them know."""
    budgets, trails = _part("ministack.services.budgets"), _part("ministack.services.cloudtrail")

    def create_budget(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        name: str = properties["Budget"].setdefault("BudgetName", f"{stack}-{logical_id}")
        _call(budgets._create_budget, {**properties, "ResourceTags": properties.get("ResourceTags", [])})
        return name, {}

    def create_trail(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
        name: str = properties["TrailName"]
        trail = _call(trails._create_trail, {**properties, "Name": name})
        selectors = {"TrailName": name, "EventSelectors": properties["EventSelectors"]}
        _call(trails._put_event_selectors, selectors)
        _call(trails._start_logging, {"Name": name})
        return name, {"Arn": trail["TrailARN"]}

    _part("ministack.services.cloudformation.provisioners")._RESOURCE_HANDLERS.update(
        {
            "AWS::Budgets::Budget": {
                "create": create_budget,
                "delete": lambda name, _properties: budgets._delete_budget({"BudgetName": name}),
            },
            "AWS::CloudTrail::Trail": {
                "create": create_trail,
                "delete": lambda name, _properties: trails._delete_trail({"Name": name}),
            },
        }
    )


def _call(operation: Callable[[dict[str, Any]], Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The answer of one of the emulator's operations; an error fails the resource that asked."""
    status, _headers, body = operation(asked)
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise ValueError(f"{operation.__name__}: {answer}")
    return answer


def _name_catalog_resources() -> None:
    """Which catalog resource a Glue call is checked against.

    The emulator takes the name in GetDatabase for a table's, and checks calls on a table against its
    database alone. (AWS checks catalog, database and table, each.)
    """
    actions = _part("ministack.core.iam_actions")
    extract = actions.extract_resource_arn

    def resource(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> str:
        found: str = extract(service, method, path, headers, body, *rest)
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if service != "glue" or action not in CATALOG_CALLS:
            return found
        asked = json.loads(body)
        table = asked.get("TableInput", asked).get("Name", "*")
        named = (
            f"database/{asked['Name']}"
            if action == "GetDatabase"
            else f"table/{asked['DatabaseName']}/{table}"
        )
        return f"{':'.join(found.split(':')[:5])}:{named}"

    actions.extract_resource_arn = resource


def _name_batch_actions() -> None:
    """SQS asks for the permission to send a message, however many are sent at once."""
    actions = _part("ministack.core.iam_actions")
    extract = actions.extract_iam_action

    def action(*request: Any) -> str | None:
        found: str | None = extract(*request)
        return found.removesuffix("Batch") if found and found.startswith("sqs:") else found

    actions.extract_iam_action = action


def _name_principals_by_role() -> None:
    """aws:PrincipalArn of a role's session is the role, path and all; the emulator says the session."""
    evaluator = _part("ministack.core.iam_evaluator")
    roles = _part("ministack.services.iam")._roles
    resolve = evaluator._resolve_condition_key

    def resolve_by_role(key: str, context: Any) -> Any:
        found = resolve(key, context)
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(found):
            return found
        role = roles.get_scoped(context.principal_account, None, found.split("/")[1])
        return role["Arn"] if role else found

    evaluator._resolve_condition_key = resolve_by_role
