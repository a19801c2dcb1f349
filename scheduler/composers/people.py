"""What people and administrators are told of Slack accounts, written from what holds when it goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.people import linking
from store.people import directory as people_store
from templates import render
from views import codec
from views.people import AccountNotice, PersonName

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


def compose_linked(app: App, view: object) -> Message | None:
    """To an account that it is linked, as long as it is."""
    notice, is_theirs = _notice(app, view)
    return render.message("people/linked", notice=notice) if is_theirs else None


def compose_moved(app: App, view: object) -> Message | None:
    """To the account of before that another one took its place, as long as it has."""
    notice, is_theirs = _notice(app, view)
    return render.message("people/moved", notice=notice) if is_theirs else None


def compose_other_account(app: App, view: object) -> Message | None:
    """To the account on record that another one has its e-mail; nothing where that was settled meanwhile."""
    notice, is_theirs = _notice(app, view)
    return None if is_theirs else render.message("people/other_account", notice=notice)


def compose_relink_wanted(app: App, view: object) -> Message | None:
    """The same to an administrator, with what they can do."""
    notice, is_theirs = _notice(app, view)
    return None if is_theirs else render.message("people/relink_wanted", notice=notice)


def _notice(app: App, view: object) -> tuple[AccountNotice, bool]:
    """What a row is about, and whether the account is the person's by now."""
    named = codec.read(dict[str, str], view)
    with app.reading() as moment:
        person = people_store.by_id(moment.session, named["person_id"])
        former = people_store.former_account(moment.session, named["person_id"])
        contact = moment.recent_handbooks.versions[-1].contact
    assert person is not None  # noqa: S101 - people are never removed
    account = named["account"]
    notice = AccountNotice(
        person.name,
        person.email,
        PersonName("another account", account),
        PersonName("no account", person.slack_user_id or former),
        linking.command(person.email, account),
        contact,
    )
    return notice, person.slack_user_id == account
