"""What the board asks about a request and is answered, and what the requester says came of an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import texts
from policy.reasons import Refusal
from programme.exceptions import notices
from programme.exceptions.request import held_case, locked, move, note, require_undecided
from store.exceptions import questions as questions_store

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.exceptions.questions import Question
    from store.exceptions.requests import Request
    from store.people.directory import Person


def ask(moment: Moment, asker: Person, request_id: str, text: str, *, key: str) -> Question:
    """Put a question of someone who may vote to the requester; the same form sent again is the same question."""
    case = held_case(moment, request_id, asker.id)
    request = case.request
    if (before := questions_store.by_key(moment.session, key)) is not None:
        return before
    require_undecided(moment, request)
    texts.require("question", text, 'Write a question, for example "Which release is it for?".')
    case.seat_for(asker.id)
    number = questions_store.ask(
        moment.session, key=key, request_id=request.id, asked_by=asker.id, question=text.strip(), now=moment.now
    )
    moved = move(moment, request)
    question = questions_store.get(moment.session, number)
    assert question is not None  # noqa: S101 - we have just kept it
    notices.ask(moment, moved, question)
    note(moment, moved, asker.id, "request.ask", question=number)
    return question


def answer(moment: Moment, person: Person, number: int, text: str) -> Question:
    """The requester's answer, back to the board; a Refusal when it is not theirs to give, or was given."""
    question = questions_store.get(moment.session, number)
    if question is None:
        raise Refusal("unknown_question", f"There is no question {number}.")
    request = locked(moment, question.request_id)
    if request.person_id != person.id:
        raise Refusal("not_yours", "Only the person who asked for the tokens can answer this.")
    texts.require("answer", text, 'Write an answer, for example "The release of Friday".')
    require_undecided(moment, request)
    if not questions_store.answer(moment.session, number, text.strip(), now=moment.now):
        raise Refusal("answered", "You have already answered this.", next_step="The board has your answer.")
    answered = questions_store.get(moment.session, number)
    assert answered is not None  # noqa: S101 - we have just answered it
    moved = move(moment, request)
    notices.answer(moment, moved, answered)
    note(moment, moved, person.id, "request.answer", question=number)
    return answered


OUTCOMES = {"delivered": "It achieved its purpose", "partly": "It achieved part of it", "nothing": "Nothing came of it"}


def tell_outcome(moment: Moment, person: Person, request_id: str, outcome: str, words: str) -> Request:
    """What the requester says came of an exception, kept for the quarterly review; they may say it anew."""
    request = locked(moment, request_id)
    if request.person_id != person.id:
        raise Refusal("not_yours", "Only the person who asked can say what came of it.")
    if request.granted is None or outcome not in OUTCOMES:
        raise Refusal("no_outcome", f"outcome = {outcome!r}: either nothing was granted, or there is no such answer.")
    note_text = texts.require("note", words, "") if texts.shows(words) else None
    moved = move(moment, request, outcome=outcome, outcome_note=note_text)
    notices.tell_of_outcome(moment, moved)
    note(moment, moved, person.id, "request.outcome", outcome=outcome)
    return moved
