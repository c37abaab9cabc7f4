"""Sizing: bytes as the models have them, the cheapest instance that holds them, and what would be cheaper."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.__main__ import main
from causeway.operate.accelerators import INSTANCES, L4, Instance
from causeway.operate.shapes import SHAPES, SizingError, shape_of
from causeway.operate.sizing import (
    DTYPES,
    Workload,
    cheaper,
    chosen,
    fit,
    fitting,
    parallel,
    workload_of,
)

# As the models' cards publish them, in billions.
PUBLISHED = {
    "llama-3.2-1b": 1.24, "mistral-7b": 7.25, "qwen2.5-7b": 7.62, "llama-3.1-8b": 8.03,
    "qwen3-30b-a3b": 30.5, "qwen3-32b": 32.8, "mixtral-8x7b": 46.7, "llama-3.1-70b": 70.6,
    "qwen2.5-72b": 72.7, "llama-3.1-405b": 405.9,
}  # fmt: skip
LLAMA = SHAPES["llama-3.1-8b"]
CONFIG = {
    "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}  # fmt: skip
workloads = st.builds(
    lambda name, dtype, context, concurrency: workload_of(
        SHAPES[name], dtype=dtype, context=context, concurrency=concurrency
    ),
    st.sampled_from(sorted(SHAPES)),
    st.sampled_from(sorted(DTYPES)),
    st.integers(1, 32_768),
    st.integers(1, 64),
)


def written(folder: Path, config: dict[str, Any]) -> str:
    (path := folder / "config.json").write_text(json.dumps(config))
    return str(path)


@pytest.mark.parametrize("name", SHAPES)
def test_a_named_shape_has_as_many_parameters_as_its_card_says(name: str) -> None:
    assert SHAPES[name].parameters / 1e9 == pytest.approx(PUBLISHED[name], rel=0.005)


def test_bytes_are_those_counted_by_hand() -> None:
    workload = workload_of(LLAMA, context=8192, concurrency=4)
    assert workload.token == 2 * 32 * 8 * 128 * 2 == 131_072
    assert workload.cache == 131_072 * 8192 * 4
    assert workload.weights == 2 * LLAMA.parameters
    # The published four-bit checkpoint of this model, AWQ in groups of 128, is 5.73 GB.
    assert workload_of(LLAMA, context=1, concurrency=1, dtype="int4").weights / 1e9 == pytest.approx(
        5.73, rel=0.02
    )


def test_eight_billion_parameters_take_one_accelerator_of_24_gigabytes_only_for_few_requests() -> None:
    assert chosen(workload_of(LLAMA, context=8192, concurrency=3)).instance.name == "ml.g6.xlarge"
    assert chosen(workload_of(LLAMA, context=8192, concurrency=4)).instance.name == "ml.g6e.xlarge"


@pytest.mark.parametrize(
    ("name", "count", "expected"),
    [
        ("llama-3.1-8b", 8, 8),
        ("qwen2.5-7b", 8, 4),  # 28 heads
        ("qwen2.5-7b", 2, 2),
        ("qwen3-30b-a3b", 8, 8),  # 4 key and value heads, each kept twice
    ],
)
def test_tensors_are_shared_by_as_many_accelerators_as_heads_divide_among(
    name: str, count: int, expected: int
) -> None:
    assert parallel(SHAPES[name], count) == expected


def test_a_key_and_value_head_that_several_keep_costs_each_of_them_its_cache() -> None:
    shared = fit(workload_of(SHAPES["qwen3-30b-a3b"], context=1000, concurrency=1), INSTANCES[-1])
    assert shared.parallel == 8
    assert shared.cache == workload_of(SHAPES["qwen3-30b-a3b"], context=1000, concurrency=1).cache / 4


@given(workloads)
def test_what_is_chosen_holds_it_and_nothing_cheaper_does(workload: Workload) -> None:
    fits = fitting(workload)
    for instance in INSTANCES:
        if not fits or instance.dollars < fits[0].instance.dollars:
            assert not fit(workload, instance).fits
    for one in fits:
        assert one.weights + one.cache <= one.instance.memory * 0.9


@given(workloads, st.sampled_from(["context", "concurrency"]))
def test_less_never_costs_more(workload: Workload, part: str) -> None:
    asked = getattr(workload, part)
    lesser = (
        replace(workload, context=asked // 2)
        if part == "context"
        else replace(workload, concurrency=asked // 2)
    )
    if asked > 1 and (fits := fitting(workload)):
        assert fitting(lesser)[0].instance.dollars <= fits[0].instance.dollars


@given(workloads)
def test_every_cheaper_way_fits_and_is_cheaper(workload: Workload) -> None:
    fits = fitting(workload)
    for saving in cheaper(workload):
        assert saving.fit.fits
        assert not fits or saving.fit.instance.dollars < fits[0].instance.dollars


def test_where_nothing_fits_the_nearest_way_out_is_told() -> None:
    with pytest.raises(SizingError, match=r"829 GB, which no instance .* weights in fp8: ml\.p4de\.24xlarge"):
        chosen(workload_of(SHAPES["llama-3.1-405b"], context=8192, concurrency=4))
    small = [Instance("ml.small", L4, 1, Decimal(1))]
    with pytest.raises(SizingError, match=r"concurrency of 3 in place of 4: ml\.small"):
        chosen(workload_of(LLAMA, context=8192, concurrency=4), small)


def test_a_config_json_counts_as_the_named_shape(tmp_path: Path) -> None:
    shape = shape_of(written(tmp_path, CONFIG))
    assert replace(shape, name=LLAMA.name) == LLAMA
    seeing = {"text_config": CONFIG, "vision_config": {"hidden_size": 1}}
    assert shape_of(written(tmp_path, seeing)).parameters == LLAMA.parameters


@pytest.mark.parametrize(
    ("quantised", "dtype"),
    [({"quant_method": "fp8"}, "fp8"), ({"quant_method": "gptq", "bits": 4}, "int4")],
)
def test_a_quantised_config_is_counted_in_its_bits(tmp_path: Path, quantised: Any, dtype: str) -> None:
    assert shape_of(written(tmp_path, {**CONFIG, "quantization_config": quantised})).dtype == dtype


def test_a_quantiser_that_is_not_known_needs_the_type_that_its_weights_are_like(tmp_path: Path) -> None:
    shape = shape_of(written(tmp_path, {**CONFIG, "quantization_config": {"quant_method": "odd"}}))
    with pytest.raises(SizingError, match="dtype: found 'odd'; one of float32"):
        workload_of(shape, context=1, concurrency=1)
    assert workload_of(shape, context=1, concurrency=1, dtype="int4").weights < LLAMA.parameters


@pytest.mark.parametrize("text", ["[1]", "null", "{", "3"])
def test_a_file_that_is_no_json_object_is_one_line(tmp_path: Path, text: str) -> None:
    (path := tmp_path / "config.json").write_text(text)
    with pytest.raises(SizingError, match="no JSON object") as caught:
        shape_of(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_hidden_layers": None}, "num_hidden_layers: missing"),
        ({"num_hidden_layers": "32"}, "num_hidden_layers: found '32'; it is a whole number from 1"),
        ({"vocab_size": 0}, "vocab_size: found 0"),
        ({"kv_lora_rank": 512}, "kv_lora_rank: layers of this kind are not counted here"),
    ],
)
def test_a_config_that_cannot_be_counted_is_one_line_that_names_the_key(
    tmp_path: Path, changes: Any, expected: str
) -> None:
    with pytest.raises(SizingError) as caught:
        shape_of(written(tmp_path, {**CONFIG, **changes}))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model", "lama-3.1-8b"], "did you mean llama-3.1-8b?"),
        (["--model", "none.json"], "there is no such file"),
        (["--model", "llama-3.1-8b", "--dtype", "fp9"], "did you mean fp8?"),
        (["--model", "mistral-7b", "--context", "40000"], "mistral-7b takes 1 to 32,768 tokens"),
        (["--model", "mistral-7b", "--concurrency", "0"], "concurrency: found 0"),
        (["--model", "llama-3.1-405b"], "weights in fp8"),
        ([], "give --objects and --bytes, or --model"),
    ],
)
def test_a_wrong_option_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert main(["estimate", *arguments]) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert told.count("\n") == 1


def test_a_person_is_told_the_bytes_the_prices_with_their_doubts_and_what_is_cheaper(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["estimate", "--model", "llama-3.1-8b"]) == 0
    printed = capsys.readouterr().out
    for told in ("16.06 GB", "131,072 bytes a token", "unverified", "Asleep $0", "Cheaper: weights in fp8"):
        assert told in printed
    assert main(["estimate", "--model", "qwen2.5-7b", "--dtype", "int4"]) == 0
    printed = capsys.readouterr().out
    assert "$1.21 on another page; the higher is taken" in printed
    assert "Nothing that is given up makes it cheaper" in printed


def test_the_document_has_dollars_asleep_awake_and_where_always_on_is_cheaper(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["estimate", "--model", "llama-3.1-8b", "--json"]) == 0
    best = json.loads(capsys.readouterr().out)["chosen"]
    assert (best["instance"], best["dollars_an_hour"], best["dollars_asleep"]) == ("ml.g6e.xlarge", 2.61, 0)
    assert best["month_always_on"] == pytest.approx(2.61 * 720)
    assert best["month_by_hours_a_day"]["8"] == pytest.approx(2.61 * 30 * (8 + 25 / 60), abs=0.01)
    # So many wakings of no work at all keep it awake all day.
    assert best["break_even_wakings_a_day"] * 25 / 60 == pytest.approx(24, abs=0.5)
