"""The people of the tests, and short ways to put them, their tokens and their usage into a ledger.

Ada is a staff engineer, Ben a junior one, Mara their manager; Iris, Omar and Tess sit on the board.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot import wiring
from handlers.usage.formats import fingerprint
from policy.metering import UsageEvent
from policy.units import MicroTokens
from programme.grants import by_hand
from programme.people import directory
from store.people import directory as people_store

if TYPE_CHECKING:
    from policy.metering import Identities, Meters
    from programme.app import App
    from programme.grants.by_hand import ManualGrant
    from store.engine import Session

PEOPLE = """\
email,name,slack_user_id,manager_email,level,role_family,pay_band,fte,time_zone,hired_on,left_on,wave,roles
mara@example.com,Mara Quist,U0MARA,,principal,engineering,P5,1,Europe/Berlin,2020-01-01,,,
ada@example.com,Ada Lovelace,U0ADA,mara@example.com,staff,engineering,P4,1,Europe/London,2021-03-01,,1,
ben@example.com,Ben Okafor,U0BEN,mara@example.com,junior,engineering,P1,0.6,America/New_York,2025-06-01,,2,
iris@example.com,Iris Tan,U0IRIS,,principal,engineering,P5,1,Europe/Berlin,2019-01-01,,,board;chair
omar@example.com,Omar Haddad,U0OMAR,,senior,finance,P4,1,Europe/Berlin,2019-01-01,,,board;finance
tess@example.com,Tess Novak,U0TESS,,senior,engineering,P3,1,Asia/Tokyo,2022-01-01,,,board
"""

SONNET = ("anthropic", "claude-sonnet-4-5")
"""USD 3 / 0.30 / 15 per million uncached input, cached input and output tokens."""
GPT = ("openai", "gpt-5")


def settle(app: App) -> None:
    """Migrate the app's database and hire the cast."""
    wiring.migrate(app)
    hire(app, PEOPLE)


def hire(app: App, csv_text: str) -> None:
    with app.transaction() as moment:
        directory.import_csv(moment, io.StringIO(csv_text), actor="test")


def person_id(app: App, email: str) -> str:
    with app.database.reading() as session:
        return id_of(session, email)


def id_of(session: Session, email: str) -> str:
    person = people_store.by_email(session, email)
    assert person is not None
    return person.id


def give(app: App, email: str, tokens: str, *, days: int = 90, reason: str = "Pilot grant") -> ManualGrant:
    """Give someone tokens, by default until three months from now."""
    now = app.clock()
    with app.transaction(now) as moment:
        return by_hand.give(
            moment,
            email=email,
            amount=MicroTokens.parse(tokens),
            reason=reason,
            expires_at=now + timedelta(days=days),
            actor="test",
        )


def event(
    event_id: str,
    *,
    at: datetime,
    who: str = "ada@example.com",
    model: tuple[str, str] = SONNET,
    tier: str = "",
    meters: Meters | None = None,
    source: str = "gateway",
    project: str = "",
) -> UsageEvent:
    """A usage event; by default one of Ada's, of 200 uncached, 1,000 cached and 300 output tokens: USD 0.0054."""
    used: Meters = {"input_uncached": 200, "cache_read": 1_000, "output": 300} if meters is None else meters
    identities: Identities = (("email" if "@" in who else "user", who),) if who else ()
    digest = fingerprint(at, identities, *model, tier, used, project)
    return UsageEvent(source, event_id, at, identities, *model, tier, used, project, digest)
