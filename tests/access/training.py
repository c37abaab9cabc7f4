"""Intents of the partner's own stack: its jobs, its functions, its state machine, and who may take whom."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tests.access import intent as i
from tests.access.intent import Checks, Intent
from tests.access.request import Check
from tests.access.resolver import COMPANY, REGION

THERE = f"{REGION}:{i.PARTNER}"
ROLE = f"arn:aws:iam::{i.PARTNER}:role"
PREPARE = i.TRAINING
TRAIN, DECIDE, PROMOTE, WORKFLOW, START, PREDICT, SCORING = (
    f"{ROLE}/causeway-training-{name}"
    for name in (
        "jobs-trainrole",
        "decide-role",
        "promote-role",
        "workflow-machine-role",
        "start",
        "inference-predict-role",
        "inference-machine-role",
    )
)
ROLES = {
    "prepare": PREPARE,
    "train": TRAIN,
    "decide": DECIDE,
    "promote": PROMOTE,
    "the workflow": WORKFLOW,
    "the starting role": START,
    "predict": PREDICT,
    "scoring": SCORING,
}
ADMIN = f"{ROLE}/admin"
WORK = "arn:aws:s3:::causeway-training-work"
PACKAGES = f"arn:aws:s3:::cdk-hnb659fds-assets-{i.PARTNER}-{REGION}"
CODE = f"{PACKAGES}/causeway/<package>.zip"
TOPIC = f"arn:aws:sns:{THERE}:causeway-training-failures"
MACHINE = f"arn:aws:states:{THERE}:stateMachine:causeway-training-workflow-machine"
SCORES_MACHINE = f"arn:aws:states:{THERE}:stateMachine:causeway-training-inference-machine"
FUNCTION = f"arn:aws:lambda:{THERE}:function:causeway-training"
SAGEMAKER = f"arn:aws:sagemaker:{THERE}"
# Of one run: what each step leaves.
CHAMPION, RUNNING, JUDGED = (f"control/spam/{name}.json" for name in ("champion", "running", "judged"))
PREPARED, CANDIDATE = "prepared/spam/r/train.parquet", "candidates/spam/r/a/output/model.tar.gz"
RUN = "runs/spam/r"
PIN, METRICS, MODEL, REPORT = (
    f"{RUN}/{name}" for name in ("pin.json", "metrics/a.json", "model.skops", "report.json")
)
SCORES = "scores/spam/r/scores.parquet"
DECISIONS = (f"{RUN}/rounds/1.json", f"{RUN}/verdict.json")


def training() -> Iterator[Intent]:
    yield from _preparing()
    yield from _closed()
    yield from _training()
    yield from _running()
    yield from _deciding()
    yield from _asking()
    yield from _working()
    yield from _taken()
    yield from _bucket()


def reads(who: str, *keys: str) -> Checks:
    return tuple(Check(who, "s3:GetObject", f"{WORK}/{key}") for key in keys)


def writes(who: str, *keys: str) -> Checks:
    return tuple(Check(who, "s3:PutObject", f"{WORK}/{key}") for key in keys)


def each(said: str, checks: Checks) -> dict[str, Checks]:
    """None of them is allowed."""
    return {f"{said} {check.resource.removeprefix(f'{WORK}/')}": (check,) for check in checks}


def deletes(who: str, *keys: str) -> dict[str, Checks]:
    return each("deletes", tuple(Check(who, "s3:DeleteObject", f"{WORK}/{key}") for key in keys))


def _preparing() -> Iterator[Intent]:
    yield Intent(
        "prepare takes the company's programmatic role",
        i.take(i.PROGRAMMATIC, PREPARE, i.EXTERNAL_ID),
        {
            "and names a source": (Check(PREPARE, "sts:SetSourceIdentity", i.PROGRAMMATIC),),
            "and tags the session": (Check(PREPARE, "sts:TagSession", i.PROGRAMMATIC),),
            "the console role": i.take(i.CONSOLE, PREPARE, i.MFA),
            "another role of the company's": i.take(i.CURATE, PREPARE, {}),
            "another role of the partner's": i.take(TRAIN, PREPARE, {}),
            **{
                f"as {name}": i.take(i.PROGRAMMATIC, who, i.EXTERNAL_ID)
                for name, who in ROLES.items()
                if who != PREPARE
            },
        },
    )
    yield Intent(
        "prepare pins the rows, looks at the model in use, writes the training set, and scores of rows",
        (*reads(PREPARE, CHAMPION, PIN, MODEL), *writes(PREPARE, PREPARED, PIN, SCORES)),
        {
            **each("reads", reads(PREPARE, RUNNING, PREPARED, CANDIDATE, METRICS, REPORT, SCORES)),
            **each(
                "writes", writes(PREPARE, CHAMPION, RUNNING, CANDIDATE, METRICS, MODEL, REPORT, *DECISIONS)
            ),
            **deletes(PREPARE, PREPARED, PIN, SCORES),
        },
    )


def _closed() -> Iterator[Intent]:
    """Nothing of the company's is open to the partner's own roles but by the programmatic role."""
    yield Intent(
        "the company's admin reads what is closed to the partner's roles, whatever these say",
        (*i.read(i.ADMIN, i.CURATED), *i.table(i.ADMIN, "causeway_lake/flights")),
        {
            f"{name} {what}{how}": tuple(replace(check, principal=who, mistaken=mistaken) for check in checks)
            for name, who in ROLES.items()
            for how, mistaken in (("", False), (", with mistaken policies", True))
            for what, checks in _company(who).items()
        },
    )


def _company(who: str) -> Mapping[str, Checks]:
    found = {
        f"reads {bucket.rsplit('-', 1)[1]}": (Check(who, "s3:GetObject", f"{bucket}/{i.FLIGHTS}"),)
        for bucket in (i.LANDING, i.CURATED, i.QUARANTINE, i.LOGS)
    }
    return {
        **found,
        "lists curated": i.list_(who, i.CURATED, "flights/"),
        "lands a file": (Check(who, "s3:PutObject", f"{i.LANDING}/landing/flights/a.csv"),),
        "decrypts": (i.through_s3(who, "kms:Decrypt", i.CURATED),),
        "opens a table": i.table(who, "causeway_lake/flights"),
        "tells its bus": (
            Check(who, "events:PutEvents", f"arn:aws:events:{REGION}:{COMPANY}:event-bus/default"),
        ),
        "takes a role": i.take(i.CURATE, who, {}),
    }


def _training() -> Iterator[Intent]:
    yield Intent(
        "train reads the training set and candidates, writes candidates and what it says of them",
        (
            *reads(TRAIN, CHAMPION, PIN, MODEL, METRICS, PREPARED, CANDIDATE),
            *writes(TRAIN, CANDIDATE, METRICS, MODEL, REPORT),
        ),
        {
            **each("reads", reads(TRAIN, RUNNING, SCORES)),
            **each("writes", writes(TRAIN, CHAMPION, RUNNING, PREPARED, PIN, SCORES, *DECISIONS)),
            **deletes(TRAIN, PREPARED, CANDIDATE, MODEL),
            "takes another role of the partner's": i.take(PREPARE, TRAIN, {}),
        },
    )


def _running() -> Iterator[Intent]:
    """What SageMaker AI does under a job's role by itself."""
    logs = {
        kind: f"arn:aws:logs:{THERE}:log-group:/aws/sagemaker/{kind}Jobs"
        for kind in ("Processing", "Training")
    }
    for name, who, kinds in (
        ("prepare", PREPARE, ["Processing"]),
        ("train", TRAIN, ["Processing", "Training"]),
    ):
        measured = [
            Check(
                who,
                "cloudwatch:PutMetricData",
                f"arn:aws:cloudwatch:{THERE}:dataset/default",
                {"cloudwatch:namespace": f"/aws/sagemaker/{kind}Jobs"},
            )
            for kind in kinds
        ]
        elsewhere = "arn:aws:s3:::another/x"
        yield Intent(
            f"under the role of {name}, its code is fetched, its log is written",
            (
                Check(who, "s3:GetObject", CODE),
                Check(who, "s3:GetObject", f"{PACKAGES}/causeway/<earlier>.zip"),
                *i.list_(who, PACKAGES, "causeway/<package>.zip"),
                *i.list_(who, WORK, "prepared/spam/r"),
                Check(who, "ecr:GetAuthorizationToken", "*"),
                *(Check(who, "logs:CreateLogGroup", logs[kind]) for kind in kinds),
                *(Check(who, "logs:PutLogEvents", f"{logs[kind]}:log-stream:a") for kind in kinds),
                *measured,
            ),
            {
                "other code": (Check(who, "s3:GetObject", f"{PACKAGES}/another/<package>.zip"),),
                "changes its code": (Check(who, "s3:PutObject", CODE),),
                "another bucket": (Check(who, "s3:GetObject", elsewhere),),
                "writes another bucket": (Check(who, "s3:PutObject", elsewhere),),
                "another log": (
                    Check(who, "logs:PutLogEvents", f"arn:aws:logs:{THERE}:log-group:another:log-stream:a"),
                ),
                "reads a log": (Check(who, "logs:GetLogEvents", f"{logs['Processing']}:log-stream:a"),),
                "other measurements": (measured[0].but({"cloudwatch:namespace": "another"}),),
                "measurements of nothing": (measured[0].but({"cloudwatch:namespace": None}),),
                "starts a job": (
                    Check(who, "sagemaker:CreateTrainingJob", f"{SAGEMAKER}:training-job/spam-r"),
                ),
                "approves a model": (_approve(who),),
            },
        )


