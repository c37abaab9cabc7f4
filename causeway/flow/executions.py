"""How executions of a batch are called: by its dataset and id, from the second start on by the number too."""

import re

NAME = re.compile(r"(?P<dataset>.+?)-(?P<batch>[0-9a-f]{32})(-r\d+)?")


def execution_name(dataset: str, batch: str, start: int = 1) -> str:
    return f"{dataset}-{batch}" + (f"-r{start}" if start > 1 else "")


def execution_arn(machine: str, name: str) -> str:
    """By its state machine's ARN."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
