"""Applying a version of the handbook: checked against those before it, and on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policy import handbook, texts
from policy.reasons import Refusal
from programme import handbooks, public_holidays
from store import audit, locks
from store.handbook import reference
from store.ledger import recalls
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.handbook import Handbook
    from programme.moment import Moment


def apply(moment: Moment, body: str, *, actor: str, alone: str = "") -> Handbook:
    """Add a version; applying the same text again changes nothing.

    Refused as `checked` refuses. The company's handbook is changed by `proposals`; `alone` says why one person was
    enough where a person applies it by themselves.
    """
    locks.hold(moment.session, Lock.HANDBOOKS)
    new = checked(moment, body)
    if reference.handbook_body(moment.session, new.version) == body:
        return new
    known = reference.handbook_bodies(moment.session)
    reference.add_handbook(
        moment.session,
        version=new.version,
        effective_from=new.effective_from,
        body=body,
        applied_by=actor,
        now=moment.now,
    )
    reference.upsert_services(moment.session, new.services)
    moment.forget_handbooks()
    # Its caps may be others, and gateways decide by those that they were told of.
    recalls.of_everyone(moment.session, now=moment.now)
    after = {"version": new.version, "effective_from": new.effective_from.isoformat()}
    audit.note(
        moment.session,
        actor,
        "handbook.apply",
        new.version,
        at=moment.now,
        before={"version": handbooks.parsed(known[-1]).version} if known else None,
        after=after | ({"alone": alone} if alone else {}),
        handbook_version=new.version,
    )
    return new


def checked(moment: Moment, body: str) -> Handbook:
    """The handbook of a text that could be applied, or is.

    Refused: a text that is not a valid handbook, a version number whose text was another, and a date that lies
    before the version in force.
    """
    try:
        new = handbook.parse(body)
    except handbook.HandbookError as error:
        raise Refusal("handbook_invalid", f"The handbook has mistakes:\n{error}", next_step="Correct them.") from error
    if reference.handbook_body(moment.session, new.version) != body:
        if unfit := "\n".join((*_unfit(handbook.document(body)), *public_holidays.problems(new.messages))):
            raise Refusal("handbook_invalid", f"The handbook has mistakes:\n{unfit}", next_step="Correct them.")
        _require_next(new, [handbooks.parsed(text) for text in reference.handbook_bodies(moment.session)])
    return new


def _unfit(part: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any part of a TOML document
    """Texts that could not be stored or shown. Asked of new handbooks alone: what is applied has to be readable."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from _unfit(value, f"{path}.{key}" if path else key)
    elif isinstance(part, list):
        for number, value in enumerate(part, start=1):
            yield from _unfit(value, f"{path}[{number}]")
    elif isinstance(part, str):
        longest = texts.LONGEST_KEY if path.endswith(".key") else texts.LONGEST_NAME
        if expected := texts.unfit(part, longest):
            yield f"{path} = {texts.quoted(part)}: expected {expected}"


def _require_next(new: Handbook, known: list[Handbook]) -> None:
    if new.version in {old.version for old in known}:
        raise Refusal(
            "handbook_version_taken",
            f"Version {new.version!r} was already applied with a different text.",
            next_step="Give the changed handbook a new `version`.",
        )
    if known and new.effective_from < known[-1].effective_from:
        raise Refusal(
            "handbook_backdated",
            f"effective_from = {new.effective_from} is before that of version {known[-1].version!r}.",
            next_step="Choose a later date, because what was decided under a version stays decided.",
        )


def ensure_first(moment: Moment) -> None:
    """Apply the packaged handbook to a ledger that has none."""
    if not reference.handbook_bodies(moment.session):
        apply(moment, handbook.packaged(), actor=handbooks.SYSTEM)
