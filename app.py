#!/usr/bin/env python3
"""The map: settings and contracts → stacks → tags → checks."""

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from causeway.contract.changes import load_kept, tell_withdrawn
from causeway.contract.load import load_contracts
from causeway.contract.model import Contract, ContractError
from causeway.engine.dry_run import load_runnable
from causeway.flow.datasets import CONTRACTS
from causeway.settings import Settings, load_settings, partner_stack
from causeway.settings_errors import SettingsError
from ml.spec import SpecError
from stacks.company.access import PartnerStack
from stacks.company.audit import AuditStack
from stacks.company.costs import CostsStack, tag_everything
from stacks.company.inference import InferenceStack
from stacks.company.lake import LakeStack
from stacks.company.pipeline import PipelineStack
from stacks.company.store import StoreStack
from stacks.partner.models import models_of
from stacks.partner.training import TrainingStack
from stacks.parts.assets import package_prefix


def build(app: cdk.App, settings: Settings, contracts: Mapping[str, Contract]) -> None:
    """Every stack of Causeway, in both accounts. None needs a stack of the other account."""
    settings.check_datasets(contracts)
    company(app, settings, contracts)
    partner(app, settings, contracts)
    tag_everything(app, settings)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def company(app: cdk.App, settings: Settings, contracts: Mapping[str, Contract]) -> None:
    """The company's stacks, in the order in which they depend on each other."""
    common = _common(settings, settings.company.account)
    lake = LakeStack(app, f"{settings.project}-lake", contracts=contracts, **common)
    pipeline = PipelineStack(
        app,
        f"{settings.project}-pipeline",
        lake=lake,
        contracts=contracts,
        synthesizer=_packages(settings),
        **common,
    )
    if settings.store.enabled:
        StoreStack(
            app,
            f"{settings.project}-store",
            lake=lake,
            pipeline=pipeline,
            contracts=contracts,
            synthesizer=_packages(settings),
            **common,
        )
    if settings.inference.enabled:
        InferenceStack(app, f"{settings.project}-inference", lake=lake, pipeline=pipeline, **common)
    for key, partner in settings.every_partner().items():
        stack = f"{settings.project}-{partner_stack(key)}"
        PartnerStack(app, stack, key=key, partner=partner, lake=lake, contracts=contracts, **common)
    if settings.audit:
        AuditStack(app, f"{settings.project}-audit", lake=lake, **common)
    CostsStack(app, f"{settings.project}-costs", **common)


def partner(app: cdk.App, settings: Settings, contracts: Mapping[str, Contract]) -> None:
    """The partner's stacks, in its own account."""
    if settings.partner.ml.enabled:
        models = models_of(settings.partner, contracts)
        common = _common(settings, settings.partner.account)
        name = f"{settings.project}-training"
        TrainingStack(app, name, models=models, synthesizer=_packages(settings), **common)


def _packages(settings: Settings) -> cdk.IStackSynthesizer:
    """For stacks whose jobs may outlast a deployment: what it packages lies beside what others did."""
    return cdk.DefaultStackSynthesizer(bucket_prefix=package_prefix(settings))


def _common(settings: Settings, account: str) -> dict[str, Any]:
    """What every stack of an account is given."""
    return {
        "settings": settings,
        "env": cdk.Environment(account=account, region=settings.company.region),
        "tags": settings.every_tag(),
        "termination_protection": not settings.sandbox,
    }


if __name__ == "__main__":
    try:
        app = cdk.App()
        tell_withdrawn(CONTRACTS)
        settings = load_settings(environment=app.node.try_get_context("environment"))
        build(app, settings, load_contracts(CONTRACTS, partial(load_kept, load=load_runnable)))
    except (SettingsError, ContractError, SpecError) as error:
        sys.exit(f"{error}")
    app.synth()
