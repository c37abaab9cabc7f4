"""The function that curates what is too small to start Spark for, and the role it runs under."""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from causeway.flow.parameters import CurateSmallParameters
from causeway.settings import Settings
from stacks.company.curate_job import CurateJob
from stacks.parts import assets
from stacks.parts.functions import PythonFunction
from stacks.parts.layers import modules_layer

MODULES_MB = 1024  # of disk: the job's modules are 520 MB


class CurateSmall(Construct):
    """`curate` curates one batch. `condition`: of the executions whose batch is small."""

    @classmethod
    def wanted(cls, scope: Construct, settings: Settings, job: CurateJob) -> "CurateSmall | None":
        """None if the settings say that no batch is small."""
        if not settings.small_batches.max_objects:
            return None
        return cls(scope, "CurateSmall", settings=settings, job=job)

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, job: CurateJob) -> None:
        super().__init__(scope, construct_id)
        small = settings.small_batches
        self.memory_mb = small.memory_mb
        self.condition = sfn.Condition.and_(
            sfn.Condition.is_present("$.objects"),  # not in executions that an earlier deployment started
            sfn.Condition.number_less_than_equals("$.objects", small.max_objects),
            sfn.Condition.number_less_than_equals("$.bytes", small.max_bytes),
        )
        self.curate = PythonFunction(
            self,
            "Curate",
            name="curate_small",
            description="A small batch in, its commit out: the Glue job's code without Spark",
            parameters=CurateSmallParameters(**vars(job.parameters), namespace=settings.project),
            settings=settings,
            timeout=Duration.seconds(small.timeout_seconds),
            memory_mb=small.memory_mb,
            storage_mb=MODULES_MB,
            shared=assets.GLUE_LIBRARY,
        )
        if layer := modules_layer(self, "Modules", assets.JOB_MODULES, archive="modules.zip"):
            self.curate.function.add_layers(layer)
        self.function = self.curate.function
        job.let_curate(self.curate.role)
        job.allow_packages(self.curate.role)
