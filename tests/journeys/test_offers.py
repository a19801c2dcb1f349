"""A recruiter's half minute with the real bot in a workspace: form, answer, adjusted, page, text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import cast, slack
from tests.support.seen import modal, private, read, told

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox

KOFI = (
    "email,name,slack_user_id,level,role_family,time_zone,hired_on,roles\n"
    f"kofi@example.com,Kofi,{slack.KOFI},mid,people,UTC,2024-01-01,recruiter\n"
)


@pytest.mark.usefixtures("_bot")
def test_an_offer_from_the_form_to_the_page(sandbox: Sandbox, office: App) -> None:
    """The comparison comes in private with its picture; it can be adjusted, had as a file, and copied as text."""
    cast.hire(office, KOFI)
    assert sandbox.command(slack.KOFI, slack.GENERAL, "/tokens offer Offer 17").error == ""
    assert "Offer 17" in modal(sandbox, slack.KOFI)
    sandbox.fill(slack.KOFI, {"base": "180.000", "rival_1": "20k bonus"})
    sandbox.submit(slack.KOFI)
    form = sandbox.modal(slack.KOFI)
    assert form is not None
    assert set(form.errors) == {"base", "rival_1"}
    sandbox.fill(slack.KOFI, {"base": "180k", "bonus": "18k", "equity": "40k", "rival_1": "B: 240k"})
    assert sandbox.submit(slack.KOFI).error == ""
    assert "only if AI use is worth more than 5.1 % of its issued value" in modal(sandbox, slack.KOFI)
    sandbox.dismiss(slack.KOFI)

    answer = told(sandbox, slack.KOFI, "All of it, as cash")
    assert [block["type"] for block in answer.blocks][:3] == ["section", "image", "table"]
    assert "242,437 (238,000 to 246,874)" in read(answer)

    sandbox.press(slack.KOFI, answer, "offer_page")
    page = told(sandbox, slack.KOFI, "prints on A4")
    files = [one for said in sandbox.messages(sandbox.dm(slack.KOFI), slack.KOFI) for one in said.files]
    assert len(files) == 1
    assert page.ts > answer.ts

    sandbox.press(slack.KOFI, answer, "offer_text")
    copied = private(sandbox, slack.KOFI, "What the allowance is not", channel=sandbox.dm(slack.KOFI))
    assert "isn't a contract" in read(copied)

    sandbox.press(slack.KOFI, answer, "offer_adjust")
    assert "B: USD 240,000 base" in modal(sandbox, slack.KOFI)
    sandbox.fill(slack.KOFI, {"label": "Offer 18", "rival_1": "B: 230k"})
    assert sandbox.submit(slack.KOFI).error == ""
    assert "more than B, whatever AI use is worth" in read(told(sandbox, slack.KOFI, "Offer 18 comes"))


@pytest.mark.usefixtures("_bot")
def test_others_are_told_whose_it_is(sandbox: Sandbox) -> None:
    """Who is no recruiter gets no form, and reads which role it takes."""
    answer = sandbox.command(slack.ADA, slack.GENERAL, "/tokens offer")
    assert answer.message is not None
    assert "role `recruiter`" in read(answer.message)
    assert sandbox.modal(slack.ADA) is None
