"""Every message, word for word: golden files, hostile contents, and what holds for all of them.

`pytest tests/templates --snapshot-update` writes the golden files anew; read the difference before you commit it.
"""

from __future__ import annotations

import ast
import dataclasses
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from jinja2 import UndefinedError, nodes
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from handlers import slack_app
from handlers.balance import balance as handler
from handlers.slack.commands import BOARD, PROGRAMME, TEAM, YOURS
from policy.bands import Width
from policy.handbook import Service
from policy.kinds import EntryKind, LotKind
from policy.pace import Outlook
from policy.period import Month, Quarter, first_instant
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.value.currencies import Rate
from policy.value.valuation import TokenValue
from programme.balance.history import History
from sandbox import block_kit
from store.usage.events import Line
from templates import homes, render, workings
from tests.support import (
    anchored,
    annual_appealed,
    appealed,
    capped,
    cards,
    cash_cards,
    charged,
    differing,
    gate_cards,
    greeted,
    letters,
    linked,
    offered,
    packs,
    pages,
    proposed,
    refused,
    reported,
    request_forms,
    roi,
    warned,
)
from tests.support.letters import ENDLESS, HOSTILE
from views.balance import BalanceCard, CallLine, DebitLine, Explanation, Lapse, LotLine, MeterLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from policy.sizing import Factors
    from templates.render import Message
    from views.holds import CapTold

GOLDEN = Path(__file__).parent / "golden"
REPOSITORY = Path(__file__).parents[2]
SOURCES = ("handlers", "scheduler", "programme", "bot", "templates")

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
VALUE = TokenValue(Quarter(2026, 4), "2026-Q4.1", 10_000_000)
CONTACT = "the AI programme team in #ai-tokens"


def tokens(text: str) -> MicroTokens:
    return MicroTokens.parse(text)


def lot(remaining: str, amount: str, *, days: int = 40, reason: str = "Pilot grant") -> LotLine:
    return LotLine(LotKind.MANUAL, reason, tokens(amount), tokens(remaining), NOW, NOW + timedelta(days=days))


USUAL = BalanceCard(
    person_id="per_1",
    name="Ada Lovelace",
    zone=ZoneInfo("Europe/London"),
    value=VALUE,
    available=tokens("4120.35"),
    granted=tokens("6500"),
    debt=tokens("0"),
    lots=(lot("120.35", "1500", days=11), lot("4000", "5000", reason="Conference demo")),
    coming=(),
    month=Month(2026, 11),
    spent_this_month=tokens("1379.65"),
    services=(("anthropic", tokens("1200")), ("openai", tokens("179.65"))),
    outlook=Outlook(date(2026, 12, 30), 1_250_400_000),
    used_before=True,
    now=NOW,
)
FIRST = datetime(2026, 12, 1, tzinfo=UTC)
LAPSE = Lapse(
    date(2026, 12, 1),
    tokens("990"),
    tokens("4120.35"),
    tokens("3130.35"),
    first_instant(date(2026, 12, 1), ZoneInfo("Europe/London")),
)
LAPSING = dataclasses.replace(
    USUAL,
    lots=(
        dataclasses.replace(lot("990", "1500", reason="Grant for September 2026"), expires_at=FIRST, lapses=True),
        lot("3130.35", "5000", reason="Grant for October 2026"),
    ),
    lapse=LAPSE,
)
LAPSED = dataclasses.replace(
    USUAL, lots=USUAL.lots[1:], available=tokens("4000"), lapse=dataclasses.replace(LAPSE, is_past=True)
)
IN_DEBT = dataclasses.replace(
    USUAL, available=tokens("-52.5"), granted=tokens("0"), debt=tokens("52.5"), lots=(), outlook=None
)
NEWCOMER = dataclasses.replace(
    USUAL,
    available=tokens("0"),
    granted=tokens("0"),
    lots=(),
    spent_this_month=tokens("0"),
    services=(),
    outlook=None,
    used_before=False,
)


