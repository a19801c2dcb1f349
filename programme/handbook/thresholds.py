"""A change of the review's thresholds, proposed from its pack: the last handbook's text with just those values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import tomlkit

from policy import handbook, texts
from policy.changes import differences
from policy.period import Month
from policy.reasons import FieldsRefused, Refusal
from programme.handbook import proposing
from programme.reviews import drafting, voting
from store import locks
from store.handbook import proposals as proposals_store
from store.handbook import reference
from store.locks import Lock
from views.handbook import Offered, Threshold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from policy.handbook import Handbook
    from policy.period import Quarter
    from programme.moment import Moment
    from store.people.directory import Person
    from views.handbook import Proposal

VERSION, FROM = "version", "effective_from"
QUARTERS_AHEAD = 4
PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?) ?%?", re.ASCII)
VERSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
FIELDS_OF = {
    "handbook_version_taken": VERSION,
    "handbook_applied": VERSION,
    "proposal_waits": VERSION,
    "handbook_past": FROM,
    "handbook_backdated": FROM,
    "month_granted": FROM,
}
"""What a proposal is refused for, by the field in which it is mended."""


THRESHOLDS = (
    Threshold("adjustment.use.low_enter", "LOW below", 999),
    Threshold("adjustment.use.low_leave", "No longer LOW above", 999),
    Threshold("adjustment.use.high_enter", "HIGH above", 999),
    Threshold("adjustment.use.high_leave", "No longer HIGH below", 999),
    Threshold("adjustment.change.per_score", "Change for each point of the score", 100),
    Threshold("adjustment.change.low", "Cut for LOW", 100),
    Threshold("adjustment.change.high", "Raise for HIGH", 100),
)
SHARE = Threshold("sizing.share_of_compensation", "Share of compensation", 100)
"""Not in the form: a review proposes it, where the grants are too large for many."""


@dataclass(frozen=True, slots=True)
class ThresholdForm:
    """What someone wrote: the version that they read, and texts by field."""

    base: str
    fields: Mapping[str, str]


def offered(moment: Moment, by: Person, quarter: Quarter) -> Offered:
    """The form for a member of a review's panel; a Refusal for everyone else."""
    _require_on_panel(moment, by, quarter)
    last = moment.handbooks.versions[-1]
    days = tuple(_days(last, moment.today))
    document = _document(moment, last)
    percents = {one.key: percent(_value(document, one.key)) for one in THRESHOLDS}
    use = last.adjustment.use
    version = _free_version(moment, days[0])
    return Offered(last.version, percents, days, version, use.low_quarters, is_relative=use.is_relative)


def propose(moment: Moment, by: Person, quarter: Quarter, asked: ThresholdForm) -> Proposal:
    """Put the change before the board as a handbook; FieldsRefused names what cannot be so, a Refusal who may not."""
    locks.hold(moment.session, Lock.HANDBOOKS)
    _require_on_panel(moment, by, quarter)
    last = moment.handbooks.versions[-1]
    if asked.base != last.version:
        raise Refusal(
            "handbook_moved",
            f"The handbook has changed since this form was opened; the latest is {last.version!r}.",
            next_step="Open the form again; it begins with that version's values.",
        )
    document = _document(moment, last)
    wanted = _wanted(asked.fields, document)
    version, effective_from = _version(asked.fields), _day(asked.fields, last, moment.today)
    old = reference.handbook_body(moment.session, last.version) or ""
    body = edited(old, wanted, version=version, effective_from=effective_from)
    _require_valid(body)
    # Auditors and leavers are refused as on the command line.
    proposer = proposing.proposer(moment, by.email, "")
    try:
        return proposing.propose(moment, body, proposer, actor=by.id)
    except Refusal as refusal:
        if refusal.code in FIELDS_OF:
            raise FieldsRefused({FIELDS_OF[refusal.code]: refusal.text}) from refusal
        raise


def propose_share(moment: Moment, by: Person, quarter: Quarter) -> Proposal:
    """Put the share of compensation that a review proposes before the board, once, from the next quarter on.

    A Refusal for whoever is not on the panel, where it proposes none, and where the handbook has one as small.
    """
    locks.hold(moment.session, Lock.HANDBOOKS)
    _require_on_panel(moment, by, quarter)
    last = moment.handbooks.versions[-1]
    resize = drafting.summary(moment, quarter).figures.resize
    if resize is None or resize.proposed >= last.sizing.share_of_compensation:
        raise Refusal(
            "no_share",
            f"There is nothing left to propose: the handbook's share of compensation is"
            f" {percent(last.sizing.share_of_compensation)} %.",
        )
    body, day = reference.handbook_body(moment.session, last.version) or "", next(_days(last, moment.today))
    change = {SHARE.key: resize.proposed}
    new = edited(body, change, version=_free_version(moment, day), effective_from=day)
    for waiting in proposals_store.all_open(moment.session):
        if differences(body, waiting.body) == differences(body, new):
            return waiting
    return proposing.propose(moment, new, proposing.proposer(moment, by.email, ""), actor=by.id)


