"""Services that the emulator lacks, answered by moto in this process."""

import json
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from ministack.core import responses
from moto.core.botocore_stubber import BotocoreStubber

Answer = tuple[int, dict[str, str], bytes]


def ask(url: str, request: dict[str, Any], **headers: str) -> Answer:
    """What moto answers, for the account of the emulator's request."""
    sent = HTTPHeaders()
    for name, value in headers.items():
        sent[name.replace("_", "-")] = value
    sent["x-moto-account-id"] = responses.get_account_id()
    prepared = AWSPreparedRequest("POST", url, sent, json.dumps(request).encode(), stream_output=False)
    status, answered, body = cast(tuple[Any, ...], BotocoreStubber().process_request(prepared))
    told = {str(name): str(value) for name, value in answered.items()}
    return status, told, body.encode() if isinstance(body, str) else body
