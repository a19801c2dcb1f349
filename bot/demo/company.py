"""An invented company: its people, what they are given and what they use. Nothing in it is anyone's.

Everything follows from the names and dates alone, so that a demo that is started again tells the same story.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from bot.manifest import BOT_SCOPES, DOCTOR_SCOPES, EVENTS
from handlers.slack_app import COMMANDS
from handlers.usage.formats import fingerprint
from policy import handbook
from policy.metering import UsageEvent
from policy.outcomes import OutcomeReport
from policy.period import Month
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.metering import Identities, Meters

DOMAIN = "northwind.example"
ZONE = "Europe/Berlin"
SOURCE = "gateway"
TRACKER = "github"
WEEKS = 14
MONDAY_TO_FRIDAY = range(5)
LONG_RUN, LONG_RUN_EVERY = 3, 6
"""Every sixth week the research team trains three times as long."""
MERGES = {"platform": 0.9, "search": 0.4, "mobile": 0.3, "research": 0.25}
"""Pull requests that a member of a team merges on a working day: platform gets far more done than the others."""


@dataclass(frozen=True, slots=True)
class Employee:
    """An invented person; `habit` is the number of calls on a usual working day, `stack` which models they like."""

    name: str
    level: str
    family: str
    team: str
    zone: str
    habit: int
    stack: str
    roles: str = ""

    @property
    def handle(self) -> str:
        return self.name.split(" ", 1)[0].lower()

    @property
    def email(self) -> str:
        return f"{self.handle}@{DOMAIN}"

    @property
    def slack_id(self) -> str:
        return f"U0{self.handle.upper()}"

    @property
    def title(self) -> str:
        if not self.team:
            return f"{self.family.capitalize()}, governance board" if self.roles else self.family.capitalize()
        return f"{self.level.capitalize()} engineer, {self.team}"


MANAGERS = {"platform": "Mara", "search": "Nils", "mobile": "Yuki", "research": "Leila"}
DIRECTOR = "Iris"
"""The managers report to her."""

EMPLOYEES = (
    Employee("Mara Lindqvist", "principal", "engineering", "platform", "Europe/Stockholm", 4, "mixed"),
    Employee("Ada Lovelace", "staff", "engineering", "platform", "Europe/London", 46, "claude", "chair"),
    Employee("Ben Okafor", "junior", "engineering", "platform", "Africa/Lagos", 18, "mixed"),
    Employee("Chiara Bruno", "senior", "engineering", "platform", "Europe/Rome", 30, "mixed"),
    Employee("Dmitri Volkov", "mid", "engineering", "platform", "Europe/Berlin", 22, "mixed", "admin"),
    Employee("Elif Aydin", "senior", "engineering", "platform", "Europe/Istanbul", 31, "mixed"),
    Employee("Finn Gallagher", "mid", "engineering", "platform", "Europe/Dublin", 3, "mixed"),
    Employee("Nils Bergstrom", "principal", "engineering", "search", "Europe/Stockholm", 6, "gpt"),
    Employee("Grace Mwangi", "staff", "engineering", "search", "Africa/Nairobi", 34, "claude"),
    Employee("Hiro Watanabe", "senior", "engineering", "search", "Asia/Tokyo", 28, "claude"),
    Employee("Ines Costa", "mid", "engineering", "search", "Europe/Lisbon", 22, "mixed"),
    Employee("Jonas Weber", "junior", "engineering", "search", "Europe/Berlin", 55, "opus"),
    Employee("Kavya Rao", "senior", "engineering", "search", "Asia/Kolkata", 26, "claude"),
    Employee("Liam Novak", "mid", "engineering", "search", "Europe/Prague", 22, "mixed"),
    Employee("Yuki Sato", "principal", "engineering", "mobile", "Asia/Tokyo", 5, "claude"),
    Employee("Maya Cohen", "senior", "engineering", "mobile", "Asia/Jerusalem", 27, "mixed"),
    Employee("Noor Rahman", "mid", "engineering", "mobile", "Europe/London", 15, "gemini"),
    Employee("Owen Price", "junior", "engineering", "mobile", "Europe/London", 9, "gpt"),
    Employee("Priya Nair", "senior", "engineering", "mobile", "Asia/Kolkata", 34, "claude"),
    Employee("Quentin Leroy", "mid", "engineering", "mobile", "Europe/Paris", 21, "mixed"),
    Employee("Rosa Delgado", "staff", "engineering", "mobile", "America/Bogota", 20, "gpt"),
    Employee("Leila Haddad", "principal", "research", "research", "Europe/Paris", 8, "mixed"),
    Employee("Sven Olsen", "staff", "research", "research", "Europe/Oslo", 14, "training"),
    Employee("Tara Singh", "senior", "research", "research", "America/Toronto", 12, "training"),
    Employee("Uma Fischer", "senior", "research", "research", "Europe/Vienna", 33, "training"),
    Employee("Victor Lima", "mid", "research", "research", "America/Sao_Paulo", 21, "training"),
    Employee("Wanda Kowalska", "mid", "research", "research", "Europe/Warsaw", 16, "training"),
    Employee("Iris Tanaka", "principal", "engineering", "", "Asia/Tokyo", 0, "mixed"),
    Employee("Omar Farouk", "senior", "finance", "", "Europe/Berlin", 0, "mixed", "finance"),
    Employee("Tess Moreau", "staff", "security", "", "Europe/Paris", 0, "mixed", "alternate"),
    Employee("Zoe Martin", "staff", "people", "", "America/New_York", 0, "mixed", "alternate;recruiter"),
)
BOARD = ("Ada", "Iris", "Omar", "Tess", "Zoe")

PAY_BAND = {"junior": "B1", "mid": "B2", "senior": "B3", "staff": "B4", "principal": "B5"}
BANDS = {
    "B1": NanoUSD.parse("75000"),
    "B2": NanoUSD.parse("95000"),
    "B3": NanoUSD.parse("125000"),
    "B4": NanoUSD.parse("160000"),
    "B5": NanoUSD.parse("190000"),
}
BUDGET = NanoUSD.parse("3560")
SHARE_OF_COMPENSATION, FLOOR_USD = "0.015", "40"
"""Less than the packaged quarter: at that, hardly anyone would ever come near the end of a grant."""
LEAST_PEERS = 4
"""Four teams are all that the company has to compare."""
LAUNCHED_MONTHS_BEFORE = 9
PART_TIME = {"jonas": "0.8"}
"""Jonas works four days a week, and asks the most expensive model on all of them."""
BEGINS_ON = "demo_begins_on"
"""The fact that keeps on which day the story begins."""
CENTRES = {"platform": "CC-100", "search": "CC-200", "mobile": "CC-300", "research": "CC-400"}
ANNOUNCE_IN, GOVERNANCE_IN = "C0AITOKENS", "C0BOARD"
BOARD_GROUP = "S0BOARD"
GREETING = (
    "*Welcome to Northwind.* You are Ada, a staff engineer. The company is invented; the bot and its ledger are real.\n"
    "Below is your balance, as `/tokens balance` answers it. Next, type `/tokens why`, or let time pass with the "
    "calendar above."
)
COMPLEXITY = {
    "billing": "usual",
    "build-farm": "demanding",
    "ranking": "novel",
    "crawler": "routine",
    "app": "usual",
    "evals": "demanding",
}

SONNET, OPUS, HAIKU = (
    ("anthropic", "claude-sonnet-4-6"),
    ("anthropic", "claude-opus-4-6"),
    ("anthropic", "claude-haiku-4-5"),
)
GPT, GPT_MINI, GEMINI = ("openai", "gpt-5.2"), ("openai", "gpt-5-mini"), ("gemini", "gemini-2.5-pro")
STACKS = {
    "claude": (SONNET, SONNET, SONNET, OPUS, HAIKU, GPT_MINI),
    "opus": (OPUS, OPUS, SONNET),
    "gpt": (GPT, GPT, GPT_MINI, GPT_MINI),
    "gemini": (GEMINI, GEMINI, SONNET),
    "mixed": (SONNET, GPT, GPT_MINI, HAIKU, GEMINI),
    "training": (SONNET, GPT),
}
PROJECTS = {
    "platform": ("billing", "build-farm"),
    "search": ("ranking", "crawler"),
    "mobile": ("app",),
    "research": ("evals",),
}


def people_csv() -> str:
    """The employees in the columns of `people import`."""
    rows = ["email,name,slack_user_id,manager_email,level,role_family,pay_band,fte,time_zone,hired_on,wave,roles"]
    for number, person in enumerate(EMPLOYEES):
        manager = MANAGERS.get(person.team, "")
        if person.name.startswith(f"{manager} "):
            manager = DIRECTOR
        above = f"{manager.lower()}@{DOMAIN}" if manager else ""
        roles = ";".join(filter(None, ("board" if person.name.split(" ")[0] in BOARD else "", person.roles)))
        hired = date(2019 + number % 6, 1 + number % 12, 1)
        wave = 1 + number % 4
        # The last employee is left without a Slack id: the bot links her by e-mail at first contact.
        slack_id = "" if person is EMPLOYEES[-1] else person.slack_id
        rows.append(
            f"{person.email},{person.name},{slack_id},{above},{person.level},{person.family},"
            f"{PAY_BAND[person.level]},{PART_TIME.get(person.handle, '1')},{person.zone},{hired},{wave},{roles}"
        )
    return "\n".join(rows) + "\n"


def projects_csv() -> str:
    """What the teams work on, in the columns of `projects import`; all of a team work on all of its projects."""
    rows = ["project,name,complexity,email,share"]
    for team, keys in PROJECTS.items():
        share = f"{1 / len(keys):.3g}"
        rows += [
            f"{key},{key.replace('-', ' ').capitalize()},{COMPLEXITY[key]},{person.email},{share}"
            for key in keys
            for person in EMPLOYEES
            if person.team == team
        ]
    return "\n".join(rows) + "\n"


def centres_csv() -> str:
    """A cost centre for each team, which its manager owns, in the columns of `cost-centres import`."""
    rows = [f"{key},{team.capitalize()},{MANAGERS[team].lower()}@{DOMAIN}" for team, key in CENTRES.items()]
    return "\n".join(["cost_centre,name,owner_email", *rows]) + "\n"


def belonging_csv() -> str:
    """Whose use each cost centre bears, in the columns of `people import`."""
    rows = [f"{person.email},{CENTRES[person.team]}" for person in EMPLOYEES if person.team]
    return "\n".join(["email,cost_centre", *rows]) + "\n"


def handbook_text(begins: date) -> str:
    """The company's handbook: the packaged one, launched so long before its story begins that all waves are in."""
    launched = Month.containing(begins).plus(-LAUNCHED_MONTHS_BEFORE).first_day
    text = handbook.packaged()
    for old, new in {
        'version = "2026.1"': 'version = "northwind.1"',
        "effective_from = 2026-01-01": f"effective_from = {launched}",
        # A hundredth of so small a company's budget would be hardly anything.
        "pool_share = 0.01": "pool_share = 0.1",
        "share_of_compensation = 0.25": f"share_of_compensation = {SHARE_OF_COMPENSATION}",
        "floor_usd = 150": f"floor_usd = {FLOOR_USD}",
        "least_peers = 5": f"least_peers = {LEAST_PEERS}",
        "# launched_on = 2027-01-01": f"launched_on = {launched}",
        # Nobody plays the board: its card for phase 3 comes early in the story, and the calendar goes on.
        'gates = "board"': 'gates = "calendar"',
    }.items():
        text = text.replace(old, new)
    return text


