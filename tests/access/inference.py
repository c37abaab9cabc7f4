"""Intents of the language model: its users send and read, its endpoint serves, and neither does more."""

from collections.abc import Iterator
from dataclasses import replace

from tests.access import intent as i
from tests.access.intent import Intent
from tests.access.request import Check
from tests.access.resolver import COMPANY, HERE
from tests.access.store import APPLICATION

USERS, SERVES = f"{i.ROLE}/causeway-inference-user", f"{i.ROLE}/causeway-inference-model-role"
ENDPOINT = f"arn:aws:sagemaker:{HERE}:endpoint/causeway-ml-g6e-xlarge"
EXCHANGE = "arn:aws:s3:::causeway-inference-exchange"
WEIGHTS = f"arn:aws:s3:::cdk-hnb659fds-assets-{COMPANY}-us-east-1"
REQUEST, ANSWER = "requests/1.json", "answers/1.out"
GROUP = f"arn:aws:logs:{HERE}:log-group:/aws/sagemaker/Endpoints/causeway-ml-g6e-xlarge"
LOG = f"{GROUP}:log-stream:model/i/data-log"
REPOSITORY = f"arn:aws:ecr:{HERE}:repository/vllm"
DATASET = f"arn:aws:cloudwatch:{HERE}:dataset/default"
METRICS = {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}


def inference() -> Iterator[Intent]:
    asks = Check(USERS, "sagemaker:InvokeEndpointAsync", ENDPOINT)
    yield Intent(
        "an application takes the role of the language model's users",
        i.take(USERS, APPLICATION, {}),
        {
            "as another role": i.take(USERS, APPLICATION.replace("application", "intern"), {}),
            "from another account": i.take(USERS, APPLICATION.replace(COMPANY, i.STRANGER), {}),
            "as the partner's program": i.take(USERS, i.READER, {}),
        },
    )
    yield Intent(
        "its users send requests to the language model and read answers",
        (asks, *i.write(USERS, EXCHANGE, REQUEST), *i.read(USERS, EXCHANGE, ANSWER)),
        {
            "another endpoint": (replace(asks, resource=f"{ENDPOINT}2"),),
            "and changes it": (replace(asks, action="sagemaker:UpdateEndpoint"),),
            "reads requests": i.read(USERS, EXCHANGE, REQUEST),
            "writes answers": i.write(USERS, EXCHANGE, ANSWER),
            "lists what there is": i.list_(USERS, EXCHANGE, None),
            "reads the lake": i.read(USERS, i.CURATED),
            "reads the weights": i.read(USERS, WEIGHTS, "llama/a.safetensors"),
            "the partner asks it": (replace(asks, principal=i.PROGRAMMATIC),),
        },
    )
    logs = Check(SERVES, "logs:PutLogEvents", LOG)
    pulls = Check(SERVES, "ecr:BatchGetImage", REPOSITORY)
    counts = Check(SERVES, "cloudwatch:PutMetricData", DATASET, METRICS)
    yield Intent(
        "the endpoint reads weights and requests, and writes answers and its log",
        (
            *i.read(SERVES, EXCHANGE, REQUEST),
            *i.write(SERVES, EXCHANGE, ANSWER),
            *i.write(SERVES, EXCHANGE, "failures/1.out"),
            Check(SERVES, "s3:GetObject", f"{WEIGHTS}/llama/a.safetensors"),
            *i.list_(SERVES, WEIGHTS, "llama/"),
            pulls,
            replace(pulls, action="ecr:GetDownloadUrlForLayer"),
            replace(pulls, action="ecr:BatchCheckLayerAvailability"),
            Check(SERVES, "ecr:GetAuthorizationToken", "*"),
            logs,
            replace(logs, action="logs:CreateLogStream"),
            Check(SERVES, "logs:DescribeLogStreams", GROUP),
            counts,
        ),
        {
            "reads answers": i.read(SERVES, EXCHANGE, ANSWER),
            "writes requests": i.write(SERVES, EXCHANGE, REQUEST),
            "other weights": (Check(SERVES, "s3:GetObject", f"{WEIGHTS}/other/a.safetensors"),),
            "changes weights": (Check(SERVES, "s3:PutObject", f"{WEIGHTS}/llama/a.safetensors"),),
            "lists another bucket": i.list_(SERVES, EXCHANGE, None),
            "reads the lake": i.read(SERVES, i.CURATED),
            "another image": (replace(pulls, resource=f"{REPOSITORY}2"),),
            "another log": (replace(logs, resource=LOG.replace("g6e", "g5")),),
            "metrics of another name": (counts.but({"cloudwatch:namespace": "AWS/Billing"}),),
            "under another key": (i.through_s3(SERVES, "kms:Decrypt", EXCHANGE, i.OTHER_KEY),),
        },
    )
    taken = Check("sagemaker.amazonaws.com", "sts:AssumeRole", SERVES, {"aws:SourceAccount": COMPANY})
    yield Intent(
        "SageMaker AI takes the endpoint's role for this account",
        (taken,),
        {
            "for another account": (taken.but({"aws:SourceAccount": i.STRANGER}),),
            "for nobody": (taken.but({"aws:SourceAccount": None}),),
            "as another service": (replace(taken, principal="glue.amazonaws.com"),),
        },
    )
