"""The models' specifications, checked against what the partner may read."""

from collections.abc import Mapping

from causeway.contract.model import Contract
from causeway.settings_partner import Partner
from ml.spec import Spec, SpecError, load_spec, model_names


def models_of(partner: Partner, contracts: Mapping[str, Contract]) -> dict[str, Spec]:
    """The models of the settings, by name. Raises SpecError if one needs what the partner cannot read."""
    names = model_names() if "*" in partner.ml.models else partner.ml.models
    specs = {name: load_spec(name) for name in names}
    readable = partner.readable(contracts)
    for name, spec in specs.items():
        datasets = [spec.dataset, *(join.dataset for join in spec.joins)]
        for dataset in datasets:
            if dataset not in readable:
                allowed = f"partner.datasets has {', '.join(readable)}"
                todo = "add it there, or name only other models in partner.ml.models"
                raise SpecError(
                    f"models/{name}.toml: the partner may not read {dataset!r}; {allowed}; {todo}"
                )
        spec.check_columns(
            column.name for one in datasets for column in contracts[one].columns if not column.withheld
        )
    return specs