def _approve(who: str) -> Check:
    return Check(who, "sagemaker:UpdateModelPackage", f"{SAGEMAKER}:model-package/causeway-spam/1")


def _deciding() -> Iterator[Intent]:
    execution = f"{MACHINE.replace(':stateMachine:', ':execution:')}:a"
    yield Intent(
        "decide reads what the jobs say, writes whose turn it is and what it found",
        (
            *reads(DECIDE, CHAMPION, RUNNING, JUDGED, PIN, METRICS, REPORT),
            *writes(DECIDE, RUNNING, JUDGED, *DECISIONS),
            *i.list_(DECIDE, WORK, f"{RUN}/metrics/"),
            Check(DECIDE, "states:DescribeExecution", execution),
        ),
        {
            **each("reads", reads(DECIDE, PREPARED, CANDIDATE)),
            **each("writes", writes(DECIDE, CHAMPION, PREPARED, CANDIDATE, PIN, METRICS, MODEL, REPORT)),
            **deletes(DECIDE, RUNNING, REPORT),
            "another machine's execution": (
                Check(DECIDE, "states:DescribeExecution", execution.replace("workflow", "another")),
            ),
            "stops an execution": (Check(DECIDE, "states:StopExecution", execution),),
            "starts an execution": (Check(DECIDE, "states:StartExecution", MACHINE),),
            "approves a model": (_approve(DECIDE),),
        },
    )
    package = f"{SAGEMAKER}:model-package/causeway-spam/1"
    look = Check(PROMOTE, "sagemaker:DescribeModelPackage", package)
    yield Intent(
        "promote looks at what was approved and at its file, writes which model is in use",
        (
            *reads(PROMOTE, CHAMPION, MODEL),
            *writes(PROMOTE, CHAMPION),
            Check(PROMOTE, "s3:DeleteObject", f"{WORK}/{CHAMPION}"),
            *i.list_(PROMOTE, WORK, CHAMPION),
            replace(look, action="sagemaker:ListModelPackages"),
            look,
        ),
        {
            **each("reads", reads(PROMOTE, PREPARED, CANDIDATE, RUNNING, PIN, METRICS, REPORT)),
            **each(
                "writes",
                writes(PROMOTE, RUNNING, PREPARED, CANDIDATE, PIN, METRICS, MODEL, REPORT, *DECISIONS),
            ),
            **deletes(PROMOTE, RUNNING, MODEL, REPORT),
            "another group": (replace(look, resource=package.replace("causeway-spam", "another")),),
            "approves a model": (_approve(PROMOTE),),
            "registers a model": (replace(look, action="sagemaker:CreateModelPackage"),),
            "deletes a model": (replace(look, action="sagemaker:DeleteModelPackage"),),
        },
    )