def _require_on_panel(moment: Moment, by: Person, quarter: Quarter) -> None:
    panel = voting.panel_of(moment, drafting.require(moment, quarter).quarter)
    if by.id not in {seat.person_id for seat in panel.electorate.voting(panel.stage)}:
        raise Refusal(
            "not_on_panel",
            f"Only members who decide the review of {quarter} can propose thresholds from it.",
            next_step="Any change to the handbook can be proposed with `tokens-bot handbook propose FILE`.",
        )


# --- What the form begins with -------------------------------------------------------------------------------------


def _document(moment: Moment, book: Handbook) -> dict[str, Any]:
    return handbook.document(reference.handbook_body(moment.session, book.version) or "")


def _value(document: Mapping[str, Any], key: str) -> Decimal:
    found: Any = document
    for name in key.split("."):
        found = found[name]
    return Decimal(found)


def percent(share: Decimal) -> str:
    """A share as per cent with every digit that it has: `40`, `12.5`."""
    return f"{(share * 100).normalize():f}"


def _days(last: Handbook, today: date) -> Iterator[date]:
    """The first days of the next quarters that do not come before the last version."""
    quarter = Month.containing(max(today, last.effective_from)).quarter
    starts = (quarter.first_month.plus(3 * ahead).first_day for ahead in count())
    return islice((day for day in starts if day > today and day >= last.effective_from), QUARTERS_AHEAD)


def _free_version(moment: Moment, day: date) -> str:
    taken = {book.version for book in moment.handbooks.versions}
    taken |= {one.version for one in proposals_store.all_open(moment.session)}
    return next(name for number in count(1) if (name := f"{day.year}.{number}") not in taken)


# --- What was written ----------------------------------------------------------------------------------------------


def _wanted(fields: Mapping[str, str], document: Mapping[str, Any]) -> dict[str, Decimal]:
    """The shares that differ from those of the last version."""
    read: dict[str, Decimal] = {}
    problems: dict[str, str] = {}
    for one in THRESHOLDS:
        text = texts.plain(fields.get(one.key, ""))
        if (matched := PERCENT.fullmatch(text)) is None or Decimal(matched[1]) > one.most:
            now = percent(_value(document, one.key))
            problems[one.key] = (
                f"{texts.quoted(text)} does not fit. Write a percentage up to {one.most}, such as {now}."
            )
        else:
            read[one.key] = Decimal(matched[1]) / 100
    if problems:
        raise FieldsRefused(problems)
    changed = {key: share for key, share in read.items() if share != _value(document, key)}
    if not changed:
        raise FieldsRefused({THRESHOLDS[0].key: "Every value is that of the latest version. Change at least one."})
    return changed


def _version(fields: Mapping[str, str]) -> str:
    text = fields.get(VERSION, "").strip()
    if VERSION_NAME.fullmatch(text) is None:
        example = "at most 40 letters, digits, dots, dashes and underscores, for example 2027.1"
        raise FieldsRefused({VERSION: f"{texts.quoted(text)} does not fit. Write {example}."})
    return text


def _day(fields: Mapping[str, str], last: Handbook, today: date) -> date:
    text = fields.get(FROM, "")
    found = [day for day in _days(last, today) if day.isoformat() == text]
    if not found:
        raise FieldsRefused(
            {FROM: f"{texts.quoted(text)} does not fit. Choose the first day of one of the quarters in the list."}
        )
    return found[0]


def _require_valid(body: str) -> None:
    """What contradicts each other, beside its field and in its words."""
    try:
        handbook.parse(body)
    except handbook.HandbookError as error:
        raise FieldsRefused(dict(map(_problem, error.problems))) from error


def _problem(problem: str) -> tuple[str, str]:
    """(field, what is wrong) of `key = value: what`, in which keys have the form's names."""
    key, _, rest = problem.partition(" = ")
    value, _, what = rest.partition(": ")
    what = re.sub(r"^above ", "has to be at most ", what)
    for one in THRESHOLDS:
        what = what.replace(one.key, f'"{one.name}"')
    try:
        return key, f"{percent(Decimal(value))} %: {what}"
    except ArithmeticError:
        return key, problem


# --- The new text --------------------------------------------------------------------------------------------------


def edited(old: str, values: Mapping[str, Decimal], *, version: str, effective_from: date) -> str:
    """A handbook's text with other values, its remarks and layout as they were; a Refusal if more would change."""
    document = tomlkit.parse(old)
    for table_name in sorted({key.partition(".")[0] for key in values} - set(document)):
        # A handbook of before the table: what it leaves out is as packaged, and has to be written to be changed.
        document[table_name] = tomlkit.parse(handbook.packaged())[table_name]
    document[VERSION], document[FROM] = version, effective_from
    for key, share in values.items():
        *tables, name = key.split(".")
        table: Any = document
        for one in tables:
            table = table[one]
        table[name] = tomlkit.value(f"{share:f}")
    new = tomlkit.dumps(document)
    _require_only(old, new, values)
    return new


def _require_only(old: str, new: str, keys: Iterable[str]) -> None:
    if {one.key for one in differences(old, new)} != set(keys):
        raise Refusal(
            "not_edited",
            "The handbook's text is laid out in a way that these values can't be changed on their own.",
            next_step="Propose the whole text with `tokens-bot handbook propose FILE`.",
        )
