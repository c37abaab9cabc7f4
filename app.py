#!/usr/bin/env python3
"""The map: settings and contracts → stacks → tags → checks."""

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from causeway.contract.changes import load_kept
from causeway.contract.load import load_contracts
from causeway.contract.model import Contract, ContractError
from causeway.engine.dry_run import load_runnable
from causeway.flow.datasets import CONTRACTS
from causeway.settings import Settings, SettingsError, load_settings
from stacks.company.access import PartnerStack
from stacks.company.audit import AuditStack
from stacks.company.costs import CostsStack, project_tags, tag_everything
from stacks.company.lake import LakeStack
from stacks.company.pipeline import PipelineStack
from stacks.parts.assets import package_prefix


def build(app: cdk.App, settings: Settings, contracts: Mapping[str, Contract]) -> None:
    """Every stack of Causeway, in the order in which they depend on each other."""
    settings.check_datasets(contracts)
    common: dict[str, Any] = {
        "settings": settings,
        "env": cdk.Environment(account=settings.company.account, region=settings.company.region),
        "tags": project_tags(settings),
        "termination_protection": not settings.sandbox,
    }
    lake = LakeStack(app, f"{settings.project}-lake", contracts=contracts, **common)
    packages = cdk.DefaultStackSynthesizer(bucket_prefix=package_prefix(settings))
    PipelineStack(
        app, f"{settings.project}-pipeline", lake=lake, contracts=contracts, synthesizer=packages, **common
    )
    PartnerStack(app, f"{settings.project}-partner", lake=lake, contracts=contracts, **common)
    if settings.audit:
        AuditStack(app, f"{settings.project}-audit", lake=lake, **common)
    CostsStack(app, f"{settings.project}-costs", **common)
    tag_everything(app, settings)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


if __name__ == "__main__":
    try:
        app = cdk.App()
        build(app, load_settings(), load_contracts(CONTRACTS, partial(load_kept, load=load_runnable)))
    except (SettingsError, ContractError) as error:
        sys.exit(f"{error}")
    app.synth()
