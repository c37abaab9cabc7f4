"""What a contract promises of when rows come, and how many of them are good."""

from collections.abc import Callable
from pathlib import Path

import pytest

from causeway.contract.load import load_contract
from causeway.contract.model import Contract, ContractError

Made = Callable[..., Contract]
LATENCY = "{property: latency, value: 36, unit: h, element: seen}"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def make(sla: str = "", custom: str = "") -> Contract:
        path = tmp_path / "orders.odcs.yaml"
        path.write_text(
            "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\n"
            f"slaProperties: [{sla}]\nschema:\n- name: orders\n  customProperties: [{custom}]\n"
            "  properties: [{name: seen, logicalType: timestamp}]\n"
        )
        return load_contract(path)

    return make


@pytest.mark.parametrize(
    ("sla", "seconds"),
    [
        ("", 0),
        ("{property: frequency, value: 1, unit: d}", 86_400),
        ("{property: FY, value: 0.5, unit: hours}", 1800),
        (LATENCY, 36 * 3600),
        (f"{LATENCY}, {{property: frequency, value: 1, unit: d}}", 86_400),
        (f"{LATENCY}, {{property: frequency, value: 3, unit: d}}", 36 * 3600),
    ],
)
def test_rows_must_come_within_the_shortest_time_that_is_promised(made: Made, sla: str, seconds: int) -> None:
    assert made(sla).freshness == seconds


def test_a_frequency_is_no_bound_of_a_profile(made: Made) -> None:
    assert made("{property: frequency, value: 1, unit: d}").bounds == ()


@pytest.mark.parametrize(
    ("sla", "why"),
    [
        ("value: 0, unit: d", "value: 0 is not a number above 0"),
        ("value: 1, unit: months", "unit: 'months' is not one of d, day"),
        ("value: 1, unit: d, element: seen", "element: frequency is of the whole dataset and has none"),
        ("value: 1, unit: d, valueExt: 2", "valueExt: frequency is of the whole dataset and has none"),
        (
            "value: 1, unit: d}, {property: fy, value: 2, unit: d",
            "slaProperties[1]: frequency is there already",
        ),
    ],
)
def test_a_frequency_that_cannot_be_kept_is_refused(made: Made, sla: str, why: str) -> None:
    with pytest.raises(ContractError) as caught:
        made(f"{{property: frequency, {sla}}}")
    assert why in str(caught.value)


@pytest.mark.parametrize(("value", "limit"), [("0", 0), ("2.5", 2.5), ("99", 99)])
def test_a_contract_may_limit_the_share_of_rejected_rows(made: Made, value: str, limit: float) -> None:
    assert made(custom=f"{{property: quarantineLimit, value: {value}}}").quarantine_limit == limit
    assert made().quarantine_limit is None


@pytest.mark.parametrize("value", ["-1", "100", "'5'", "true", ".nan"])
def test_a_share_that_is_none_is_refused(made: Made, value: str) -> None:
    with pytest.raises(
        ContractError, match=r"customProperties\[0\] \(quarantineLimit\): .* is not a share in percent"
    ):
        made(custom=f"{{property: quarantineLimit, value: {value}}}")
