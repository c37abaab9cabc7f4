"""The dashboard: the way of the data from landing to its cost, by dataset, and where it stands still."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from causeway.flow import metrics
from stacks.company.alarms import RUNBOOK
from stacks.company.lake import LakeStack

HOUR, EVERY = Duration.hours(1), Duration.minutes(15)
HEAD = (
    f"Red? `{RUNBOOK}` has a section for each alarm. `causeway status` says what became of every version, "
    "`causeway trace KEY` what became of one file."
)
# By title: the metric of each dataset, its statistic, and the time that a point stands for.
BY_DATASET = {
    "Rows landed": (metrics.LANDED, "Sum", HOUR),
    "Running batches": (metrics.RUNNING, "Maximum", EVERY),
    "Rows committed": (metrics.CURATED, "Sum", HOUR),
    "Quarantined, percent of a batch's rows": (metrics.SHARE, "Maximum", HOUR),
    "Freshness, seconds since rows were committed": (metrics.FRESHNESS, "Maximum", EVERY),
    "Cost of runs, US dollars": ("Dollars", "Sum", HOUR),
}
WIDTH, HEIGHT, FULL = 8, 6, 24


class Dashboard(Construct):
    """Searches for metrics, so that a dataset shows with its first commit."""

    def __init__(
        self, scope: Construct, construct_id: str, *, project: str, lake: LakeStack, machine: sfn.StateMachine
    ) -> None:
        super().__init__(scope, construct_id)
        landing_events, dead_letters = lake.landing_events, lake.dead_letters
        waiting = [
            landing_events.metric_approximate_number_of_messages_visible(label="queued"),
            landing_events.metric_approximate_number_of_messages_not_visible(label="being batched"),
            dead_letters.metric_approximate_number_of_messages_visible(label="dead letters"),
        ]
        ended = [machine.metric_succeeded(), machine.metric_failed(), machine.metric_timed_out()]
        landed, *others = (
            self._graph(title, [_search(project, *measured)]) for title, measured in BY_DATASET.items()
        )
        graphs = [landed, self._graph("Waiting, messages", waiting), *others]
        graphs.append(self._graph("Executions", [metric.with_(statistic="Sum") for metric in ended]))
        oldest = landing_events.metric_approximate_age_of_oldest_message(statistic="Maximum")
        graphs.append(self._graph("Age of the oldest message, seconds", [oldest]))
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=project,
            widgets=[[cloudwatch.TextWidget(markdown=HEAD, width=FULL, height=1)], graphs],
        )

    def _graph(self, title: str, left: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(title=title, left=[*left], width=WIDTH, height=HEIGHT)


def _search(project: str, metric: str, statistic: str, period: Duration) -> cloudwatch.MathExpression:
    """Of every dataset that there are points of."""
    query = f'{{{project},{metrics.DIMENSION}}} MetricName="{metric}"'
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{query}', '{statistic}', {period.to_seconds()})",
        using_metrics={},
        label="",
        period=period,
    )