OUTSIDE = dataclasses.replace(NEWCOMER, paid_by_company=tokens("1257.4"))
HOLDING = dataclasses.replace(USUAL, held=tokens("120"), held_calls=3)
JOINED = dataclasses.replace(USUAL, paid_by_company=tokens("12.5"))


def balance(
    card: BalanceCard, *, name: str = "Anthropic API", contact: str = CONTACT, near_caps: Sequence[CapTold] = ()
) -> Message:
    services = [(name, spent) for _, spent in card.services]
    lapsing = MicroTokens(card.outlook.lapsing if card.outlook else 0)
    return render.message(
        "balance/balance", card=card, services=services, lapsing=lapsing, contact=contact, near_caps=near_caps
    )


def hostile_balance(text: str) -> Message:
    lots = tuple(lot("1", "2", reason=text) for _ in range(10))
    return balance(dataclasses.replace(USUAL, lots=lots), name=text, contact=text)


def coming(text: str) -> Message:
    return balance(dataclasses.replace(NEWCOMER, coming=(lot("900", "900", reason=text),)))


def call(model: str = "claude-sonnet-4-5", *, tier: str = "", meters: int = 3) -> CallLine:
    lines = (
        MeterLine("input_uncached", 200, NanoUSD(3_000_000_000), 1_000_000),
        MeterLine("cache_read", 1_000, NanoUSD(300_000_000), 1_000_000),
        MeterLine("output", 300, NanoUSD(15_000_000_000), 1_000_000),
    )
    return CallLine(model, tier, NOW, "list", lines[:meters], NanoUSD(5_400_000), tokens("0.54"))


def debit(calls_in_all: int, *calls: CallLine, by_company: bool = False) -> DebitLine:
    return DebitLine("anthropic", NOW, tokens("3323.529412"), calls_in_all, VALUE, calls, by_company)


PARTS = {"grant": "5000", "exception": "1500", "usage": "-2379.65"}
EVERYTHING = {
    "grant": "6500",
    "exception": "1000",
    "appeal": "200",
    "usage": "-6900",
    "reversal": "100.5",
    "expiry": "-300",
    "lapse": "-200",
    "return": "-400",
    "netting": "-20.5",
}


def why(
    card: BalanceCard,
    *debits: DebitLine,
    grant: Factors | None = None,
    name: str = "Anthropic API",
    contact: str = CONTACT,
    parts: Mapping[str, str] | None = None,
    exact: bool = True,
    **beside: str,
) -> Message:
    amounts = dict.fromkeys(("balance", "waiting"), "0") | beside
    explanation = Explanation(
        card=card,
        grant=grant,
        debits=debits,
        totals={EntryKind(kind): tokens(text) for kind, text in (parts or {}).items()},
        **{key: tokens(text) for key, text in amounts.items()},
    )
    working = workings.of(grant) if grant else None
    names = {"anthropic": name}
    return render.message(
        "balance/why", why=explanation, card=card, names=names, contact=contact, working=working, exact=exact
    )


def hostile_why(text: str) -> Message:
    grant = letters.hostile_statement(text).factors
    return why(USUAL, *[debit(2, call(text, tier=text), call(text))] * 3, grant=grant, name=text, contact=text)


def line(model: str, calls: int = 12) -> Line:
    return Line("anthropic", model, calls, 1_234_567, 45_000, NanoUSD(5_400_000), tokens("0.54"))


def history(*lines: Line, name: str = "Anthropic API", paid: tuple[Line, ...] = ()) -> Message:
    cost, debited = NanoUSD(5_400_000 * len(lines)), MicroTokens(540_000 * len(lines))
    calls = sum(one.calls for one in lines)
    of_month = History(Month(2026, 11), lines, calls, cost, debited, tokens("6500"), paid)
    rows, left_out = handler._table(of_month, {"anthropic": name})
    return render.message("balance/history", history=of_month, rows=rows, left_out=left_out)


def service(name: str, kind: str = "model_api", until: date | None = None) -> Service:
    return Service("key", name, kind, ("p",), date(2023, 1, 1), until)


