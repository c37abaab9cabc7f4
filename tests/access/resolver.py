"""CloudFormation's intrinsic functions, resolved to the ARNs and names that a deployment could have."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
COMPANY, REGION = "111111111111", "us-east-1"
HERE = f"{REGION}:{COMPANY}"
ARNS = {
    "AWS::CloudTrail::Trail": f"arn:aws:cloudtrail:{HERE}:trail/{{}}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{HERE}:table/{{}}",
    "AWS::Events::EventBus": f"arn:aws:events:{HERE}:event-bus/{{}}",
    "AWS::Events::Rule": f"arn:aws:events:{HERE}:rule/{{}}",
    "AWS::Glue::Job": f"arn:aws:glue:{HERE}:job/{{}}",
    "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{COMPANY}:policy/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{COMPANY}:role/{{}}",
    "AWS::KMS::Key": f"arn:aws:kms:{HERE}:key/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{HERE}:function:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{{}}:*",
    "AWS::RDS::DBCluster": f"arn:aws:rds:{HERE}:cluster:{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::S3Vectors::Index": f"arn:aws:s3vectors:{HERE}:bucket/causeway-store-vectors/index/{{}}",
    "AWS::S3Vectors::VectorBucket": f"arn:aws:s3vectors:{HERE}:bucket/{{}}",
    "AWS::SageMaker::Endpoint": f"arn:aws:sagemaker:{HERE}:endpoint/{{}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:{{}}",
    "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{HERE}:secret:{{}}",
    "AWS::SecretsManager::SecretTargetAttachment": f"arn:aws:secretsmanager:{HERE}:secret:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:{{}}",
    "AWS::Scheduler::ScheduleGroup": f"arn:aws:scheduler:{HERE}:schedule-group/{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{HERE}:stateMachine:{{}}",
}
# Whose Ref is the ARN, not the name.
REF_IS_ARN = {
    "AWS::IAM::ManagedPolicy",
    "AWS::SNS::Topic",
    "AWS::SageMaker::Endpoint",
    "AWS::SecretsManager::Secret",
    "AWS::SecretsManager::SecretTargetAttachment",
    "AWS::StepFunctions::StateMachine",
}
NAMES = (
    "RoleName",
    "QueueName",
    "TopicName",
    "TableName",
    "LogGroupName",
    "FunctionName",
    "Name",
    "TrailName",
    "EndpointName",
    "IndexName",
    "VectorBucketName",
)
IS_ARN = {"Arn", "IndexArn", "VectorBucketArn"}  # attributes
PSEUDO = {
    "AWS::AccountId": COMPANY,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}


class Resolver:
    """Resolves what stands in one of these templates; a stack is in the company's account, or as said."""

    def __init__(self, templates: dict[str, Json], accounts: Mapping[str, str] | None = None) -> None:
        self._templates, self._accounts = templates, accounts or {}
        self._exports = {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack, template in templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    def resolve(self, stack: str, value: Any) -> Any:
        """Raises KeyError for a function or a type of resource that it does not know."""
        if isinstance(value, list):
            return [self.resolve(stack, item) for item in value]
        if isinstance(value, str):
            # Packages are named by their contents: what they may be does not change with each of them.
            return re.sub(r"[0-9a-f]{64}", "<package>", value)
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")):
            return self._call(stack, *next(iter(value.items())))
        return {key: self.resolve(stack, item) for key, item in value.items()}

    def _call(self, stack: str, function: str, argument: Any) -> str:
        functions: dict[str, Callable[[], str]] = {
            "Ref": lambda: self._here(stack, PSEUDO.get(argument, "")) or self._ref(stack, argument),
            "Fn::GetAtt": lambda: self._attribute(stack, *argument),
            "Fn::Join": lambda: argument[0].join(self.resolve(stack, argument[1])),
            "Fn::ImportValue": lambda: self.resolve(*self._exports[argument]),
        }
        return functions[function]()

    def arn(self, stack: str, reference: Json) -> str:
        """The ARN of the resource that this refers to."""
        return self._attribute(stack, str(next(iter(reference.values()))), "Arn")

    def describe(self, stack: str, logical_id: str) -> tuple[str, Json, str]:
        """A resource's type, its properties, and the name of its construct."""
        resource = self._templates[stack]["Resources"][logical_id]
        return (
            resource["Type"],
            resource.get("Properties", {}),
            f"{stack}/{self._construct(stack, logical_id)}",
        )

    def path(self, stack: str, logical_id: str) -> str:
        return str(self._templates[stack]["Resources"][logical_id]["Metadata"]["aws:cdk:path"])

    def _construct(self, stack: str, logical_id: str) -> str:
        """The construct's path below its stack, without CDK's own parts."""
        path = self.path(stack, logical_id).split("/")
        return "/".join(part for part in path[1:] if part not in ("Resource", "DefaultPolicy", "Policy"))

    def _ref(self, stack: str, logical_id: str) -> str:
        kind = self._templates[stack]["Resources"][logical_id]["Type"]
        return self._attribute(stack, logical_id, "Arn" if kind in REF_IS_ARN else "Name")

    def _attribute(self, stack: str, logical_id: str, attribute: str) -> str:
        resource = self._templates[stack]["Resources"][logical_id]
        properties = resource.get("Properties", {})
        name = next((properties[key] for key in NAMES if isinstance(properties.get(key), str)), None)
        name = name or f"{stack}-{self._construct(stack, logical_id).replace('/', '-').lower()}"
        if attribute not in IS_ARN:
            return name
        arn = ARNS[resource["Type"]].format(properties.get("Path", "/").lstrip("/") + name)
        return self._here(stack, arn)

    def _here(self, stack: str, text: str) -> str:
        """As it is said in the stack's account."""
        return text.replace(COMPANY, self._accounts.get(stack, COMPANY))