GUEST = {
    "id": "U0GUEST",
    "name": "guest",
    "real_name": "Gus Visitor",
    "email": "gus@elsewhere.example",
    "tz": "UTC",
    "title": "Guest",
    "is_restricted": True,
}
HINTS = [
    {"command": "/tokens balance", "label": "What Ada has left", "as": "U0ADA"},
    {"command": "/tokens why", "label": "How it comes about", "as": "U0ADA"},
    {"command": "/tokens history", "label": "What she used this month", "as": "U0ADA"},
    {"command": "/tokens request", "label": "Ben asks the board for more", "as": "U0BEN"},
    {"command": "/tokens team", "label": "What Mara's team spends", "as": "U0MARA"},
    {"command": "/tokens board", "label": "What the board has to decide", "as": "U0IRIS"},
    {"command": "/tokens balance", "label": "Jonas has spent more than he had", "as": "U0JONAS"},
    {"command": "/tokens balance", "label": "Zoe talks to the bot for the first time", "as": "U0ZOE"},
    {"command": "/tokens balance", "label": "A guest the bot doesn't know", "as": "U0GUEST"},
    {"command": "/tokens help", "label": "Everything it can do"},
]


def workspace_plan() -> dict[str, Any]:
    """The company's workspace, in the shape that the sandbox reads."""
    ids = [person.slack_id for person in EMPLOYEES]
    teams = [
        {
            "id": f"C0{team.upper()}",
            "name": team,
            "purpose": f"The {team} team",
            "members": [p.slack_id for p in EMPLOYEES if p.team == team],
        }
        for team in MANAGERS
    ]
    board = [person.slack_id for person in EMPLOYEES if person.name.split(" ")[0] in BOARD]
    return {
        "name": "Northwind",
        "team_id": "T0NORTHWIND",
        "domain": "northwind",
        "welcome": "Everyone here is invented; the bot and its ledger are real. Be Ada or anyone else. The calendar "
        "above lets time pass: grants arrive on the first of a month, and a quarter's review in #token-board after it. "
        "Beside it, let Ada's agent work until a cap stops it.",
        "hints": HINTS,
        "app": _app(),
        "members": [
            *(_member(person) for person in EMPLOYEES),
            GUEST,
        ],
        "channels": [
            {"id": "C0GENERAL", "name": "general", "purpose": "Company-wide talk", "members": [*ids, "U0GUEST"]},
            {"id": "C0AITOKENS", "name": "ai-tokens", "purpose": "The token programme", "members": [*ids, "U0TOKENS"]},
            *teams,
            {
                "id": GOVERNANCE_IN,
                "name": "token-board",
                "purpose": "The governance board",
                "is_private": True,
                "members": [*board, "U0TOKENS"],
            },
        ],
        "user_groups": [{"id": BOARD_GROUP, "handle": "token-board", "name": "Token board", "members": board}],
    }