def services(*approved: Service, contact: str = CONTACT) -> Message:
    return render.message("commands/services", services=list(approved), contact=contact)


def form_in_words(value: str = "20k") -> Message:
    [command] = [command for command in slack_app.COMMANDS if command.name == "request"]
    return render.message("commands/form", command=command, value=value)


def help_for(
    unknown: str = "", near: str = "", contact: str = CONTACT, topics: Sequence[str] = (YOURS, TEAM, BOARD, PROGRAMME)
) -> Message:
    return render.message(
        "commands/help",
        topics={topic: [one for one in slack_app.COMMANDS if one.topic == topic] for topic in topics},
        unknown=unknown,
        near=near,
        contact=contact,
    )


def refusal(text: str, next_step: str) -> Message:
    return render.message("shared/refusal", refusal=Refusal("code", text, next_step=next_step))


def failure(contact: str) -> Message:
    return render.message("shared/failure", failure_id="1f2e3d4c", contact=contact)


def unknown_person(email: str | None, contact: str = CONTACT) -> Message:
    return render.message("shared/unknown_person", email=email, contact=contact, account="U0ZOE")


P4 = NanoUSD.parse("190000")
MERGED = dataclasses.replace(letters.factors(), band=Width(NanoUSD.parse("210000"), P4, ("P4", "P5")))
CASES: dict[str, Callable[[], Message]] = (
    {
        "balance": lambda: balance(USUAL),
        "balance_in_euros": lambda: balance(
            dataclasses.replace(
                USUAL,
                grant=dataclasses.replace(letters.factors(leaves="0.8547"), rate=Rate("EUR", NanoUSD.parse("1.08"))),
            )
        ),
        "balance_lasting": lambda: balance(dataclasses.replace(USUAL, outlook=Outlook(date(2026, 12, 3), 0))),
        "balance_that_lapses": lambda: balance(LAPSING),
        "balance_of_which_some_lapsed": lambda: balance(LAPSED),
        "why_it_lapses": lambda: why(LAPSING, parts=PARTS),
        "balance_with_merged_bands": lambda: balance(dataclasses.replace(USUAL, grant=MERGED)),
        "why_with_merged_bands": lambda: why(USUAL, grant=MERGED, parts=PARTS),
        "why_in_a_small_group": lambda: why(
            USUAL, grant=dataclasses.replace(MERGED, band=Width(P4, P4, is_small=True)), parts=PARTS
        ),
        "why_written_off": lambda: why(
            dataclasses.replace(NEWCOMER, used_before=True),
            parts={"grant": "100", "usage": "-140", "write_off": "40"},
            exact=False,
        ),
        "balance_used_up": lambda: balance(dataclasses.replace(NEWCOMER, used_before=True)),
        "balance_in_debt": lambda: balance(IN_DEBT),
        "balance_in_debt_for_months": lambda: balance(
            dataclasses.replace(IN_DEBT, grant=letters.factors(), debt_grants=2)
        ),
        "balance_in_debt_that_grows": lambda: balance(dataclasses.replace(IN_DEBT, grant=letters.factors())),
        "balance_in_debt_with_lots": lambda: balance(
            dataclasses.replace(IN_DEBT, available=tokens("-42.5"), lots=(lot("10", "500"),))
        ),
        "balance_of_a_newcomer": lambda: balance(NEWCOMER),
        "balance_coming": lambda: coming("Grant for December"),
        "balance_of_many_lots": lambda: balance(
            dataclasses.replace(USUAL, lots=tuple(lot("1", "2") for _ in range(10)))
        ),
        "balance_hostile": lambda: hostile_balance(HOSTILE),
        "why": lambda: why(USUAL, debit(3, call(), call()), debit(1, call()), parts=PARTS, exact=False),
        "why_to_the_last_digit": lambda: why(USUAL, debit(3, call(), call()), debit(1, call()), parts=PARTS),
        "why_in_another_tier": lambda: why(USUAL, debit(2, call(tier="priority"), call()), parts=PARTS),
        "why_paid_by_the_company": lambda: why(
            OUTSIDE, debit(2, call(), call(), by_company=True), paid_by_company="3323.529412"
        ),
        "balance_paid_by_the_company": lambda: balance(OUTSIDE),
        "balance_after_joining": lambda: balance(JOINED),
        "balance_of_which_some_is_held": lambda: balance(HOLDING, near_caps=(capped.DAY,)),
        "history_paid_by_the_company": lambda: history(paid=(line("claude-sonnet-4-5"), line("claude-opus-4-6", 1))),
        "history_of_both": lambda: history(line("claude-sonnet-4-5"), paid=(line("claude-opus-4-6", 1),)),
        "why_nothing_used": lambda: why(NEWCOMER),
        "why_with_everything": lambda: why(
            IN_DEBT,
            debit(4, call(), call()),
            parts=EVERYTHING,
            waiting="32.5",
            exact=False,
        ),
        "why_with_a_grant": lambda: why(USUAL, grant=letters.factors(leaves="0.8547"), parts=PARTS, exact=False),
        "why_hostile": lambda: hostile_why(HOSTILE),
        "history": lambda: history(line("claude-sonnet-4-5"), line("claude-opus-4-6", 1)),
        "history_empty": history,
        "history_of_many_models": lambda: history(*(line(f"model-{i}") for i in range(25))),
        "history_hostile": lambda: history(*[line(HOSTILE)] * 3, name=HOSTILE),
        "services": lambda: services(
            service("Anthropic API"), service("GPU cluster", "training"), service("Old API", until=date(2026, 12, 31))
        ),
        "services_none": services,
        "services_hostile": lambda: services(*[service(HOSTILE)] * 3, contact=HOSTILE),
        "form_in_words": form_in_words,
        "form_in_words_hostile": lambda: form_in_words(HOSTILE),
        "help": lambda: help_for(topics=(YOURS, PROGRAMME)),
        "help_for_a_manager_on_the_board": help_for,
        "help_for_an_unknown_word": lambda: help_for("balanse", "balance"),
        "help_hostile": lambda: help_for(HOSTILE, contact=HOSTILE),
        "refusal": lambda: refusal("'2026-13' is not a month such as 2026-11.", "Try `/tokens history 2026-10`."),
        "refusal_without_a_next_step": lambda: refusal("No handbook is applied.", ""),
        "refusal_hostile": lambda: refusal(HOSTILE, HOSTILE),
        "failure": lambda: failure("the administrators"),
        "database_away": lambda: render.message("shared/database_away"),
        "unknown_person": lambda: unknown_person("ada@example.com"),
        "unknown_person_without_email": lambda: unknown_person(None),
        "unknown_person_hostile": lambda: unknown_person(HOSTILE, HOSTILE),
    }
    | letters.CASES
    | greeted.CASES
    | cards.CASES
    | warned.CASES
    | capped.CASES
    | cash_cards.CASES
    | reported.CASES
    | proposed.CASES
    | packs.CASES
    | appealed.CASES
    | annual_appealed.CASES
    | refused.CASES
    | linked.CASES
    | anchored.CASES
    | charged.CASES
    | differing.CASES
    | offered.CASES
    | roi.CASES
    | gate_cards.CASES
)

