"""Why a decision came out as it did, in a form that a message, a card and an audit row can share."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - reasons are kept, and read again by their annotations
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of a decision: a stable code for programs, a sentence for people, the figures behind it."""

    code: str
    text: str
    figures: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - a refusal is an expected answer, not an error of the program
    """An expected "no": a code, what is wrong in one sentence, and what to do next."""

    def __init__(self, code: str, text: str, *, next_step: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.next_step = next_step

    def __str__(self) -> str:
        # After a list of mistakes the next step begins a line of its own.
        return ("\n" if "\n" in self.text else " ").join(filter(None, (self.text, self.next_step)))


class FieldsRefused(Refusal):
    """A form with mistakes: `problems` says for each field what is wrong with it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("request_invalid", " ".join(problems.values()), next_step="Correct that, and send it again.")
        self.problems = dict(problems)
