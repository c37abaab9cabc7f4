"""Manifests and batch ids."""

import random

from hypothesis import given
from hypothesis import strategies as st

from causeway.flow.datasets import dataset_of
from causeway.flow.manifest import Manifest, SourceVersion

TEXT = st.text(min_size=1, max_size=30)
SOURCES = st.lists(st.builds(SourceVersion, TEXT, TEXT, st.integers(0, 2**50)), min_size=1, unique=True)


@given(SOURCES)
def test_a_manifest_survives_json(sources: list[SourceVersion]) -> None:
    manifest = Manifest("flights", tuple(sorted(sources)))
    assert Manifest.from_json(manifest.to_json()) == manifest


@given(SOURCES, st.integers())
def test_the_batch_is_the_same_for_the_same_list_in_any_order(
    sources: list[SourceVersion], seed: int
) -> None:
    shuffled = list(sources)
    random.Random(seed).shuffle(shuffled)
    assert Manifest("flights", tuple(shuffled)).batch == Manifest("flights", tuple(sources)).batch


@given(SOURCES)
def test_another_version_dataset_or_source_is_another_batch(sources: list[SourceVersion]) -> None:
    first = sources[0]
    others = [
        Manifest("weather", tuple(sources)),
        Manifest("flights", (SourceVersion(first.source, first.version + "x", first.size), *sources[1:])),
        Manifest("flights", (SourceVersion(first.source + "x", first.version, first.size), *sources[1:])),
    ]
    assert Manifest("flights", tuple(sources)).batch not in {other.batch for other in others}


def test_the_dataset_is_the_folder_below_landing() -> None:
    assert dataset_of("landing/flights/2013/01.csv") == "flights"
    assert dataset_of("landing/flights") == ""
    assert dataset_of("landed/flights/01.csv") == ""
    assert dataset_of("landing//01.csv") == ""
