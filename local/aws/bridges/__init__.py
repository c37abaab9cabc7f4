"""Bridges over what ministack 1.5.33 lacks, and no more than that: a module for each service.

They replace and use private names of the emulator, which each module lists in PRIVATE: another version
of the emulator cannot go on without them. docs/fidelity.md says why each bridge is there.
"""

from importlib import import_module
from importlib.metadata import version

MINISTACK = "1.5.33"
BRIDGES = (
    "cloudformation",
    "events",
    "glue",
    "iam",
    "rds_data",
    "s3",
    "s3vectors",
    "sagemaker",
    "sagemaker_registry",
    "sqs",
    "stepfunctions",
)


def install() -> None:
    """Put every bridge in place. Raises RuntimeError when the emulator is not the one they fit."""
    installed = version("ministack")
    if installed != MINISTACK:
        raise RuntimeError(f"the bridges fit ministack {MINISTACK}, found {installed}: run `make install`")
    # Imported only now: another version may lack even the modules that the bridges import.
    bridges = [import_module(f"{__name__}.{bridge}") for bridge in BRIDGES]
    for bridge in bridges:
        for module, names in bridge.PRIVATE.items():
            for name in names:
                if not hasattr(module, name):
                    missing = f"{module.__name__}.{name}"
                    raise RuntimeError(f"ministack has no {missing}: the bridge over it does not fit")
    for bridge in bridges:
        bridge.install()
