"""A vendor's days: asked for outside of any transaction, and taken in within one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from programme.vendors import taking
from scheduler.vendors import anthropic, openai
from scheduler.vendors.client import Client
from store.vendors.lines import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import date

    from policy.vendors import Line, Vendor
    from programme.app import App
    from programme.moment import Moment
    from programme.vendors.taking import Taken
    from scheduler.vendors.client import Access


class Speech(NamedTuple):
    """How a vendor is spoken to."""

    url: str
    headers: Callable[[str], dict[str, str]]
    report: Callable[[Client, date, date], Iterator[Line]]


SPEECH: Mapping[Vendor, Speech] = {
    "openai": Speech(openai.URL, openai.headers, openai.report),
    "anthropic": Speech(anthropic.URL, anthropic.headers, anthropic.report),
}


def sync(
    app: App,
    access: Access,
    first: date,
    last: date,
    *,
    actor: str,
    within: Callable[[], AbstractContextManager[Moment]] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Taken:
    """Fetch some days, both included, and make them what stands; a Refusal keeps nothing."""
    with app.reading() as moment:
        taking.require_days(moment, first, last)
    lines = fetch(access, first, last, sleep=sleep)
    with (within or app.transaction)() as moment:
        return taking.take(moment, Window(access.vendor, first, last), lines, actor=actor)


def fetch(access: Access, first: date, last: date, *, sleep: Callable[[float], None] = time.sleep) -> list[Line]:
    """A vendor's report of some days, both included; a Refusal where it can't be had whole."""
    speech = SPEECH[access.vendor]
    return list(speech.report(Client(access, speech.headers(access.key), sleep=sleep), first, last))
