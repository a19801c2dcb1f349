"""What our templates are compiled to: the same as Jinja's own, without what none of them uses.

Jinja escapes each value for HTML after our `finalize`, which has done so for Slack; hands each call the template's
context, in case it wants that; and looks for imported macros anew each time. That was two fifths of a message's time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment
from jinja2.compiler import CodeGenerator

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.compiler import Frame
    from jinja2.environment import TemplateModule


class _Generator(CodeGenerator):
    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if finalize.src is None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write(finalize.src)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if finalize.src is None:
            super()._output_child_post(node, frame, finalize)
        else:
            self.write(")")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: FBT001, FBT002, N802 - Jinja's
        """Call it; no function of ours asks for the context."""
        self.visit(node.node, frame)
        # An empty argument before the first, because Jinja writes a comma before each.
        self.write("(*()")
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write(")")

    def _import_common(self, node: nodes.Import | nodes.FromImport, frame: Frame) -> None:
        if node.with_context:
            super()._import_common(node, frame)
            return
        self.write("environment.module_of(")
        self.visit(node.template, frame)
        self.write(")")


class CompiledEnvironment(Environment):
    """An environment whose `finalize`, if it has one, makes text that is escaped; its templates never change."""

    code_generator_class = _Generator

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # Jinja's own names
        self.module_of = cache(self._module_of)

    def _module_of(self, name: str) -> TemplateModule:
        """The macros of a template that is imported without the context of who imports it."""
        return self.get_template(name).module
