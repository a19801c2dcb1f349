"""What our templates are compiled to says what Jinja's own code would say, only sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError
from markupsafe import Markup

from templates import render
from templates.compiling import CompiledEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = {
    "macros": "{% macro bold(text, mark='*') %}{{ mark }}{{ text }}{{ mark }}{% endmacro %}",
    "within": "{% macro own() %}{{ word }}{% endmacro %}",
}
TEMPLATES = {
    "a value": "{{ word }} <b>",
    "a call with arguments": "{{ join(word, 2, sep='-', *more, **named) }}",
    "a call without any": "{{ nothing() }}",
    "a name that Python keeps": "{{ keywords(class=word) }}",
    "a macro": "{% from 'macros' import bold %}{{ bold(word) }}{{ bold(word, mark='_') }}",
    "a macro of a module": "{% import 'macros' as m %}{{ m.bold(word) }}",
    "a macro with its context": "{% from 'within' import own with context %}{{ own() }}",
    "a call block": "{% call twice() %}{{ word }}&{% endcall %}",
    "a call block in a loop": "{% for it in more %}{% call twice() %}{{ loop.index }}{{ it }}{% endcall %}{% endfor %}",
    "a set block": "{% set said %}{{ word }}{% endset %}{{ said }}",
    "a constant": "{{ 1 + 1 }}{{ 'x' }}",
    "what is escaped already": "{{ marked }}",
}


def _said(environment: Callable[..., Environment], source: str) -> str:
    loader = DictLoader({**PARTS, "it": source})
    env = environment(loader=loader, autoescape=True, finalize=render.escape, undefined=StrictUndefined)
    return env.get_template("it").render(
        word="<a> & 'b'",
        more=["<", 2],
        named={"end": "!"},
        marked=Markup("&lt;"),
        nothing=lambda: "",
        join=lambda *parts, sep, end: sep.join(map(str, parts)) + end,
        keywords=lambda **given: given["class"],
        twice=lambda caller: caller() * 2,
    )


def _jinja(**options: object) -> Environment:
    """Jinja's own escaping would be for HTML: what is marked as escaped passes it."""

    def finalize(value: object) -> Markup:
        return Markup(render.escape(value))  # noqa: S704 - this is the escaping

    return Environment(**{**options, "finalize": finalize})  # type: ignore[arg-type]  # noqa: S701 - it does


@pytest.mark.parametrize("source", TEMPLATES.values(), ids=TEMPLATES)
def test_both_say_the_same(source: str) -> None:
    """Values, calls, macros and blocks come out as Jinja's own code would write them."""
    assert _said(CompiledEnvironment, source) == _said(_jinja, source)


@pytest.mark.parametrize("source", ["{{ absent }}", "{{ absent() }}", "{{ word.absent }}", "{{ word.absent() }}"])
def test_what_is_missing_is_an_error(source: str) -> None:
    """A name that a view does not have is never an empty text."""
    with pytest.raises(UndefinedError):
        _said(CompiledEnvironment, source)