ENDLESS_CASES: dict[str, Callable[[], Message]] = (
    {
        "balance": lambda: hostile_balance(ENDLESS),
        "balance_coming": lambda: coming(ENDLESS),
        "why": lambda: hostile_why(ENDLESS),
        "history": lambda: history(*(line(f"{i}{ENDLESS}") for i in range(30)), name=ENDLESS),
        "services": lambda: services(*[service(ENDLESS, until=date(2026, 12, 31))] * 60, contact=ENDLESS),
        "help": lambda: help_for(ENDLESS, contact=ENDLESS),
        "refusal": lambda: refusal(ENDLESS, ENDLESS),
        "failure": lambda: failure(ENDLESS),
        "unknown_person": lambda: unknown_person(ENDLESS, ENDLESS),
    }
    | letters.ENDLESS_CASES
    | greeted.ENDLESS_CASES
    | cards.ENDLESS_CASES
    | warned.ENDLESS_CASES
    | capped.ENDLESS_CASES
    | cash_cards.ENDLESS_CASES
    | reported.ENDLESS_CASES
    | proposed.ENDLESS_CASES
    | packs.ENDLESS_CASES
    | appealed.ENDLESS_CASES
    | annual_appealed.ENDLESS_CASES
    | refused.ENDLESS_CASES
    | linked.ENDLESS_CASES
    | anchored.ENDLESS_CASES
    | charged.ENDLESS_CASES
    | differing.ENDLESS_CASES
    | gate_cards.ENDLESS_CASES
    | offered.ENDLESS_CASES
)

