"""A contract says which texts the store embeds, and is told where none could be."""

from pathlib import Path

import pytest

from causeway.contract.load import load_contract
from causeway.contract.model import ContractError

SERVED = "servers: [{server: store, type: postgresql}]\n"


def contract(folder: Path, plot: str, servers: str = SERVED) -> Path:
    path = folder / "films.odcs.yaml"
    path.write_text(
        f"apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\n{servers}"
        "schema:\n- name: films\n  properties:\n"
        f"  - {{name: id, logicalType: integer, primaryKey: true}}\n  - {{name: plot, {plot}}}\n"
    )
    return path


def embed(value: str, more: str = "") -> str:
    return f"customProperties: [{{property: embed, value: {value}}}{more}]"


@pytest.mark.parametrize(("value", "embedded"), [("true", ("plot",)), ("false", ())])
def test_a_text_of_a_served_dataset_is_embedded_if_its_contract_says_so(
    tmp_path: Path, value: str, embedded: tuple[str, ...]
) -> None:
    path = contract(tmp_path, f"logicalType: string, {embed(value)}")
    assert load_contract(path).embedded == embedded


WITHHELD, HASHED = (f", {{property: partnerAccess, value: {access}}}" for access in ("withhold", "hash"))


@pytest.mark.parametrize(
    ("plot", "servers", "told"),
    [
        (f"logicalType: string, {embed('true')}", "", "plot is embedded, but not served; write servers: "),
        (f"logicalType: string, {embed('yes please')}", SERVED, "'yes please' is not one of true, false"),
        (
            f"logicalType: integer, {embed('true')}",
            SERVED,
            "goes with a column of type string, not with integer",
        ),
        (
            f"logicalType: array, items: {{logicalType: string, {embed('true')}}}",
            SERVED,
            "goes with a column of type string, not with a part of a column",
        ),
        (f"logicalType: string, {embed('true', WITHHELD)}", SERVED, "partnerAccess is withhold; pass it"),
        (f"logicalType: string, {embed('true', HASHED)}", SERVED, "partnerAccess is hash; pass it"),
        (f"logicalType: string, classification: personal, {embed('true')}", SERVED, "is withhold; pass it"),
        (f"logicalType: string, {embed('true').replace('embed', 'embeds')}", SERVED, "did you mean 'embed'?"),
    ],
)
def test_what_cannot_be_embedded_is_refused_with_what_to_do(
    tmp_path: Path, plot: str, servers: str, told: str
) -> None:
    with pytest.raises(ContractError) as refused:
        load_contract(contract(tmp_path, plot, servers))
    assert told in str(refused.value)