def _app() -> dict[str, Any]:
    return {
        "name": "Tokens",
        "id": "A0TOKENS",
        "bot_user": "U0TOKENS",
        "bot_id": "B0TOKENS",
        "description": "Your allowance for AI services: what you have, what it is worth, and why.",
        "scopes": [*BOT_SCOPES, *DOCTOR_SCOPES],
        "events": list(EVENTS),
        "commands": [
            {
                "command": "/tokens",
                "description": "Your AI token allowance",
                "should_escape": True,
                "usage_hint": " | ".join(f"{c.name} {c.arguments}".strip() for c in COMMANDS),
            }
        ],
    }


def _member(person: Employee) -> dict[str, str]:
    return {
        "id": person.slack_id,
        "name": person.handle,
        "real_name": person.name,
        "email": person.email,
        "tz": person.zone,
        "title": person.title,
    }


def events_of(day: date, until: datetime) -> Iterator[UsageEvent]:
    """What everyone used on a day, as far as it lies before `until`."""
    for person in EMPLOYEES:
        chance = random.Random(f"{person.handle} {day}")  # noqa: S311 - a story, not a secret
        busy = person.habit if day.weekday() in MONDAY_TO_FRIDAY else person.habit // 12
        for number in range(round(busy * chance.uniform(0.5, 1.4))):
            at = datetime.combine(day, time(7), UTC) + timedelta(seconds=chance.randrange(11 * 3600))
            event = _model_call(person, chance, at, f"{person.handle}-{day:%Y%m%d}-{number:03}")
            if at <= until:
                yield event
        if person.stack == "training" and day.weekday() in {1, 3}:
            at = datetime.combine(day, time(19), UTC)
            if at <= until:
                hours = chance.uniform(0.75, 1.9) * (
                    LONG_RUN if day.isocalendar().week % LONG_RUN_EVERY == LONG_RUN_EVERY - 1 else 1
                )
                used: Meters = {"gpu_seconds": 2 * round(hours * 3600)}
                yield _event(person, f"job-{person.handle}-{day:%Y%m%d}", at, ("gpu-cluster", "H100"), used)


