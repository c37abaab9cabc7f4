"""Queues under SQS's own key, reached over TLS alone."""

from typing import Any

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from causeway.settings import Settings
from stacks.parts.functions import removal_policy
from stacks.parts.permissions import answer_checkov


def managed_queue(scope: Construct, construct_id: str, settings: Settings, **more: Any) -> sqs.Queue:
    """`more`: how long it keeps messages, and where those go that nobody can take."""
    # Services can use SQS's own key without a key policy, where a customer key that lacks one makes
    # events vanish in silence. The messages hold keys and sizes, no data.
    queue = sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        removal_policy=removal_policy(settings),
        **more,
    )
    answer_checkov(queue, {"27": "SQS's own key encrypts it, which services may use; no data is in messages"})
    return queue
