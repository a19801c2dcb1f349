"""A bot that is asked to end: whoever only waits is answered at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx

from bot import serving
from handlers.holds import leases
from programme.usage import keys
from tests.support import slack
from tests.support.books import WAIT_SECONDS

if TYPE_CHECKING:
    import pytest

    from programme.app import App

LONGEST_POLL = 30


def test_who_waits_for_a_change_holds_up_no_stop(sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway's long poll is answered when the bot is to end, and is not cut off once the time to drain is over."""
    monkeypatch.setattr(serving, "DRAIN_SECONDS", 60)
    looked, look = threading.Event(), leases._look

    def look_and_tell(*asked: Any) -> tuple[int, list[str]]:  # noqa: ANN401 - as it is asked
        looked.set()
        return look(*asked)

    monkeypatch.setattr(leases, "_look", look_and_tell)
    with sqlite_app.transaction() as moment:
        secret = keys.create(moment, name="gw", source="gw", scopes=["holds:write"], actor="test").secret
    loaded = slack.load({"TOKENS_DATABASE_URL": slack.NO_DATABASE, "TOKENS_HTTP_PORT": "0"})
    headers = {"Authorization": f"Bearer {secret}"}
    with ThreadPoolExecutor(1) as pool, httpx.Client(trust_env=False, timeout=40, headers=headers) as client:
        with serving.serving(loaded, sqlite_app, parts=["http"]) as address:
            polled = pool.submit(client.get, f"{address}/v1/allowances/changes?wait={LONGEST_POLL}")
            assert looked.wait(WAIT_SECONDS)
            asked_to_end = time.monotonic()
        assert time.monotonic() - asked_to_end < LONGEST_POLL / 2
        assert polled.result(5).json() == {"cursor": 0, "recalled": []}
