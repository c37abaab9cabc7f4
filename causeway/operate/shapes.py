"""Shapes of decoder-only language models: what their weights and key-value cache are counted from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from causeway.flow.nearest import did_you_mean
from causeway.settings_errors import SettingsError


class SizingError(SettingsError):
    """A model, an option or a workload that cannot be sized; the message is one line."""


@dataclass(frozen=True)
class Shape:
    """Dimensions, as a config.json has them; `mlp` is the width of an expert's, `context` the most tokens."""

    name: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp: int
    vocabulary: int
    context: int
    experts: int = 1
    tied: bool = False
    dtype: str = "bfloat16"

    @property
    def outer(self) -> int:
        """Parameters of the embeddings and the head, one matrix where they are tied."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def inner(self) -> int:
        """Parameters of the layers: attention and gated MLPs. Norms and biases are left out, under 0.1 %."""
        attention = 2 * self.hidden * self.head_dim * (self.heads + self.kv_heads)
        router = self.hidden * self.experts if self.experts > 1 else 0
        return self.layers * (attention + router + self.experts * 3 * self.hidden * self.mlp)

    @property
    def parameters(self) -> int:
        return self.outer + self.inner


# By memory of the models' own config.json; a test compares the sums with the published counts of parameters.
SHAPES = {
    shape.name: shape
    for shape in (
        Shape("llama-3.2-1b", 2048, 16, 32, 8, 64, 8192, 128_256, 131_072, tied=True),
        Shape("mistral-7b", 4096, 32, 32, 8, 128, 14_336, 32_768, 32_768),
        Shape("qwen2.5-7b", 3584, 28, 28, 4, 128, 18_944, 152_064, 32_768),
        Shape("llama-3.1-8b", 4096, 32, 32, 8, 128, 14_336, 128_256, 131_072),
        Shape("qwen3-30b-a3b", 2048, 48, 32, 4, 128, 768, 151_936, 40_960, experts=128),
        Shape("qwen3-32b", 5120, 64, 64, 8, 128, 25_600, 151_936, 40_960),
        Shape("mixtral-8x7b", 4096, 32, 32, 8, 128, 14_336, 32_000, 32_768, experts=8),
        Shape("llama-3.1-70b", 8192, 80, 64, 8, 128, 28_672, 128_256, 131_072),
        Shape("qwen2.5-72b", 8192, 80, 64, 8, 128, 29_568, 152_064, 32_768),
        Shape("llama-3.1-405b", 16_384, 126, 128, 8, 128, 53_248, 128_256, 131_072),
    )
}
# What another attention, or layers that differ, are told by: to count them as others would be wrong.
UNCOUNTED = ("kv_lora_rank", "first_k_dense_replace", "n_shared_experts", "shared_expert_intermediate_size",
             "linear_num_key_heads", "mamba_d_state", "is_encoder_decoder")  # fmt: skip
EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
QUANTISED = {"fp8": "fp8", "mxfp4": "int4", "awq": "int4"}


def shape_of(model: str) -> Shape:
    """A named shape, or that of a Hugging Face config.json at a path. Raises SizingError."""
    if model in SHAPES:
        return SHAPES[model]
    if not model.endswith(".json"):
        names, near = ", ".join(SHAPES), did_you_mean(model, SHAPES)
        raise SizingError(f"model: found {model!r}; one of {names}, or the path of a config.json{near}")
    try:
        config = dict(json.loads(Path(model).read_text("utf-8")))
    except FileNotFoundError:
        raise SizingError(f"model: found {model!r}, and there is no such file; give a config.json") from None
    except (TypeError, ValueError) as error:
        raise SizingError(f"{model}: no JSON object ({error}); give the model's config.json") from None
    nested = config.get("text_config")  # of a model that sees, what reads
    return _of_config(model, {**config, **nested} if isinstance(nested, dict) else config)


def _of_config(path: str, config: Mapping[str, Any]) -> Shape:
    if other := next((key for key in UNCOUNTED if config.get(key)), None):
        raise SizingError(f"{path}: {other}: layers of this kind are not counted here")

    def number(*keys: str, default: int | None = None) -> int:
        given = ((key, config[key]) for key in keys if config.get(key) is not None)
        key, value = next(given, (keys[0], default))
        if value is None:
            near = did_you_mean(key, config)
            raise SizingError(f"{path}: {key}: missing; a decoder's config.json has it{near}")
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise SizingError(f"{path}: {key}: found {value!r}; it is a whole number from 1")
        return value

    hidden, heads, experts = number("hidden_size"), number("num_attention_heads"), number(*EXPERTS, default=1)
    return Shape(
        name=path,
        hidden=hidden,
        layers=number("num_hidden_layers"),
        heads=heads,
        kv_heads=number("num_key_value_heads", default=heads),
        head_dim=number("head_dim", default=hidden // heads),
        mlp=number(*(("moe_intermediate_size",) if experts > 1 else ()), "intermediate_size"),
        vocabulary=number("vocab_size"),
        context=number("max_position_embeddings"),
        experts=experts,
        tied=config.get("tie_word_embeddings") is True,
        dtype=_dtype(config),
    )


def _dtype(config: Mapping[str, Any]) -> str:
    """As the weights are; of an unknown quantiser its name, which no type of ours is."""
    if quantised := config.get("quantization_config"):
        method = str(quantised.get("quant_method"))
        return QUANTISED.get(method) or {4: "int4", 8: "int8"}.get(quantised.get("bits"), method)
    return str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
