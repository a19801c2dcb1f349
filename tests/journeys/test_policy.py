"""A change of the handbook with the real bot in a workspace: proposed, refused to its proposer, confirmed, in force."""

from __future__ import annotations

import dataclasses
import json
from contextlib import nullcontext
from datetime import date
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import common, main
from tests.support import books, cast, proposed, slack
from tests.support.clock import RunningClock
from tests.support.proposed import ADMINS, states, text
from tests.support.requests import convene
from tests.support.seen import card, private, read, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from programme.app import App
    from sandbox import Sandbox
    from sandbox.model import Message

    Propose = Callable[..., str]


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock()


@pytest.fixture
def office(sqlite_app: App, clock: RunningClock) -> App:
    convened = convene(dataclasses.replace(sqlite_app, clock=clock))
    cast.hire(convened, ADMINS)
    return convened


@pytest.fixture
def propose(office: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Propose:
    """`tokens-bot handbook propose` at the app of the bot, and at its time."""
    monkeypatch.setattr(common, "app", lambda: nullcontext(office))

    def run(body: str, *options: str, code: int = 0) -> str:
        (tmp_path / "handbook.toml").write_text(body, "utf-8")
        result = CliRunner().invoke(main, ["handbook", "propose", str(tmp_path / "handbook.toml"), *options])
        assert result.exit_code == code, result.output
        return result.output

    return run


def policy(sandbox: Sandbox, user: str) -> Message:
    """The answer to `/tokens policy`."""
    answer = sandbox.command(user, slack.GENERAL, "/tokens policy")
    assert answer.error == "", answer
    assert answer.message is not None
    return answer.message


@pytest.mark.usefixtures("_bot")
def test_from_the_proposal_until_it_holds(sandbox: Sandbox, office: App, propose: Propose, clock: RunningClock) -> None:
    """Tess proposes and is refused; Iris confirms; everyone reads what comes, and from its day on that it holds."""
    printed = propose(text(), "--by", "tess@example.com")
    assert "Handbook 2026.9 from 2026-12-01 is proposed by Tess Novak" in printed
    assert "lots.months: 3 -> 4" in printed
    shown = card(sandbox, "Handbook 2026.9, proposed")
    assert '"lots.months"' in read(shown)
    mine = told(sandbox, slack.TESS, "You proposed handbook 2026.9")
    sandbox.press(slack.TESS, shown, "policy_confirm")
    private(sandbox, slack.TESS, "You proposed this, and a change to the handbook takes two people.")
    sandbox.press(slack.TESS, shown, "policy_decline")
    private(sandbox, slack.TESS, "You proposed this")
    assert sandbox.modal(slack.TESS) is None
    before = read(policy(sandbox, slack.BEN))
    assert "Handbook 2026.launch is in force" in before
    assert "*It lasts* 3 months, and at most a month's grant is carried over" in before
    assert "*Handbook 2026.9 from 1 Dec 2026*, proposed by Tess Novak" in before
    assert "lots.carry_over: 1.0 → 0.5" in before
    assert "policy_confirm" not in before

    sandbox.press(slack.IRIS, shown, "policy_confirm")
    private(sandbox, slack.IRIS, "*Confirmed.* Handbook 2026.9 applies from 1 Dec 2026.")
    assert card(sandbox, "*Confirmed* by Iris Tan").ts == shown.ts
    assert told(sandbox, slack.TESS, "*Your proposed handbook 2026.9:*").ts != mine.ts
    assert told(sandbox, slack.TESS, "*You proposed handbook 2026.9*").ts == mine.ts
    # The buttons of a screen that has not changed yet.
    sandbox.press(slack.OMAR, shown, "policy_confirm")
    private(sandbox, slack.OMAR, "This proposal was confirmed by Iris Tan, so your click changed nothing.")
    coming = read(policy(sandbox, slack.BEN))
    assert "Handbook 2026.launch is in force" in coming
    assert "Handbook 2026.9 comes into force on 1 Dec 2026" in coming
    assert "A grant lasts 4 months. At most half of the new month's grant" in coming
    assert "Proposed" not in coming

    clock.move(days=11)
    held = read(policy(sandbox, slack.BEN))
    assert "Handbook 2026.9 is in force" in held
    assert "*It lasts* 4 months, and at most half of a month's grant is carried over" in held
    assert "comes into force" not in held
    assert books.findings(office) == {}


@pytest.mark.usefixtures("_bot")
def test_declined_with_a_reason(sandbox: Sandbox, office: App, propose: Propose) -> None:
    """The reason is required, reaches who proposed it, and nothing holds."""
    propose(text(), "--by", "lena@example.com")
    shown = card(sandbox, "<@U0LENA> proposes")
    sandbox.press(slack.OMAR, shown, "policy_decline")
    sandbox.submit(slack.OMAR)
    form = sandbox.modal(slack.OMAR)
    assert form is not None
    assert "reason" in form.errors
    sandbox.fill(slack.OMAR, {"reason": "Three months & no more"})
    sandbox.submit(slack.OMAR)
    form = sandbox.modal(slack.OMAR)
    assert form is not None
    assert "*Declined.* Lena Vogt is told why." in json.dumps(form.blocks)
    assert "> Three months &amp; no more" in read(told(sandbox, slack.LENA, "*Your proposed handbook 2026.9:*"))
    card(sandbox, "*Declined* by Omar Haddad")
    assert states(office) == {"2026.9": "declined"}
    assert books.findings(office) == {}


@pytest.mark.usefixtures("_bot")
def test_everybody_who_may_not_is_told_why(sandbox: Sandbox, office: App, propose: Propose) -> None:
    """An administrator, an alternate, a colleague and a guest each get their own answer, and nothing changes."""
    propose(text(), "--by", "tess@example.com")
    shown = card(sandbox, "<@U0TESS> proposes")
    for user, saying in (
        (slack.LENA, "Administrators and auditors can't decide"),
        (slack.KOFI, "Only members of the board"),
        (slack.BEN, "Only members of the board"),
        (slack.GUEST, "Guests of the workspace have no part in the token programme."),
    ):
        members = sandbox.workspace.channel(slack.BOARD).members
        sandbox.workspace.change_channel(slack.BOARD, members=members | {user})
        for action in ("policy_confirm", "policy_decline"):
            sandbox.press(user, shown, action)
            private(sandbox, user, saying)
            assert sandbox.modal(user) is None
    assert states(office) == {"2026.9": "open"}


@pytest.mark.usefixtures("_bot")
def test_decided_and_withdrawn_from_the_rules(sandbox: Sandbox, office: App, propose: Propose) -> None:
    """`/tokens policy` has the buttons for those whose they are: a member confirms there, a proposer takes back."""
    propose(text("2026.8"), "--by", "lena@example.com")
    propose(text("2026.9"), "--by", "lena@example.com")
    proposers = policy(sandbox, slack.LENA)
    assert "policy_confirm" not in read(proposers)
    sandbox.press(slack.LENA, proposers, "policy_withdraw")
    private(sandbox, slack.LENA, "*Withdrawn.*", slack.GENERAL)
    members = policy(sandbox, slack.IRIS)
    assert "policy_withdraw" not in read(members)
    sandbox.press(slack.IRIS, members, "policy_confirm")
    private(sandbox, slack.IRIS, "*Confirmed.*", slack.GENERAL)
    assert sorted(states(office).values()) == ["confirmed", "withdrawn"]
    assert "comes into force on 1 Dec 2026" in read(policy(sandbox, slack.ADA))


@pytest.mark.deep
@pytest.mark.usefixtures("_bot")
def test_a_card_that_shows_other_changes_confirms_nothing(sandbox: Sandbox, office: App, propose: Propose) -> None:
    """When another version was confirmed meanwhile, the old screen is refused and the card is written anew."""
    propose(text("2026.8"), "--by", "lena@example.com")
    card(sandbox, "Handbook 2026.8, proposed")
    propose(text("2026.9", base=text("2026.8"), changes={"months = 4": "months = 6"}), "--by", "lena@example.com")
    old = card(sandbox, "Handbook 2026.9, proposed")
    first = next(m for m in sandbox.messages(slack.BOARD, slack.IRIS) if "Handbook 2026.8, proposed" in read(m))
    sandbox.press(slack.IRIS, first, "policy_confirm")
    private(sandbox, slack.IRIS, "*Confirmed.*")
    new = card(sandbox, "Compared with version 2026.8")
    assert new.ts == old.ts
    sandbox.press(slack.TESS, old, "policy_confirm")
    private(sandbox, slack.TESS, "The handbook has changed since this was shown")
    sandbox.press(slack.TESS, new, "policy_confirm")
    card(sandbox, "*Confirmed* by Tess Novak")
    assert states(office) == {"2026.8": "confirmed", "2026.9": "confirmed"}
    assert books.findings(office) == {}


def test_over_signed_http(sandbox: Sandbox, office: App, propose: Propose) -> None:
    """The same card and buttons where Slack sends signed requests."""
    with slack.bot(sandbox, office, slack.load(slack.signed_environment(sandbox, slack.NO_DATABASE))):
        propose(text(effective_from=date(2027, 1, 1)), "--by", "lena@example.com")
        sandbox.press(slack.TESS, card(sandbox, "Handbook 2026.9, proposed"), "policy_confirm")
        card(sandbox, "*Confirmed* by Tess Novak")
    assert proposed.states(office) == {"2026.9": "confirmed"}
