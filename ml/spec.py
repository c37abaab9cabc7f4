"""What a model is: models/<name>.toml, validated and typed."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

MODEL = re.compile(r"[a-z][a-z0-9-]{0,19}")  # it is a part of job names, which have 63 characters at most


class SpecError(ValueError):
    """A model's specification that cannot be used; the message has one line per wrong key."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return text


Share = Annotated[float, Field(gt=0, lt=1)]


class Label(_Section):
    """A row is positive when the column equals a text, or is above a number. Rows without a value go."""

    column: str
    equals: str | None = None
    above: float | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.equals is None) == (self.above is None):
            raise ValueError("label: say either what it equals or what it is above")
        return self


class Feature(_Section):
    """A number of a row, or of `one_of` as many as there are values. `least` and `most` clip it."""

    name: str
    of: str
    take: Literal["number", "length", "lines", "count", "share", "has", "one_of", "weekday"]
    pattern: Annotated[str, AfterValidator(_pattern)] = ""
    values: list[str] = []
    least: float | None = None
    most: float | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.take in ("count", "share", "has")) != bool(self.pattern):
            raise ValueError(f"{self.name}: a pattern goes with count, share and has, and only with them")
        if (self.take == "one_of") != bool(self.values):
            raise ValueError(f"{self.name}: values go with one_of, and only with it")
        return self

    @property
    def columns(self) -> list[str]:
        """The names of the numbers that it gives."""
        return [f"{self.name}: {value}" for value in self.values] or [self.name]


class Tier(_Section):
    """Features that join those of the tiers before; `words` are columns whose words count each by itself."""

    name: str
    features: list[Feature] = []
    words: list[str] = []


class Join(_Section):
    """Another dataset of the same time, whose columns a row gets where these are equal."""

    dataset: str
    on: Annotated[list[str], Field(min_length=1)]


class Precision(_Section):
    chosen: Share
    certified: Share
    expected_share: Share


class Retrain(_Section):
    on_commits: bool
    new_rows: Annotated[int, Field(ge=1)]
    drift: Annotated[float, Field(gt=0)]
    every_days: Annotated[int, Field(ge=1)]


class Card(_Section):
    """What its page says of a model to whoever may use it."""

    purpose: str
    limits: Annotated[list[str], Field(min_length=1)]


class Spec(_Section):
    name: str
    card: Card
    dataset: str
    key: Annotated[list[str], Field(min_length=1)]
    time: str
    label: Label
    repeats: list[str]
    sufficient: Share
    most_rows: Annotated[int, Field(ge=100)] | None = None
    precision: Precision
    retrain: Retrain
    slices: dict[str, Annotated[float, Field(gt=0, le=1)]]
    joins: list[Join] = []
    tiers: Annotated[list[Tier], Field(min_length=1)]

    def features(self, tier: int | None = None) -> list[Feature]:
        """The features of a tier and of those before it; without a tier, all."""
        return [feature for one in self._up_to(tier) for feature in one.features]

    def words(self, tier: int | None = None) -> list[str]:
        """The columns whose words count, likewise."""
        return [column for one in self._up_to(tier) for column in one.words]

    def _up_to(self, tier: int | None) -> list[Tier]:
        return self.tiers if tier is None else self.tiers[: tier + 1]

    def inputs(self) -> list[str]:
        """The columns that a row needs for its features."""
        return list(dict.fromkeys([feature.of for feature in self.features()] + self.words()))

    def columns(self) -> list[str]:
        """The columns of the dataset, and of those that are joined, that a training needs."""
        needed = [*self.key, self.time, self.label.column, *self.repeats, *self.slices, *self.inputs()]
        return list(dict.fromkeys(needed))

    def policy(self) -> dict[str, Any]:
        """What the workflow's functions decide by, which have no pydantic."""
        return {
            "tiers": [len(tier.features) for tier in self.tiers],
            "sufficient": self.sufficient,
            "new_rows": self.retrain.new_rows,
            "drift": self.retrain.drift,
            "certified": self.precision.certified,
            "limits": self.slices,
        }

    def check_columns(self, known: Iterable[str]) -> None:
        """Raises SpecError if a column that it names is not there; it names the nearest that is."""
        names = list(known)
        for column in self.columns():
            if column not in names:
                near = difflib.get_close_matches(column, names, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names)}"
                raise SpecError(f"models/{self.name}.toml: {self.dataset} has no column {column!r}; {hint}")


def model_names() -> Iterator[str]:
    """The models that there are: files of the folder `models`."""
    for file in sorted(files("models").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield file.name.removesuffix(".toml")


def load_spec(name: str) -> Spec:
    """Raises SpecError, naming the file, each wrong key, what was found and what is allowed."""
    names = list(model_names())
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        raise SpecError(
            f"no model {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"models: {names}")
        )
    return read_spec(name, (files("models") / f"{name}.toml").read_text())


def read_spec(name: str, text: str) -> Spec:
    """A specification from its text. Raises SpecError."""
    path = f"models/{name}.toml"
    if not MODEL.fullmatch(name):
        raise SpecError(f"{path}: a model's name has up to 20 of a-z, 0-9 and -, a letter first")
    try:
        content = tomllib.loads(text)
        if "name" in content:
            raise SpecError(f"{path}: name: it is the file's, found {content['name']!r}")
        return Spec.model_validate({"name": name, **content})
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        raise SpecError("\n".join(_line(path, problem) for problem in error.errors())) from None


def _line(path: str, problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    return f"{path}: {key}: {problem['msg']}" + (
        "" if isinstance(problem["input"], dict) else f", found {problem['input']!r}"
    )
