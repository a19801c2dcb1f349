"""(e) Statements rendered and owed over bare `json.dumps` of their blocks; (f) what a courier sends in a second."""

from __future__ import annotations

import dataclasses
import gc
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmarks import monthly as company
from programme.grants import monthly
from sandbox import Sandbox, Workspace
from scheduler import courier, slack_delivery
from scheduler import messages as messages_scheduler
from store.outbox import messages as store
from store.people import directory as people_store
from store.tables.outbox import outbox
from store.tables.people import people

if TYPE_CHECKING:
    from store.engine import Session

SENT = 300


def statements(kind: str, count: int) -> tuple[float, float]:
    """(seconds to owe and render so many statements, seconds of `json.dumps` of the same blocks)."""
    with company.company(kind, count) as app:
        with app.transaction(company.NOW) as moment:
            monthly.run(moment, company.MONTH)
        with app.database.reading() as session:
            views = [(row.template, row.view) for row in session.execute(sa.select(outbox.c.template, outbox.c.view))]
        assert len(views) == count
        with app.database.transaction() as session:
            rows = _letters(session, views)
            gc.collect()
            begin = time.perf_counter()
            messages = [composed.message for one in views if (composed := messages_scheduler.compose(*one, app=app))]
            store.owe(session, rows, now=company.NOW)
            ours = time.perf_counter() - begin
    begin = time.perf_counter()
    texts = [json.dumps({"text": message.text, "blocks": message.blocks}) for message in messages]
    floor = time.perf_counter() - begin
    assert all("tokens for December 2026" in text for text in texts)
    return ours, floor


def _letters(session: Session, views: list[tuple[str, Any]]) -> list[store.NewMessage]:
    ids = session.execute(sa.select(people.c.id)).scalars().all()
    return [
        store.NewMessage(f"again:{id_}", template, json.dumps(view), id_, None, company.NOW)
        for id_, (template, view) in zip(ids, views, strict=True)
    ]


def _link_everyone(session: Session) -> None:
    """Nobody is told that they are known from now on, so a person gets one message."""
    for i in range(SENT):
        person = people_store.by_email(session, f"person{i}@bench.example")
        assert person is not None
        people_store.link_slack_user(session, person_id=person.id, slack_user_id=f"U{i:05}")


def throughput(kind: str) -> tuple[float, float]:
    """(messages a second by a courier that nothing holds back, those of bare posts to the same workspace)."""
    plan = {
        "app": {"scopes": ["chat:write", "users:read.email"]},
        "members": [{"id": f"U{i:05}", "name": f"p{i}", "email": f"person{i}@bench.example"} for i in range(SENT)],
    }
    morning = company.NOW + timedelta(hours=15)
    with company.company(kind, SENT) as prepared, Sandbox(Workspace.from_dict(plan)) as sandbox:
        app = dataclasses.replace(prepared, clock=lambda: morning)
        with app.transaction(morning) as moment:
            moment.session.execute(sa.update(people).values(time_zone="Europe/London"))
            _link_everyone(moment.session)
            monthly.run(moment, company.MONTH)
        slack = slack_delivery.client(sandbox.workspace.app.bot_token, sandbox.api_url)
        begin = time.perf_counter()
        sent = 0
        while done := courier.deliver(app, slack, courier="bench", most=50).sent:
            sent += done
        ours = time.perf_counter() - begin
        assert sent == SENT
        begin = time.perf_counter()
        for i in range(SENT):
            slack.chat_postMessage(channel=f"U{i:05}", text="bare")
        floor = time.perf_counter() - begin
    return SENT / ours, SENT / floor
