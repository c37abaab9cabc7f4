"""The settings file: what is wrong is said in a line that names key, value and what is allowed."""

import re
from pathlib import Path

import pytest

from causeway.settings import SETTINGS_FILE, load_settings
from causeway.settings_errors import SettingsError


def changed(tmp_path: Path, pattern: str, replacement: str) -> Path:
    text, replaced = re.subn(pattern, replacement, SETTINGS_FILE.read_text())
    assert replaced == 1
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return path


def test_the_committed_settings_are_valid() -> None:
    assert load_settings(SETTINGS_FILE).project == "causeway"


@pytest.mark.parametrize(
    ("pattern", "replacement", "said"),
    [
        (
            r"workers = 2",
            "workers = 1",
            "limits.workers: found 1; Input should be greater than or equal to 2",
        ),
        (r"workers = 2", 'workers = "2"', "limits.workers: found '2'; Input should be a valid integer"),
        (
            r'worker_type = "G.1X"',
            'worker_type = "G.3X"',
            "limits.worker_type: found 'G.3X'; Input should be 'G.1X'",
        ),
        (
            r"(?m)^batch_window_seconds = 60$",
            "batch_window_seconds = 301",
            "limits.batch_window_seconds: found 301",
        ),
        (r'account = "111111111111"', 'account = "1111"', "company.account: found '1111'"),
        (r'account = "111111111111"', "account = 111111111111", "company.account: found 111111111111"),
        (r"sandbox = true", 'sandbox = "yes"', "sandbox: found 'yes'; Input should be a valid boolean"),
        (
            r'vectors = "postgres"',
            'vectors = "pgvector"',
            "store.vectors: found 'pgvector'; Input should be 'postgres' or 's3'",
        ),
        (
            r"programmatic = true([\s\S]*)partner_reads = false",
            r"programmatic = false\1partner_reads = true",
            "store.partner_reads: found true, and partner.programmatic false; set that to true as well",
        ),
        (r"workers = 2", "wrokers = 2", "limits.wrokers: unknown key"),
        (r"(?m)^workers = 2$", "", "limits.workers: missing; add it"),
        (r'region = "us-east-1"', 'region = "mars"', "company.region: found 'mars'"),
        (r"enabled = true", "enabled = 1", "partner.ml.enabled: found 1; Input should be a valid boolean"),
        (r'bus = "causeway-news"', 'bus = "aws/news"', "partner.ml.bus: found 'aws/news'"),
        (r'bus = "causeway-news"', "", "partner.ml.bus: missing; add it"),
        (r"workers = 2", "wrokers = 2", "limits.wrokers: unknown key; did you mean workers?"),
        (r'role = "causeway-training"', 'rol = "x"', "partner.ml.rol: unknown key; did you mean role?"),
        (r'region = "us-east-1"', 'region = "us-east-9"', "company.region: found 'us-east-9'; no region"),
        (
            r'programmatic_roles = \["causeway-reader"\]',
            'programmatic_roles = ["arn:aws:iam::222222222222:role/causeway-reader"]',
            "partner.programmatic_roles.0: found 'arn:aws:iam::222222222222:role/causeway-reader'; "
            "a role's name is",
        ),
        (
            r"\[alerts\]\nemails = \[\]",
            '[alerts]\nemails = ["a@example.com", "b@example"]',
            "alerts.emails.1: found 'b@example'; an address is name@domain, such as data@example.com",
        ),
        (
            r"\nemails = \[\]\n\n# Who gets",
            '\nemails = ["Data <a@example.com>"]\n\n#',
            "partner.ml.emails.0: found 'Data <a@example.com>'; an address is name@domain",
        ),
        (r"\[alerts\]\nemails = \[\]", "", "alerts: missing; add it"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_is_allowed(
    tmp_path: Path, pattern: str, replacement: str, said: str
) -> None:
    path = changed(tmp_path, pattern, replacement)
    with pytest.raises(SettingsError) as error:
        load_settings(path)
    assert any(line.startswith(f"{path}: {said}") for line in str(error.value).splitlines())


@pytest.mark.parametrize("address", ["a@example.com", "a.b+c_d-e@x-1.example.co.uk", "O'Hara@EXAMPLE.ORG"])
def test_an_address_is_taken(tmp_path: Path, address: str) -> None:
    path = changed(tmp_path, r"\[alerts\]\nemails = \[\]", f'[alerts]\nemails = ["{address}"]')
    assert load_settings(path).alerts.emails == [address]


@pytest.mark.parametrize(
    "address", ["", "a", "@example.com", "a@", "a@example", "a b@example.com", "a@b@example.com", "a@x..com"]
)
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    path = changed(tmp_path, r"\[alerts\]\nemails = \[\]", f'[alerts]\nemails = ["{address}"]')
    with pytest.raises(SettingsError, match=r"alerts\.emails\.0: found .*an address is name@domain"):
        load_settings(path)


@pytest.mark.parametrize(
    ("pattern", "replacement", "advice"),
    [
        (r'region = "us-east-1"', 'region = "us-east1"', "did you mean us-east-1?"),
        (r'region = "us-east-1"', 'region = "eu-mars-1"', "pin a newer boto3 in requirements.in"),
        (r'account = "222222222222"', 'account = "111111111111"', "write the partner's own account"),
        (r"workers = 2", "wrokers = 2", "unknown key; did you mean workers?"),
        (r"sandbox = true", 'sandbox = "true"', "write true or false, without quotes"),
        (r'account = "111111111111"', "account = 111111111111", "write it in quotes"),
        (
            r'\["causeway-reader"\]',
            '["arn:aws:iam::222222222222:role/team/causeway-reader"]',
            "write 'team/causeway-reader'",
        ),
        (
            r'role = "causeway-training"',
            'role = "arn:aws:iam::222222222222:role/trains"',
            "write 'trains'",
        ),
        (
            r'\["user/causeway-analyst"\]',
            '["arn:aws:iam::222222222222:user/ann"]',
            "write 'user/ann'",
        ),
    ],
)
def test_a_wrong_value_is_one_line_that_says_what_to_write(
    tmp_path: Path, pattern: str, replacement: str, advice: str
) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(changed(tmp_path, pattern, replacement))
    (line,) = str(error.value).splitlines()
    assert advice in line


@pytest.mark.parametrize(
    ("text", "line", "advice"),
    [
        ("project = causeway", 1, 'text goes in quotes: write project = "causeway"'),
        ('project = "x"\nsandbox = True', 2, "write sandbox = true"),
        ("audit = no", 1, "write audit = false"),
        ("\nproject: causeway", 2, 'write key = value, as in region = "us-east-1"'),
        ("audit = true\naudit = false", 2, "the key or the section is there twice: remove one"),
        ("project = [", 1, "numbers, true and false bare"),
        ("[limits]\nworkers = 2 of 3", 2, "numbers, true and false bare"),
    ],
)
def test_a_file_that_is_not_toml_is_answered_with_the_line_and_what_to_write(
    tmp_path: Path, text: str, line: int, advice: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_settings(path)
    (told,) = str(error.value).splitlines()
    assert told.startswith(f"{path}: line {line}: {text.splitlines()[line - 1]!r} is not TOML")
    assert told.endswith(advice)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: no such settings file"):
        load_settings(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("datasets", "readable"),
    [(["*"], ["flights", "mail"]), (["mail"], ["mail"]), (["mail", "*"], ["flights", "mail"])],
)
def test_what_the_partner_may_read_is_named_or_all_there_is(datasets: list[str], readable: list[str]) -> None:
    partner = load_settings(SETTINGS_FILE).partner.model_copy(update={"datasets": datasets})
    assert partner.readable({"mail", "flights"}) == readable


def own_tags(tmp_path: Path, own: str) -> Path:
    return changed(tmp_path, r"# \[tags\.own\]\n# .*\n", f"[tags.own]\n{own}\n")


def test_every_tag_is_the_projects_name_the_required_ones_and_the_users_own(tmp_path: Path) -> None:
    path = own_tags(tmp_path, '"Équipe:x/y" = "données + 1 = 2_3-4.5@6"')
    assert load_settings(path).every_tag() == {
        "project": "causeway",
        "owner": "unassigned",
        "environment": "sandbox",
        "cost-centre": "unassigned",
        "data-classification": "confidential",
        "Équipe:x/y": "données + 1 = 2_3-4.5@6",
    }


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ('"aws:team" = "x"', "keys that begin with aws: are AWS's own; choose another"),
        ('"AWS:team" = "x"', "keys that begin with aws: are AWS's own; choose another"),
        ('"a,b" = "x"', "a tag's key is 1 to 128 of letters, digits, spaces and + - = . _ : / @"),
        ('"" = "x"', "a tag's key is 1 to 128"),
        (f'{"k" * 129} = "x"', "a tag's key is 1 to 128"),
        ('team = ""', "a tag's value is 1 to 256"),
        ('team = "x "', "no space at either end"),
        ('team = "a\\tb"', "a tag's value is 1 to 256"),
        ('team = "R&D"', "a tag's value is 1 to 256"),
        (f'team = "{"v" * 257}"', "a tag's value is 1 to 256"),
        ("team = 1", "Input should be a valid string: write it in quotes"),
        ('project = "x"', "project and project clash"),
        ('Cost-Centre = "x"', "cost-centre and Cost-Centre clash"),
        ('team = "x"\nTeam = "y"', "team and Team clash"),
        ("\n".join(f'k{n} = "x"' for n in range(46)), "51 tags in all, and AWS takes 50"),
    ],
)
def test_a_tag_that_aws_would_refuse_is_answered_with_what_it_takes(
    tmp_path: Path, own: str, said: str
) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(own_tags(tmp_path, own))
    (line,) = str(error.value).splitlines()
    assert ": tags" in line
    assert said in line


@pytest.mark.parametrize("key", ["owner", "environment", "cost_centre", "data_classification"])
def test_a_required_tag_is_required(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match=rf"tags\.{key}: missing; add it"):
        load_settings(changed(tmp_path, rf"(?m)^{key} = .*$", ""))


def test_as_many_tags_as_aws_takes_are_taken(tmp_path: Path) -> None:
    path = own_tags(tmp_path, "\n".join(f'{"k" * 126}{n} = "{"v" * 256}"' for n in range(10, 55)))
    assert len(load_settings(path).every_tag()) == 50
