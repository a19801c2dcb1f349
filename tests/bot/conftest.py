"""No proxies, and no `.env` of whoever runs the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import slack

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _on_our_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slack.without_proxies(monkeypatch)
    monkeypatch.chdir(tmp_path)
