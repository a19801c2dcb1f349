"""Trigger ids: what a person did lets the app open one modal for them, for as long as it has for an answer."""

import itertools
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(seconds=3)
"""The platform's, and no less where an app has less for an answer."""


class TriggerRefused(Exception):  # noqa: N818 - the platform's word for it is its code
    """The argument is the platform's error code."""


@dataclass(kw_only=True)
class Trigger:
    """`view` is the modal that the person acted in, if they did."""

    user: str
    issued_at: datetime
    view: str = ""
    exchanged: bool = False


class Triggers:
    def __init__(self, *, deadline: float = 0) -> None:
        self._lifetime = max(LIFETIME, timedelta(seconds=deadline))
        self._lock = threading.Lock()
        self._issued: dict[str, Trigger] = {}
        self._numbers = itertools.count(1)

    def issue(self, team: str, trigger: Trigger) -> str:
        name = f"{next(self._numbers)}.{team}.{secrets.token_hex(16)}"
        with self._lock:
            self._issued[name] = trigger
        return name

    def look_up(self, name: str, *, now: datetime) -> Trigger:
        """One that can still be exchanged. Calls of the Web API come one after the other, so no other comes between."""
        with self._lock:
            trigger = self._issued.get(name)
        if trigger is None:
            raise TriggerRefused("invalid_trigger_id")
        if trigger.exchanged:
            raise TriggerRefused("exchanged_trigger_id")
        if now - trigger.issued_at > self._lifetime:
            raise TriggerRefused("expired_trigger_id")
        return trigger
