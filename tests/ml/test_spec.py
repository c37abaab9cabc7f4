"""A mistake in a model's specification is one line: the file, the key, what was found."""

from importlib.resources import files

import pytest

from ml.spec import SpecError, load_spec, model_names, read_spec

SPAM = (files("models") / "spam.toml").read_text()


def message(name: str, text: str) -> str:
    with pytest.raises(SpecError) as error:
        read_spec(name, text)
    return str(error.value)


def test_every_model_that_is_committed_loads() -> None:
    specs = {name: load_spec(name) for name in model_names()}
    assert {name: (spec.name, spec.dataset) for name, spec in specs.items()} == {
        "late": ("late", "flights"),
        "spam": ("spam", "mail"),
    }


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('time = "received"', 'time = "received"\ncolour = 1', "colour: Extra inputs are not permitted, "),
        ('time = "received"', "", "time: Field required"),
        ("sufficient = 0.995", 'sufficient = "much"', "sufficient: Input should be a valid number, "),
        ("chosen = 0.95", "chosen = 95", "precision.chosen: Input should be less than 1, found 95"),
        ("new_rows = 500", "new_rows = 0.5", "retrain.new_rows: Input should be a valid integer, found 0.5"),
        ('key = ["id"]', "key = []", "key: List should have at least 1 item"),
        ("structure = 0.05", "structure = 10.0", "slices.structure: Input should be less than or"),
        ('equals = "spam"', 'equals = "spam", above = 1', "label: Value error, label: say either"),
        ('take = "length"', 'take = "size"', "tiers.0.features.0.take: Input should be 'number', 'length'"),
        ('pattern = "!"', 'pattern = "("', "tiers.1.features.2.pattern: Value error, no regular expression"),
        (', pattern = "!"', "", "tiers.1.features.2: Value error, exclamation marks: a pattern"),
        ('values = ["html", "multipart"]', "values = []", "tiers.1.features.10: Value error, structure: "),
        ("[precision]", "[precision", "not TOML: "),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_file_and_key(before: str, after: str, told: str) -> None:
    assert before in SPAM
    found = message("spam", SPAM.replace(before, after, 1))
    assert found.startswith(f"models/spam.toml: {told}")
    assert "\n" not in found


def test_each_mistake_has_a_line() -> None:
    wrong = SPAM.replace("chosen = 0.95", "chosen = 95").replace('time = "received"', "time = 1")
    lines = message("spam", wrong).split("\n")
    assert [line.split(": ")[1] for line in lines] == ["time", "precision.chosen"]


def test_a_models_name_is_that_of_its_file() -> None:
    assert message("spam", 'name = "ham"\n' + SPAM) == "models/spam.toml: name: it is the file's, found 'ham'"


def test_a_name_that_would_not_fit_into_a_jobs_name_is_refused() -> None:
    assert read_spec("a" * 20, SPAM).name == "a" * 20
    assert "up to 20" in message("a" * 21, SPAM)


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(SpecError, match="no model 'spma'; did you mean 'spam'"):
        load_spec("spma")
    with pytest.raises(SpecError, match=r"no model 'x'; models: \['late', 'spam'\]"):
        load_spec("x")


def test_a_column_that_is_not_there_names_the_nearest() -> None:
    spec = load_spec("spam")
    spec.check_columns(spec.columns())
    renamed = ["subjects" if column == "subject" else column for column in spec.columns()]
    with pytest.raises(SpecError, match="mail has no column 'subject'; did you mean 'subjects'"):
        spec.check_columns(renamed)


@pytest.mark.parametrize("column", ["id", "received", "label", "subject", "body", "structure", "collection"])
def test_a_model_needs_every_column_that_it_names(column: str) -> None:
    assert column in load_spec("spam").columns()
