"""SageMaker AI's own image with scikit-learn, which lies in an account of AWS's for each region."""

from causeway.settings_errors import SettingsError

REPOSITORY, VERSION = "sagemaker-scikit-learn", "1.9-0-cpu-py3"
# "Docker Registry Paths and Example Code" in SageMaker AI's documentation.
ACCOUNTS = {
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-south-1": "720646828776",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ca-central-1": "341280168497",
    "eu-central-1": "492215442770",
    "eu-north-1": "662702820516",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}


def image_uri(region: str) -> str:
    """Raises SettingsError in a region whose account is not known here."""
    return f"{_account(region)}.dkr.ecr.{region}.amazonaws.com/{REPOSITORY}:{VERSION}"


def repository_arn(region: str) -> str:
    """Where the image lies. Raises SettingsError in a region whose account is not known here."""
    return f"arn:aws:ecr:{region}:{_account(region)}:repository/{REPOSITORY}"


def _account(region: str) -> str:
    if region not in ACCOUNTS:
        known = ", ".join(ACCOUNTS)
        raise SettingsError(
            f"partner.ml: no image is known for {region}; set enabled = false, or use one of {known}"
        )
    return ACCOUNTS[region]