def _asking() -> Iterator[Intent]:
    yield Intent(
        "predict reads the model in use",
        (*reads(PREDICT, CHAMPION, MODEL, PIN), *i.list_(PREDICT, WORK, CHAMPION)),
        {
            **each("reads", reads(PREDICT, RUNNING, JUDGED, PREPARED, CANDIDATE, METRICS, REPORT, SCORES)),
            **each("writes", writes(PREDICT, CHAMPION, RUNNING, MODEL, PIN, SCORES)),
            **deletes(PREDICT, CHAMPION, MODEL),
            "approves a model": (_approve(PREDICT),),
        },
    )
    job, to = f"{SAGEMAKER}:processing-job/spam-r-score", {"iam:PassedToService": "sagemaker.amazonaws.com"}
    passed = Check(SCORING, "iam:PassRole", PREPARE, to)
    create = Check(SCORING, "sagemaker:CreateProcessingJob", job)
    rule = f"arn:aws:events:{THERE}:rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule"
    yield Intent(
        "scoring runs its job under the role that reads rows, tells of its failure",
        (
            create,
            replace(create, action="sagemaker:StopProcessingJob"),
            replace(create, action="sagemaker:AddTags"),
            passed,
            Check(SCORING, "events:PutRule", rule),
            Check(SCORING, "sns:Publish", TOPIC),
        ),
        {
            "hands over the role that trains": (replace(passed, resource=TRAIN),),
            "hands it to another service": (passed.but({"iam:PassedToService": "ec2.amazonaws.com"}),),
            "hands it to nobody": (passed.but({"iam:PassedToService": None}),),
            "another's job": (replace(create, resource=job.replace("spam", "another")),),
            "a training": (
                Check(SCORING, "sagemaker:CreateTrainingJob", f"{SAGEMAKER}:training-job/spam-r-score"),
            ),
            "another rule": (Check(SCORING, "events:PutRule", rule.replace("StepFunctions", "Another")),),
            "another topic": (Check(SCORING, "sns:Publish", TOPIC.replace("failures", "another")),),
            "registers a model": (
                Check(
                    SCORING,
                    "sagemaker:CreateModelPackage",
                    f"{SAGEMAKER}:model-package/causeway-spam/1",
                    {"sagemaker:ModelApprovalStatus": "PendingManualApproval"},
                ),
            ),
            "starts itself": (Check(SCORING, "states:StartExecution", SCORES_MACHINE),),
            **each("reads", reads(SCORING, SCORES, CHAMPION)),
            **each("writes", writes(SCORING, SCORES, CHAMPION)),
            "takes a role": i.take(PREPARE, SCORING, {}),
        },
    )