def logins() -> list[tuple[str, str]]:
    """The names under which the tracker knows people, and whose they are."""
    return [(person.handle, person.email) for person in EMPLOYEES if person.team]


def outcomes_of(day: date, until: datetime) -> Iterator[OutcomeReport]:
    """What everyone merged on a day, as far as it lies before `until`."""
    if day.weekday() not in MONDAY_TO_FRIDAY:
        return
    for person in EMPLOYEES:
        if person.name.split(" ")[0] == MANAGERS.get(person.team, DIRECTOR):
            continue
        chance = random.Random(f"{person.handle} merges {day}")  # noqa: S311 - a story, not a secret
        if chance.random() < MERGES.get(person.team, 0):
            at = datetime.combine(day, time(8), UTC) + timedelta(seconds=chance.randrange(8 * 3600))
            project, lines = chance.choice(PROJECTS[person.team]), round(chance.lognormvariate(4.4, 0.9))
            key = f"{project}-{person.handle}-{day:%Y%m%d}"
            if at <= until:
                yield OutcomeReport(TRACKER, key, "pull_request", at, person.handle, project, lines=lines)


def _model_call(person: Employee, chance: random.Random, at: datetime, event_id: str) -> UsageEvent:
    model = chance.choice(STACKS[person.stack])
    if chance.random() < 0.0005:  # noqa: PLR2004 - rare enough to look like an accident
        model = ("openai", "gpt-internal-preview")
    context = round(chance.lognormvariate(11.3, 0.7))
    cached = round(context * chance.uniform(0.6, 0.92))
    used: Meters = {
        "input_uncached": context - cached,
        "cache_read": cached,
        "output": round(chance.lognormvariate(7.4, 0.8)),
    }
    return _event(person, event_id, at, model, used)


def _event(person: Employee, event_id: str, at: datetime, model: tuple[str, str], used: Meters) -> UsageEvent:
    identities: Identities = (("email", person.email),)
    projects = PROJECTS.get(person.team, ("",))
    project = projects[hash_of(event_id) % len(projects)]
    digest = fingerprint(at, identities, *model, "", used, project)
    return UsageEvent(SOURCE, event_id, at, identities, *model, "", used, project, digest)


def hash_of(text: str) -> int:
    """A number that is the same in every process, unlike `hash`."""
    return sum(text.encode())