LARGEST = MicroTokens(-(2**63) + 1)


def written(message: Message) -> str:
    return json.dumps({"text": message.text, "blocks": message.blocks}, indent=2, ensure_ascii=False) + "\n"


def texts(blocks: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any part of a message
    """(type, text) of every text in the blocks."""
    if isinstance(blocks, dict):
        if isinstance(blocks.get("text"), str):
            yield blocks["type"], blocks["text"]
        blocks = list(blocks.values())
    if isinstance(blocks, list):
        for part in blocks:
            yield from texts(part)


MODALS = (
    request_forms.MODALS
    | warned.MODALS
    | proposed.MODALS
    | packs.MODALS
    | appealed.MODALS
    | annual_appealed.MODALS
    | offered.MODALS
    | differing.MODALS
    | cash_cards.MODALS
    | gate_cards.MODALS
)


@pytest.mark.parametrize("case", MODALS)
def test_forms_are_the_golden_ones(case: str, pytestconfig: pytest.Config) -> None:
    """A form changes only on purpose, as messages do, and Slack takes it."""
    view = MODALS[case]()
    path = GOLDEN / f"modal_{case}.json"
    text = json.dumps(view, indent=2, ensure_ascii=False) + "\n"
    if pytestconfig.getoption("--snapshot-update"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")
    assert block_kit.problems(view["blocks"], surface="modal") == ()
    parsed = View(**view)
    parsed.validate_json()


HOMES = pages.CASES | {f"endless_{name}": build for name, build in pages.ENDLESS_CASES.items()}


@pytest.mark.parametrize("case", pages.CASES)
def test_homes_are_the_golden_ones(case: str, pytestconfig: pytest.Config) -> None:
    """A Home changes only on purpose, as messages do."""
    path = GOLDEN / f"home_{case}.json"
    text = json.dumps(pages.CASES[case](), indent=2, ensure_ascii=False) + "\n"
    if pytestconfig.getoption("--snapshot-update"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("case", HOMES)
def test_slack_takes_every_home(case: str) -> None:
    """Every Home is within Slack's limits, with the longest texts and the most of everything, also without charts."""
    view = HOMES[case]()
    assert block_kit.view_problems(view, "home") == ()
    assert sum(block["type"] == "data_visualization" for block in view["blocks"]) <= 2
    assert block_kit.view_problems(homes.without_native_blocks(view), "home") == ()


@pytest.mark.parametrize("case", ["person_hostile"])
def test_hostile_texts_are_inert_at_home(case: str) -> None:
    """Nothing that someone wrote makes a link or a mention, or fakes a line, on another person's Home."""
    for _, text in texts([block for block in pages.CASES[case]()["blocks"] if block["type"] != "data_table"]):
        for entity in ("<!channel>", "<https", "<@U0BOSS"):
            assert entity not in text
        assert "\n• 9,999" not in text


@pytest.mark.parametrize("case", CASES)
def test_messages_are_the_golden_ones(case: str, pytestconfig: pytest.Config) -> None:
    """A message changes only on purpose: its golden file shows the new words in review."""
    path = GOLDEN / f"{case}.json"
    if pytestconfig.getoption("--snapshot-update"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(written(CASES[case]()), "utf-8")
    assert written(CASES[case]()) == path.read_text("utf-8")


def test_no_golden_file_is_left_over() -> None:
    """A golden file of a message that is gone, or was renamed, is gone too."""
    assert {path.stem for path in GOLDEN.iterdir()} == (
        set(CASES) | {f"modal_{case}" for case in MODALS} | {f"home_{case}" for case in pages.CASES}
    )


ALL = CASES | {f"endless_{name}": build for name, build in ENDLESS_CASES.items()}


@pytest.mark.parametrize("case", ALL)
def test_slack_takes_every_message(case: str) -> None:
    """Slack's own models lose nothing of a message and find no fault, and neither does the stricter checker."""
    message = ALL[case]()
    assert block_kit.problems(message.blocks) == ()
    assert not block_kit.too_long(message.blocks)
    for block in message.blocks:
        parsed = Block.parse(block)
        # The library does not know Slack's own charts yet.
        assert block["type"] == "data_visualization" if parsed is None else parsed.to_dict() == block


@pytest.mark.parametrize("case", ALL)
def test_fallbacks_hold_no_figures(case: str) -> None:
    """What a lock screen shows is a plain sentence: no digit, nothing from outside, nothing to expand."""
    text = ALL[case]().text
    assert text.endswith(".")
    assert not any(letter.isdigit() or letter in "<>&*`_~" for letter in text)


@pytest.mark.parametrize("case", [case for case in CASES if case.endswith("_hostile")])
def test_hostile_texts_are_inert(case: str) -> None:
    """No name, reason or typed word notifies a channel, makes a link, mentions anybody or fakes a line of its own."""
    for kind, text in texts(CASES[case]().blocks):
        if kind == "raw_text":  # shown as it is
            assert "\n" not in text
            continue
        for entity in ("<!channel>", "<https", "<@U0BOSS"):
            assert entity not in text
        assert "\n• 9,999" not in text
        assert "&amp;amp;" in text or "&lt;" not in text


def test_typed_backticks_do_not_end_the_quotation() -> None:
    """An unknown word is quoted whole, whatever is in it."""
    _, text = next(texts(CASES["help_hostile"]().blocks))
    first = text.partition("\n")[0]
    assert first.count("`") == 2
    assert "'c'" in first


def test_the_largest_debt_is_still_a_message() -> None:
    """Amounts of any size that the database can hold are shown, never cut."""
    card = dataclasses.replace(IN_DEBT, available=LARGEST, debt=-LARGEST, spent_this_month=-LARGEST)
    assert "9,223,372,036,855 tokens more" in written(balance(card))
    message = why(card, *[debit(10**9, call(), call())] * 3, parts={"grant": "1", "usage": "-9223372036854"})
    assert block_kit.problems(message.blocks) == ()


def test_a_missing_variable_is_an_error() -> None:
    """A template never writes an empty place where a figure should be."""
    with pytest.raises(UndefinedError, match="contact"):
        render.message("commands/services", services=[])
    with pytest.raises(UndefinedError, match="available"):
        render.message("balance/balance", card=SimpleNamespace(debt=0, granted=1), services=[], contact="")


def test_only_three_characters_are_escaped() -> None:
    """Slack decodes `&`, `<` and `>` and nothing else, so apostrophes and quotes stay themselves."""
    assert render.escape("<a> & \"b\" 'c'") == "&lt;a&gt; &amp; \"b\" 'c'"
    assert render.escape(render.escape("&")) == "&amp;"


# --- The templates themselves --------------------------------------------------------------------------------------


def is_part(name: str) -> bool:
    """Whether a template is only what several messages have in common: its name begins with `_`."""
    return name.rpartition("/")[2].startswith("_")


VIEWS = (f"{render.MODALS}/", f"{render.HOMES}/")


def template_names(folder: str = "") -> set[str]:
    """The names of all messages, or of all views in a folder."""
    names = {name.removesuffix(".j2") for name in render.environment().list_templates() if not is_part(name)}
    if folder:
        return {name.removeprefix(f"{folder}/") for name in names if name.startswith(f"{folder}/")}
    return {name for name in names if not name.startswith(VIEWS)}


def parsed_templates() -> Iterator[tuple[str, nodes.Template]]:
    env = render.environment()
    assert env.loader is not None
    for name in env.list_templates():
        yield name, env.parse(env.loader.get_source(env, name)[0])


def test_no_template_concatenates() -> None:
    """`~` falls back to HTML's escaping, which Slack does not decode, so no template uses it."""
    for name, tree in parsed_templates():
        assert not list(tree.find_all(nodes.Concat)), name


def test_every_template_sets_a_constant_fallback() -> None:
    """Each message sets its fallback text in words of ours: a variable there could be a figure or a mention."""
    for name, tree in parsed_templates():
        calls = [c for c in tree.find_all(nodes.Call) if isinstance(c.node, nodes.Name) and c.node.name == "fallback"]
        if is_part(name) or name.startswith(VIEWS):
            assert not calls, name
            continue
        assert calls, name
        assert all(isinstance(call.args[0], nodes.Const) for call in calls), name


def rendered_names(function: str = "render.message") -> Iterator[tuple[str, str]]:
    """(file, template) of every `render.message("…")` in the code."""
    for folder in SOURCES:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
                    name: Any = node.args[0]
                    assert isinstance(name, ast.Constant), f"{path}:{node.lineno}: the name is not written out"
                    yield path.name, str(name.value)


def test_templates_and_their_uses_agree() -> None:
    """Every template is rendered somewhere, and every name that is rendered has a template."""
    assert {name for _, name in rendered_names()} == template_names()
    assert {name for _, name in rendered_names("render.modal")} == template_names(render.MODALS)
    assert {name for _, name in rendered_names("render.home")} == template_names(render.HOMES)


def test_every_part_is_part_of_a_message() -> None:
    """No macro and no passage is kept that nothing imports or includes."""
    trees = [tree for _, tree in parsed_templates()]
    imported = {i.template.as_const() for tree in trees for i in tree.find_all(nodes.FromImport)}
    imported |= {i.template.as_const() for tree in trees for i in tree.find_all(nodes.Include)}
    assert imported == {name for name, _ in parsed_templates() if is_part(name)}


def test_every_template_has_a_golden_file() -> None:
    """No message goes without a test: each template's name begins a case."""
    for name in template_names():
        assert any(case.startswith(name.rpartition("/")[2]) for case in CASES), name
    for name in template_names(render.HOMES):
        assert any(case.startswith(name) for case in pages.CASES), name


LETTERS = [name for name in appealed.CASES if name.startswith(("notice", "my_review")) and "hostile" not in name]


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_of_a_review_has_at_most_twelve_lines(name: str) -> None:
    """Answer, reason, what undoes it, and the next step: the statistics wait behind a button."""
    said = appealed.CASES[name]()
    texts = [block["text"]["text"] for block in said.blocks if block["type"] == "section"]
    notes = [note["text"] for block in said.blocks if block["type"] == "context" for note in block["elements"]]
    rows = sum(block["type"] == "actions" for block in said.blocks)
    assert sum(len([line for line in text.split("\n") if line]) for text in texts + notes) + rows <= 12


def test_the_board_reads_the_person_s_own_words() -> None:
    """The reason and what undoes it are the same in the letter, in `/tokens review`, in *Why* and on the card."""
    said = json.dumps(appealed.notice().blocks, ensure_ascii=False)
    reason = said[said.index("you used 25 %") : said.index("*If you think")].partition('"')[0]
    assert "What undoes it" in reason
    for other in (
        appealed.mine(may_appeal=True).blocks,
        appealed.CASES["appeal_card"]().blocks,
        packs.MODALS["review_why"](),
    ):
        assert reason in json.dumps(other, ensure_ascii=False)