def _working() -> Iterator[Intent]:
    who, to = WORKFLOW, {"iam:PassedToService": "sagemaker.amazonaws.com"}
    jobs = {kind: f"{SAGEMAKER}:{kind.lower()}-job/spam-r-x" for kind in ("Processing", "Training")}
    create = [Check(who, f"sagemaker:Create{kind}Job", job) for kind, job in jobs.items()]
    passed = [Check(who, "iam:PassRole", role, to) for role in (PREPARE, TRAIN)]
    rule = f"arn:aws:events:{THERE}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
    again = Check(who, "states:StartExecution", MACHINE)
    yield Intent(
        "the workflow runs its jobs under their roles, asks for decisions, tells of them",
        (
            *create,
            *(Check(who, f"sagemaker:Stop{kind}Job", job) for kind, job in jobs.items()),
            *(Check(who, "sagemaker:AddTags", job) for job in jobs.values()),
            *passed,
            Check(who, "events:PutRule", rule),
            Check(who, "lambda:InvokeFunction", f"{FUNCTION}-decide-function"),
            Check(who, "sns:Publish", TOPIC),
            again,
        ),
        {
            "hands over its own role": (replace(passed[0], resource=WORKFLOW),),
            "hands over a function's role": (replace(passed[0], resource=DECIDE),),
            "hands over another role": (replace(passed[0], resource=ADMIN),),
            "hands them to another service": (passed[0].but({"iam:PassedToService": "ec2.amazonaws.com"}),),
            "hands them to nobody": (passed[0].but({"iam:PassedToService": None}),),
            **{
                f"another's {kind.lower()} job": (
                    replace(one, resource=one.resource.replace("spam", "another")),
                )
                for kind, one in zip(jobs, create, strict=True)
            },
            "an endpoint": (Check(who, "sagemaker:CreateEndpoint", f"{SAGEMAKER}:endpoint/spam-r-x"),),
            "a notebook": (
                Check(who, "sagemaker:CreateNotebookInstance", f"{SAGEMAKER}:notebook-instance/spam-r-x"),
            ),
            "another rule": (Check(who, "events:PutRule", rule.replace("StepFunctions", "Another")),),
            "promotes a model": (Check(who, "lambda:InvokeFunction", f"{FUNCTION}-promote-function"),),
            "another topic": (Check(who, "sns:Publish", TOPIC.replace("failures", "another")),),
            "another machine": (replace(again, resource=MACHINE.replace("workflow", "another")),),
            **each("reads", reads(who, PREPARED, REPORT, CHAMPION)),
            **each("writes", writes(who, PREPARED, REPORT, CHAMPION)),
            "takes a role": i.take(PREPARE, who, {}),
        },
    )
    pending = {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}
    package = f"{SAGEMAKER}:model-package/causeway-spam/1"
    register = Check(who, "sagemaker:CreateModelPackage", package, pending)
    yield Intent(
        "the workflow registers a model that waits for a person",
        (register,),
        {
            "that is approved": (register.but({"sagemaker:ModelApprovalStatus": "Approved"}),),
            "of which it says nothing": (register.but({"sagemaker:ModelApprovalStatus": None}),),
            "in another group": (replace(register, resource=package.replace("spam", "another")),),
            "and approves it": (_approve(who),),
            "and deletes it": (Check(who, "sagemaker:DeleteModelPackage", package),),
        },
    )
    start = Check(START, "states:StartExecution", MACHINE)
    yield Intent(
        "EventBridge's role starts a training",
        (start,),
        {
            "another machine": (replace(start, resource=MACHINE.replace("workflow", "another")),),
            "and stops it": (
                replace(
                    start,
                    action="states:StopExecution",
                    resource=f"{MACHINE}:a".replace(":stateM", ":execution:m"),
                ),
            ),
            "and reads": reads(START, PREPARED),
        },
    )


