"""How a Slack account becomes a person's: at first contact by e-mail, later by an administrator alone."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, NamedTuple

from policy.reasons import Refusal
from programme import notify
from programme.people import directory, slack_accounts
from store import audit, locks
from store.locks import Lock
from store.outbox import messages
from store.outbox.messages import NewMessage
from store.people import directory as people_store

if TYPE_CHECKING:
    from programme.moment import Moment
    from programme.people.slack_accounts import SlackAccount
    from store.people.directory import Person

LINKED, OTHER_ACCOUNT, RELINK_WANTED, MOVED = (
    "people/linked",
    "people/other_account",
    "people/relink_wanted",
    "people/moved",
)
NEW_ACCOUNT = "new_account"


class Met(NamedTuple):
    """Who a Slack account is, or why nobody; `other` is the person whom we know by another account.

    `email` is the account's own.
    """

    person: Person | None = None
    refusal: Refusal | None = None
    other: Person | None = None
    email: str | None = None

    def required(self) -> Person:
        """The person, or the Refusal raised."""
        if self.person is None:
            assert self.refusal is not None  # noqa: S101 - one of them is there
            raise self.refusal
        return self.person


def meet(moment: Moment, account: SlackAccount) -> Met:
    """Who an account is, or could become by its e-mail (their record then names no account); changes nothing."""
    if known := people_store.by_slack_id(moment.session, account.id):
        return Met(known)
    contact = moment.recent_handbooks.versions[-1].contact
    if account.barred:
        return Met(refusal=barred(account, contact))
    person = people_store.by_email(moment.session, account.email) if account.email else None
    if person is None or (person.left_on is not None and person.left_on < moment.today):
        next_step = f"Please ask {contact} to add you."
        refusal = Refusal("unknown_person", "I don't know you yet.", next_step=next_step)
        return Met(refusal=refusal, email=account.email)
    # Another request of theirs may have linked them since the question above.
    if person.slack_user_id == account.id:
        return Met(person)
    if person.slack_user_id or people_store.former_account(moment.session, person.id):
        return Met(refusal=_new_account(moment, person, account), other=person)
    return Met(person)


def barred(account: SlackAccount, contact: str) -> Refusal:
    """Why an account has no part in the programme, to whoever uses it."""
    ask = f"If you belong to the company, please ask {contact}."
    text, next_step = {
        slack_accounts.OUTSIDER: (
            "The token programme is for the people of this workspace, and your Slack account is of another one.",
            ask,
        ),
        slack_accounts.BOT: ("The token programme is for people, and this account is a bot's.", ask),
        slack_accounts.DELETED: ("This Slack account is deactivated.", ask),
        slack_accounts.GUEST: (
            "Guests of the workspace have no part in the token programme.",
            f"If you belong to the company, please ask {contact} to add you by your Slack id, {account.id}.",
        ),
        slack_accounts.UNCONFIRMED: (
            "Your e-mail address is not confirmed in Slack, so I can't tell who you are.",
            "Confirm it in the account settings of Slack, then try again.",
        ),
    }[account.barred]
    return Refusal(account.barred, text, next_step=next_step)


def _new_account(moment: Moment, person: Person, account: SlackAccount) -> Refusal:
    contact = moment.recent_handbooks.versions[-1].contact
    told = f"They are told now; {contact} can help." if _admins(moment, person) else f"Please ask {contact}."
    return Refusal(
        NEW_ACCOUNT,
        f"I know {person.email} by another Slack account than this one, so I show nothing here yet.",
        next_step="Was your account made anew, or moved? Then an administrator runs "
        f"`{command(person.email, account.id)}`. {told}",
    )


def command(email: str, account: str) -> str:
    """What an administrator runs when an account is a person's new one."""
    return f"tokens-bot people relink {email} {account}"


def link(moment: Moment, account: SlackAccount, *, earlier_is_active: bool = True) -> Met:
    """The person of an account.

    The first account with their e-mail is linked, and told. Of a later one the administrators are told, and the account
    that was there before unless it is deactivated.
    """
    met = meet(moment, account)
    if met.person is not None and met.person.slack_user_id is None:
        return _first_link(moment, met.person, account)
    if met.other is not None:
        _warn(moment, met.other, account, earlier_is_active=earlier_is_active)
    return met


def _first_link(moment: Moment, person: Person, account: SlackAccount) -> Met:
    if not people_store.link_slack_user(moment.session, person_id=person.id, slack_user_id=account.id):
        # Another request of theirs, or of somebody else, came first.
        return meet(moment, account)
    after = {"slack_user_id": account.id}
    audit.note(moment.session, f"slack:{account.id}", "people.link", person.id, at=moment.now, after=after)
    _owe(moment, LINKED, f"linked:{person.id}:{account.id}", person.id, about=(person.id, account.id))
    # What the account was waited for in vain.
    messages.retry(moment.session, now=moment.now, key=notify.greeting_key(person.id))
    return Met(dataclasses.replace(person, slack_user_id=account.id))


