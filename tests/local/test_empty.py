"""`make destroy` refuses before it touches anything."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from causeway.operate.account import AccountError
from causeway.settings import SETTINGS_FILE
from local import empty


def test_what_is_no_sandbox_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings, session = tmp_path / "settings.toml", Mock()
    settings.write_text(SETTINGS_FILE.read_text().replace("sandbox = true", "sandbox = false"))
    monkeypatch.setenv("CAUSEWAY_SETTINGS", str(settings))
    monkeypatch.setattr(empty, "session_of_company", lambda _settings: session)
    with pytest.raises(SystemExit, match=r"make destroy: settings\.toml says sandbox = false"):
        empty.main()
    assert not session.mock_calls


def test_credentials_of_another_account_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = Mock(side_effect=AccountError("the credentials are for account 222222222222"))
    monkeypatch.setattr(empty, "session_of_company", refuse)
    with pytest.raises(SystemExit, match="make destroy: the credentials are for account 222222222222"):
        empty.main()