def _taken() -> Iterator[Intent]:
    """Who takes the partner's own roles."""
    here = {"aws:SourceAccount": i.PARTNER}
    machine, scoring = ({**here, "aws:SourceArn": one} for one in (MACHINE, SCORES_MACHINE))
    taking = {
        "prepare": ("sagemaker", here),
        "train": ("sagemaker", here),
        "decide": ("lambda", {}),
        "promote": ("lambda", {}),
        "the workflow": ("states", machine),
        "the starting role": ("events", here),
        "predict": ("lambda", {}),
        "scoring": ("states", scoring),
    }
    for name, (service, context) in taking.items():
        take = Check(f"{service}.amazonaws.com", "sts:AssumeRole", ROLES[name], context)
        yield Intent(
            f"{service} alone takes the role of {name}",
            (take,),
            {
                "another service": (replace(take, principal="ec2.amazonaws.com"),),
                "a user of the partner's": (replace(take, principal=i.ANALYST),),
                "the company": (replace(take, principal=i.ADMIN),),
                "and tags the session": (replace(take, action="sts:TagSession"),),
                **{
                    f"with {said} {key}": (take.but({key: value}),)
                    for key in context
                    for said, value in (("another", _another(key)), ("no", None))
                },
            },
        )


def _another(key: str) -> str:
    return i.STRANGER if key == "aws:SourceAccount" else MACHINE.replace(i.PARTNER, i.STRANGER)


def _bucket() -> Iterator[Intent]:
    get, listing = Check(ADMIN, "s3:GetObject", f"{WORK}/{PREPARED}"), Check(ADMIN, "s3:ListBucket", WORK)
    weak = {"without TLS": {"aws:SecureTransport": "false"}, "over TLS 1.1": {"s3:TlsVersion": "1.1"}}
    others = {"the company": i.ADMIN, "a stranger": ADMIN.replace(i.PARTNER, i.STRANGER)}
    asked = {
        "reads": get,
        "lists": listing,
        "writes": replace(get, action="s3:PutObject"),
        "deletes": replace(get, action="s3:DeleteObject"),
    }
    yield Intent(
        "the partner's admin uses the partner's bucket",
        tuple(asked.values()),
        {
            **{
                f"{said} {how}": (check.but(by),) for said, check in asked.items() for how, by in weak.items()
            },
            **{
                f"{name} {said} it": (replace(check, principal=who),)
                for said, check in asked.items()
                for name, who in others.items()
            },
        },
    )
    tell = Check(ADMIN, "sns:Publish", TOPIC)
    yield Intent(
        "the partner's admin tells the partner's topic",
        (tell,),
        {
            "without TLS": (tell.but({"aws:SecureTransport": "false"}),),
            "as the company": (replace(tell, principal=i.ADMIN),),
        },
    )
