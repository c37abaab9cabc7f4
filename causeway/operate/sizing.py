"""Which accelerated instance a model needs: weights and key-value cache against memory and price."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from causeway.flow.nearest import did_you_mean
from causeway.operate.accelerators import INSTANCES, PRICED, Instance
from causeway.operate.idle import DAYS
from causeway.operate.shapes import Shape, SizingError, shape_of
from causeway.settings_inference import InferenceSettings

# Bits of a parameter of the layers and of one outside them, which quantisers leave as it was, and bytes of a
# number in the cache. A quarter bit of int4 is the scales of groups of 128.
DTYPES = {
    "float32": (32.0, 32, 4),
    "bfloat16": (16.0, 16, 2),
    "float16": (16.0, 16, 2),
    "fp8": (8.0, 16, 2),
    "int8": (8.0, 16, 2),
    "int4": (4.25, 16, 2),
}
# What vLLM takes of an accelerator by default; what runtime, activations and graphs take of that: assumed.
USABLE, OVERHEAD = 0.9, 2 * 1024**3
LEAST_SHARE = 1 / 16  # of the context or concurrency that was asked for: less is other work, no saving
HOURS = 24
# Assumed: until the container answers, and after the last request until the instance goes.
START_MINUTES, TAIL_MINUTES = 10, 15


@dataclass(frozen=True)
class Workload:
    """A model's shape in a data type, for so many requests at once of so many tokens, answers included."""

    shape: Shape
    dtype: str
    context: int
    concurrency: int

    @property
    def weights(self) -> int:
        """Bytes."""
        inner, outer, _ = DTYPES[self.dtype]
        return int(self.shape.inner * inner / 8 + self.shape.outer * outer / 8)

    @property
    def token(self) -> int:
        """Bytes of the key-value cache of one token: a key and a value of each layer and head."""
        return 2 * self.shape.layers * self.shape.kv_heads * self.shape.head_dim * DTYPES[self.dtype][2]

    @property
    def cache(self) -> int:
        """Bytes."""
        return self.token * self.context * self.concurrency


@dataclass(frozen=True)
class Fit:
    """A workload on an instance: `parallel` of its accelerators share it, and each has so many bytes."""

    instance: Instance
    parallel: int
    weights: float
    cache: float

    @property
    def room(self) -> float:
        return self.instance.memory * USABLE - OVERHEAD - self.weights

    @property
    def fits(self) -> bool:
        return self.cache <= self.room


@dataclass(frozen=True)
class Saving:
    """What to give up, and the instance that is enough then."""

    change: str
    fit: Fit


def workload_of(shape: Shape, *, context: int, concurrency: int, dtype: str = "") -> Workload:
    """Without a data type, in the model's own. Raises SizingError for what the model does not take."""
    dtype = dtype or shape.dtype
    if dtype not in DTYPES:
        allowed = ", ".join(DTYPES)
        raise SizingError(f"dtype: found {dtype!r}; one of {allowed}{did_you_mean(dtype, DTYPES)}")
    if not 1 <= context <= shape.context:
        raise SizingError(f"context: found {context:,}; {shape.name} takes 1 to {shape.context:,} tokens")
    if concurrency < 1:
        raise SizingError(f"concurrency: found {concurrency:,}; it is a whole number from 1")
    return Workload(shape, dtype, context, concurrency)


def workload_in(settings: InferenceSettings) -> Workload:
    """What the settings ask for. Raises SizingError."""
    shape, dtype = shape_of(settings.model), settings.dtype
    return workload_of(shape, context=settings.context, concurrency=settings.concurrency, dtype=dtype)


def parallel(shape: Shape, count: int) -> int:
    """The most of an instance's accelerators among which heads divide evenly.

    Key and value heads divide too, or each is kept by several accelerators (vLLM's rule).
    """
    heads, kv = shape.heads, shape.kv_heads
    return max(n for n in range(1, count + 1) if heads % n == 0 and (kv % n == 0 or n % kv == 0))


def fit(workload: Workload, instance: Instance) -> Fit:
    n = parallel(workload.shape, instance.count)
    return Fit(instance, n, workload.weights / n, workload.cache / min(n, workload.shape.kv_heads))


def fitting(workload: Workload, instances: Sequence[Instance] = INSTANCES) -> list[Fit]:
    """On every instance that is enough, the cheapest first."""
    fits = [one for instance in instances if (one := fit(workload, instance)).fits]
    return sorted(fits, key=lambda one: (one.instance.dollars, one.instance.name))


