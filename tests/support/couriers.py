"""Messages owed and delivered in tests of the courier: what they say is what their view says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from programme import notify
from scheduler import courier, fallbacks
from scheduler.messages import Composed, UnknownTemplateError
from store.outbox.messages import OwedMessage
from store.tables.outbox import outbox
from templates.charts import Picture
from templates.documents import Document
from templates.render import Message
from tests.sandbox.pictures import chart
from tests.support import cast

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from programme.app import App
    from programme.moment import Moment
    from sandbox import Message as Posted
    from sandbox import Sandbox
    from scheduler.delivered import Delivered


def say(template: str, view: Any) -> Composed:  # noqa: ANN401 - any JSON
    """A message that says what its view says; with a picture, or as a document, where the view asks for one."""
    if template == "unknown":
        raise UnknownTemplateError(template)
    block = {"type": "section", "text": {"type": "mrkdwn", "text": view["text"]}}
    picture = Picture(chart(80, 40), "A chart", "chart.png") if view.get("picture") else None
    document = Document("page.html", "A page", b"<p>Hello</p>") if view.get("document") else None
    return Composed(Message(view["text"].strip(), [block]), picture, document)


def owe(app: App, *emails: str, channel: str | None = None, template: str = "note", **view: object) -> None:
    """Owe a message to each person, or to a channel."""
    now = app.clock()
    with app.transaction(now) as moment:
        book = moment.handbooks.versions[-1]
        letters = [
            (f"note:{email}", template, json.dumps({"text": f"Hello {email}"} | view), cast.person_id(app, email))
            for email in emails
        ]
        notify.to_people(moment, letters, book=book, earliest=now)
        if channel is not None:
            said = json.dumps({"text": "Hello all"} | view)
            notify.to_channel(moment, key=f"note:{channel}", template=template, view=said, channel=channel, book=book)


def deliver(app: App, client: WebClient, *, me: str = "courier", most: int = 100) -> Delivered:
    return courier.deliver(app, client, courier=me, compose=say, most=most)


def row(app: App, key: str) -> dict[str, Any]:
    with app.database.reading() as session:
        return dict(session.execute(sa.select(outbox).where(outbox.c.key == key)).mappings().one())


def parked(moment: Moment, key: str) -> None:
    """What follows when a message is set aside, as the courier does it."""
    row = moment.session.execute(sa.select(outbox).where(outbox.c.key == key)).mappings().one()
    known = {name: row[name] for name in OwedMessage._fields if name in row}
    fallbacks.after_parked(moment, OwedMessage(**known, slack_user_id=None, email=None, time_zone=None))


def dm(sandbox: Sandbox, user: str) -> tuple[Posted, ...]:
    return sandbox.messages(sandbox.dm(user), user)
