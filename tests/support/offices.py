"""A company with cost centres, some of them small, and a month of its usage."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from programme.people import cost_centres, terms
from programme.usage import intake
from tests.support import cast

if TYPE_CHECKING:
    from policy.metering import Meters
    from programme.app import App

HEADER = "email,name,level,role_family,time_zone,hired_on,cost_centre"
PLATFORM = tuple(f"p{number}@example.com" for number in range(6))
RESEARCH = tuple(f"r{number}@example.com" for number in range(5))
FEW = ("few0@example.com", "few1@example.com")
NOBODYS = tuple(f"n{number}@example.com" for number in range(4))
EVERYONE = (*PLATFORM, *RESEARCH, *FEW, *NOBODYS)
OCTOBER = datetime(2026, 10, 30, 9, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 12, 9, tzinfo=UTC)
ALL_METERS: Meters = {"input_uncached": 2_000, "cache_read": 9_001, "cache_write_5m": 777, "output": 1_501}
H100 = ("gpu-cluster", "H100")


def settle(app: App) -> None:
    """Hire everyone into their cost centres: two large ones, one of two people, and four people in none."""
    centres = [(PLATFORM, "CC-10"), (RESEARCH, "CC-20"), (FEW, "CC-30"), (NOBODYS, "")]
    lines = [
        f"{email},{email.split('@')[0].title()},mid,engineering,Europe/Berlin,2024-01-01,{centre}"
        for people, centre in centres
        for email in people
    ]
    cast.hire(app, "\n".join([HEADER, *lines]))
    names = "cost_centre,name\nCC-10,Platform\nCC-20,Research\nCC-30,Few\n"
    projects = "project,name,complexity,cost_centre\napollo,Apollo,usual,CC-20\nzeus,Zeus,usual,\n"
    with app.transaction() as moment:
        cost_centres.import_csv(moment, io.StringIO(names), actor="test")
        terms.import_projects(moment, io.StringIO(projects), today=moment.today, actor="test")


def work(app: App, at: datetime = NOVEMBER, *, rounds: int = 1) -> None:
    """Everyone uses three models a few times, and it arrives the same day; some of it is for projects."""
    projects = ("", "zeus", "apollo")
    events = [
        cast.event(
            f"{at:%m%d}-{who}-{number}-{model[1]}",
            at=at.replace(hour=9 + number % 10),
            who=who,
            model=model,
            meters={"gpu_seconds": 1_001} if model == H100 else ALL_METERS,
            project=projects[(number + place) % 3],
        )
        for place, who in enumerate(EVERYONE)
        for number in range(rounds)
        for model in (cast.SONNET, cast.GPT, H100)
    ]
    with app.transaction(at + timedelta(hours=12)) as moment:
        assert {outcome.status for outcome in intake.take_in(moment, events)} == {"accepted"}
