"""An endpoint of SageMaker AI that answers through S3 and has no instance while nothing waits."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_sagemaker import CfnEndpoint, CfnEndpointConfig, CfnModel
from constructs import Construct

from causeway.flow.parameters import ServingParameters, to_environment
from causeway.operate.shapes import SizingError
from causeway.operate.sizing import USABLE, Fit
from causeway.settings import Settings
from causeway.settings_inference import IMAGE
from stacks.parts.functions import make_log_group
from stacks.parts.permissions import allow

VARIANT = "model"
SENT, ANSWERED, FAILED = "requests", "answers", "failures"
EACH = "Each request and its answer"
# The newest driver that SageMaker AI has: what recent containers of vLLM ask for.
DRIVER = "al2023-ami-sagemaker-inference-gpu-4-1"
PATIENCE = 3600  # seconds for the weights, and for the container: the most that SageMaker AI waits
FLOATS = ("float32", "bfloat16", "float16")


class InferenceEndpoint(Construct):
    """`endpoint` serves the settings' model on what `fit` says, under `name`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        fit: Fit,
        dtype: str,
        bucket: s3.Bucket,
        key: kms.Key,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._asked, self._fit, self._dtype = settings, settings.inference, fit, dtype
        self._bucket, self._key = bucket, key
        # Another instance is another endpoint: autoscaling lets nobody change that of one it scales.
        self.name = f"{settings.project}-{fit.instance.name.replace('.', '-')}"
        self.endpoint = self._make_endpoint(self._make_model())
        self._scale()

    def metric(self, name: str, **dimensions: str) -> cloudwatch.Metric:
        of = {"EndpointName": self.name, **dimensions}
        one = Duration.minutes(1)
        return cloudwatch.Metric(namespace="AWS/SageMaker", metric_name=name, dimensions_map=of, period=one)

    def _make_role(self) -> iam.Role:
        stack, objects = Stack.of(self), self._bucket.arn_for_objects
        ours = {"StringEquals": {"aws:SourceAccount": stack.account}}
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com", conditions=ours),
            description="The endpoint: reads weights and requests, writes answers and its log",
        )
        allow(role, "s3:GetObject", objects(f"{SENT}/*"), why_wildcards=EACH)
        allow(role, "s3:PutObject", objects(f"{ANSWERED}/*"), objects(f"{FAILED}/*"), why_wildcards=EACH)
        allow(role, "kms:Decrypt kms:GenerateDataKey", self._key.key_arn)
        weights = f"arn:{stack.partition}:s3:::{self._asked.model_data.removeprefix('s3://')}"
        allow(role, "s3:GetObject", f"{weights}*", why_wildcards="The files of the model's weights")
        allow(role, "s3:ListBucket", weights.partition("/")[0])
        layers = "ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:BatchGetImage"
        allow(role, layers, self._repository())
        no_resources = "Tokens of registries and instances' own metrics know no resources"
        allow(role, "ecr:GetAuthorizationToken", "*", why_wildcards=no_resources)
        instances = {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}}
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=["cloudwatch:PutMetricData"], resources=["*"], conditions=instances)
        )
        group = f"/aws/sagemaker/Endpoints/{self.name}"
        streams = make_log_group(self, "Logs", self._settings, group).log_group_arn
        writing = "logs:CreateLogStream logs:PutLogEvents"
        allow(role, writing, streams, why_wildcards="The streams of its own log group")
        here = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}"
        allow(role, "logs:DescribeLogStreams", f"{here}:log-group:{group}")
        return role

    def _repository(self) -> str:
        image = IMAGE.fullmatch(self._asked.image)
        assert image
        account, region, name = image.groups()
        if region != (ours := self._settings.company.region):
            raise SizingError(f"inference.image: found a registry of {region}; it has to be one of {ours}")
        return f"arn:{Stack.of(self).partition}:ecr:{region}:{account}:repository/{name}"

    def _make_model(self) -> CfnModel:
        weights = CfnModel.S3DataSourceProperty(
            s3_uri=self._asked.model_data, s3_data_type="S3Prefix", compression_type="None"
        )
        role = self._make_role()
        model = CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            # The container reaches nothing: SageMaker AI brings weights and requests, and takes answers.
            enable_network_isolation=True,
            primary_container=CfnModel.ContainerDefinitionProperty(
                image=self._asked.image,
                model_data_source=CfnModel.ModelDataSourceProperty(s3_data_source=weights),
                environment=to_environment(self._parameters()),
            ),
        )
        model.node.add_dependency(role)
        return model

    def _parameters(self) -> ServingParameters:
        return ServingParameters(
            sm_vllm_dtype=self._dtype if self._dtype in FLOATS else "auto",
            sm_vllm_max_model_len=self._asked.context,
            sm_vllm_max_num_seqs=self._asked.concurrency,
            sm_vllm_tensor_parallel_size=self._fit.parallel,
            sm_vllm_gpu_memory_utilization=USABLE,
        )

    def _make_endpoint(self, model: CfnModel) -> CfnEndpoint:
        variant = CfnEndpointConfig.ProductionVariantProperty(
            variant_name=VARIANT,
            model_name=model.attr_model_name,
            instance_type=self._fit.instance.name,
            initial_instance_count=1,
            initial_variant_weight=1,
            inference_ami_version=DRIVER,
            model_data_download_timeout_in_seconds=PATIENCE,
            container_startup_health_check_timeout_in_seconds=PATIENCE,
        )
        output = CfnEndpointConfig.AsyncInferenceOutputConfigProperty(
            s3_output_path=self._bucket.s3_url_for_object(ANSWERED),
            s3_failure_path=self._bucket.s3_url_for_object(FAILED),
            kms_key_id=self._key.key_arn,
        )
        client = CfnEndpointConfig.AsyncInferenceClientConfigProperty(
            max_concurrent_invocations_per_instance=self._asked.concurrency
        )
        # No key for disks: those of such instances are their own, and encrypted by hardware.
        config = CfnEndpointConfig(
            self,
            "Config",
            production_variants=[variant],
            async_inference_config=CfnEndpointConfig.AsyncInferenceConfigProperty(
                output_config=output, client_config=client
            ),
        )
        return CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self.name,
            endpoint_config_name=config.attr_endpoint_config_name,
            retain_all_variant_properties=True,  # a deployment wakes no instance
        )

    def _scale(self) -> None:
        """By the backlog of an instance; where there is none, by whether anything waits."""
        linked = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com"
        role = f"{linked}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        account = Stack.of(self).account
        target = autoscaling.ScalableTarget(
            self,
            "Instances",
            service_namespace=autoscaling.ServiceNamespace.SAGEMAKER,
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{self.name}/variant/{VARIANT}",
            min_capacity=0,
            max_capacity=self._asked.max_instances,
            role=iam.Role.from_role_arn(self, "Scaler", f"arn:aws:iam::{account}:role/{role}"),
        )
        target.node.add_dependency(self.endpoint)
        target.scale_to_track_metric(
            "Backlog",
            target_value=self._asked.concurrency,
            custom_metric=self.metric("ApproximateBacklogSizePerInstance"),
        )
        target.scale_on_metric(
            "Wake",
            metric=self.metric("HasBacklogWithoutCapacity"),
            adjustment_type=autoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
            scaling_steps=[
                autoscaling.ScalingInterval(upper=1, change=0),
                autoscaling.ScalingInterval(lower=1, change=1),
            ],
            cooldown=Duration.minutes(5),
        )