def chosen(workload: Workload, instances: Sequence[Instance] = INSTANCES) -> Fit:
    """The cheapest that fits. Raises SizingError, with the nearest way out, if none does."""
    if fits := fitting(workload, instances):
        return fits[0]
    savings = cheaper(workload, instances)
    ways = [f"{saving.change}: {saving.fit.instance.name}" for saving in savings]
    out = "; or ".join(ways) or "choose a smaller model"
    need = f"{workload.dtype}, {workload.context:,} tokens, {workload.concurrency:,} at once"
    gigabytes = (workload.weights + workload.cache) / 1e9
    raise SizingError(
        f"{workload.shape.name}: {need}: {gigabytes:,.0f} GB, which no instance of the table takes; {out}"
    )


def cheaper(workload: Workload, instances: Sequence[Instance] = INSTANCES) -> list[Saving]:
    """For each thing that can be given up, what least of it makes the price lower, if any does.

    Where nothing fits, what least of it makes anything fit.
    """
    fits = fitting(workload, instances)
    below = [one for one in instances if not fits or one.dollars < fits[0].instance.dollars]
    return [*_narrower(workload, below), *_less(workload, below)]


def _narrower(workload: Workload, instances: Sequence[Instance]) -> Iterator[Saving]:
    bits, before = DTYPES[workload.dtype][0], None
    for dtype in ("bfloat16", "fp8", "int4"):
        if DTYPES[dtype][0] < bits and (fits := fitting(replace(workload, dtype=dtype), instances)):
            if fits[0].instance is not before:
                yield Saving(f"weights in {dtype}", fits[0])
            before = fits[0].instance


def _less(workload: Workload, instances: Sequence[Instance]) -> Iterator[Saving]:
    """Shorter contexts and fewer requests: of all cheaper instances the one that takes the most."""
    empty = replace(workload, context=1, concurrency=1)
    room = {one: int(max(0, (alone := fit(empty, one)).room) / alone.cache) for one in instances}
    for name, asked, other in (
        ("context", workload.context, workload.concurrency),
        ("concurrency", workload.concurrency, workload.context),
    ):
        enough = [one for one in instances if room[one] // other >= max(1, asked * LEAST_SHARE)]
        if enough:
            best = min(enough, key=lambda one: (-room[one], one.dollars))
            most = room[best] // other
            lesser = Workload(
                workload.shape, workload.dtype, *((most, other) if name == "context" else (other, most))
            )
            yield Saving(f"{name} of {most:,} in place of {asked:,}", fit(lesser, best))


def document(workload: Workload, instances: Sequence[Instance] = INSTANCES) -> dict[str, Any]:
    """For the JSON object: sizes in bytes, prices in dollars. Raises SizingError where nothing fits."""
    best, fits = chosen(workload, instances), fitting(workload, instances)
    shape = {**asdict(workload.shape), "parameters": workload.shape.parameters}
    return {
        "model": shape,
        "dtype": workload.dtype,
        "context": workload.context,
        "concurrency": workload.concurrency,
        "weights": workload.weights,
        "cache": workload.cache,
        "cache_of_a_token": workload.token,
        "usable_share": USABLE,
        "overhead": OVERHEAD,
        "chosen": {**_told(best), **_costs(best.instance)},
        "next": [_told(one) for one in fits[1:4]],
        "cheaper": [
            {"change": saving.change, **_told(saving.fit)} for saving in cheaper(workload, instances)
        ],
        "prices_of": PRICED,
    }


def _told(one: Fit) -> dict[str, Any]:
    instance = one.instance
    return {
        "instance": instance.name,
        "accelerator": instance.accelerator[0],
        "accelerators": instance.count,
        "parallel": one.parallel,
        "memory": instance.memory,
        "weights": round(one.weights),
        "cache": round(one.cache),
        "free": round(one.room - one.cache),
        "dollars_an_hour": float(instance.dollars),
        "price": instance.price,
    }


def _costs(instance: Instance) -> dict[str, Any]:
    """A waking costs its start and its tail beside the work; asleep, the instance costs nothing."""
    hour, overhead = float(instance.dollars), (START_MINUTES + TAIL_MINUTES) / 60
    return {
        "dollars_asleep": 0,
        "minutes_of_a_waking": START_MINUTES + TAIL_MINUTES,
        "dollars_a_waking": round(hour * overhead, 2),
        "month_always_on": round(hour * DAYS * HOURS, 2),
        "month_by_hours_a_day": {n: round(hour * DAYS * (n + overhead), 2) for n in (1, 4, 8)},
        "break_even_wakings_a_day": int(HOURS / overhead),
        "break_even_hours_a_day": round(HOURS - overhead, 1),
    }