def to_look_at(moment: Moment, account: SlackAccount) -> str | None:
    """The earlier account of whoever has an account's e-mail, until it was warned: that it is in use is to be seen."""
    other = meet(moment, account).other
    if other is None or messages.place_of(moment.session, _warning(other, account)) is not None:
        return None
    return other.slack_user_id


def _warning(person: Person, account: SlackAccount) -> str:
    return f"other_account:{person.id}:{account.id}"


def _warn(moment: Moment, person: Person, account: SlackAccount, *, earlier_is_active: bool) -> None:
    """Tell the administrators, and the account that is on record, of an account with somebody's e-mail, each once."""
    locks.hold(moment.session, Lock.AUDIT)
    letters = [
        (RELINK_WANTED, f"relink_wanted:{person.id}:{account.id}:{admin}", admin) for admin in _admins(moment, person)
    ]
    if person.slack_user_id and earlier_is_active:
        letters.append((OTHER_ACCOUNT, _warning(person, account), person.id))
    new = [letter for letter in letters if messages.place_of(moment.session, letter[1]) is None]
    for template, key, reader in new:
        _owe(moment, template, key, reader, about=(person.id, account.id))
    if new:
        after = {"slack_user_id": account.id}
        actor = f"slack:{account.id}"
        audit.note(moment.session, actor, "people.other_account", person.id, at=moment.now, after=after)


def _admins(moment: Moment, person: Person) -> list[str]:
    """Who can relink a person: nobody decides about their own accounts."""
    return [admin for admin in people_store.with_role(moment.session, "admin", moment.today) if admin != person.id]


def relink(
    moment: Moment, email: str, account: SlackAccount, *, actor: str, earlier_is_active: bool = True
) -> tuple[Person, str | None]:
    """Make an account a person's, as an administrator says: the person, and the account that was theirs before.

    Both accounts are told, the earlier one unless it is deactivated. Doing it again changes nothing.
    """
    person = directory.require(moment, email)
    if account.barred:
        raise Refusal(account.barred, f"{account.id} can be nobody's account: {WHY[account.barred]}.")
    if not account.is_known:
        raise Refusal("no_such_account", f"Slack knows of no account {account.id}.")
    owner = people_store.by_slack_id(moment.session, account.id)
    before = person.slack_user_id
    if owner is not None and owner.id != person.id:
        raise Refusal("slack_user_taken", f"{account.id} is the Slack account of {owner.name} ({owner.email}).")
    if owner is not None:
        return person, before
    _require_no_one_elses_email(moment, person, account)
    people_store.update(moment.session, person.id, {"slack_user_id": account.id})
    was, after = {"slack_user_id": before}, {"slack_user_id": account.id}
    audit.note(moment.session, actor, "people.relink", person.id, at=moment.now, before=was, after=after)
    key = f"{person.id}:{account.id}:{moment.now.isoformat()}"
    _owe(moment, LINKED, f"linked:{key}", person.id, about=(person.id, account.id))
    # What the account was waited for in vain.
    messages.retry(moment.session, now=moment.now, key=notify.greeting_key(person.id))
    if before and earlier_is_active:
        _owe(moment, MOVED, f"moved:{key}", None, about=(person.id, account.id), channel=before)
    return dataclasses.replace(person, slack_user_id=account.id), before


def _require_no_one_elses_email(moment: Moment, person: Person, account: SlackAccount) -> None:
    """Somebody who is here and never wrote to the bot would be shown another's wallet."""
    other = people_store.by_email(moment.session, account.email) if account.email else None
    if other is None or other.id == person.id or (other.left_on is not None and other.left_on < moment.today):
        return
    text = f"In Slack, {account.id} has the e-mail of {other.name} ({other.email})."
    merge = f"`tokens-bot people merge {other.email} {person.email}`"
    raise Refusal(
        "slack_email_taken", text, next_step=f"Name another account. If both records are one person's: {merge}."
    )


WHY = {
    slack_accounts.OUTSIDER: "it is of another workspace",
    slack_accounts.BOT: "it is a bot",
    slack_accounts.DELETED: "it is deactivated",
    slack_accounts.GUEST: "it is a guest's",
    slack_accounts.UNCONFIRMED: "its e-mail address is not confirmed",
}


def _owe(
    moment: Moment,
    template: str,
    key: str,
    person_id: str | None,
    *,
    about: tuple[str, str],
    channel: str | None = None,
) -> None:
    """Owe a message about a person and an account: it concerns somebody's wallet, so it does not wait for morning."""
    view = json.dumps({"person_id": about[0], "account": about[1]})
    letter = NewMessage(key, template, view, person_id, channel, moment.now, at_once=True)
    messages.owe(moment.session, [letter], now=moment.now)
