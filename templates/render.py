"""From a template's name and a view to a message: fallback text and blocks.

Only `&`, `<` and `>` are escaped, because Slack decodes only those. A variable that is missing is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined, Template
from markupsafe import Markup

from policy import multiples
from templates import formats, labels
from templates.blocks import Block, BlockCollector
from templates.limits import NOT_IN_MODALS


@dataclass(frozen=True, slots=True)
class Message:
    """A message for Slack; `text` is what notifications and screen readers get."""

    text: str
    blocks: list[Block]

    def ephemeral(self) -> dict[str, Any]:
        """The body of an acknowledgement that only the person who asked can see."""
        return {"response_type": "ephemeral", "text": self.text, "blocks": self.blocks}


def escape(value: object) -> Markup:
    """The value as mrkdwn text in which nothing is a link, a mention or an entity."""
    if isinstance(value, Markup):
        return value
    text = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # What it is by now: `Markup(text)` would look first whether the text knows better.
    return str.__new__(Markup, text)


MODALS, HOMES = "modals", "home"
_views = {folder: PackageLoader("templates", folder) for folder in (MODALS, HOMES)}


MULTIPLES = {"in_grants": multiples.grants, "grants_at_most": multiples.limit}


def environment() -> Environment:
    """The templates' environment, with our filters and nothing else."""
    env = Environment(
        loader=ChoiceLoader([PackageLoader("templates", "messages"), PrefixLoader(_views)]),
        autoescape=True,
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Templates ship with the package: they do not change under a running process.
        auto_reload=False,
    )
    # Each import of a template goes through all of them.
    env.globals = {"range": range}
    env.filters.update(formats.FILTERS | labels.FILTERS | MULTIPLES)
    return env


_environment = environment()


@cache
def _template(name: str) -> Template:
    return _environment.get_template(f"{name}.j2")


def message(name: str, **view: object) -> Message:
    """Render `messages/<name>.j2` with a view; MessageLimitError when it says more than Slack takes."""
    return Message(*_filled(name, view).finished())


def modal(name: str, **view: object) -> Block:
    """Render `modals/<name>.j2` with a view; MessageLimitError when it says more than Slack takes."""
    return _filled(f"{MODALS}/{name}", view).view()


def home(name: str, **view: object) -> Block:
    """Render `home/<name>.j2` with a view; MessageLimitError when it says more than Slack takes."""
    return _filled(f"{HOMES}/{name}", view).view()


def answer(said: Message, *, title: str) -> Block:
    """A message as a modal, for clicks outside of any conversation; without what modals cannot show."""
    collector = BlockCollector()
    collector.modal(title, callback="answer")
    collector.blocks = [block for block in said.blocks if block["type"] not in NOT_IN_MODALS]
    if not collector.blocks:
        collector.section(lambda: said.text)
    return collector.view()


def _filled(name: str, view: dict[str, object]) -> BlockCollector:
    collector = BlockCollector()
    _template(name).render(
        fallback=collector.fallback,
        header=collector.header,
        section=collector.section,
        fields=collector.fields,
        field=collector.field,
        context=collector.context,
        alert=collector.alert,
        divider=collector.divider,
        table=collector.table,
        actions=collector.actions,
        button=collector.button,
        modal=collector.modal,
        home_view=collector.home,
        chart=collector.chart,
        data_table=collector.data_table,
        text_input=collector.text_input,
        date_input=collector.date_input,
        select_input=collector.select_input,
        search_input=collector.search_input,
        people_input=collector.people_input,
        checks_input=collector.checks_input,
        **view,
    )
    return collector
