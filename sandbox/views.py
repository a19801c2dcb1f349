"""Views of both kinds, modals and Homes: what the app sent, and what the person filled in."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sandbox import block_ids, block_kit, elements
from sandbox.content import Rejected
from sandbox.model import Filled, Json

LARGEST = 250_000
Place = tuple[str, str]
"""block_id and action_id: where something is filled in."""


class ViewRefused(Exception):  # noqa: N818 - the platform's word for it is its code
    """The argument is the platform's error code."""


@dataclass(frozen=True, kw_only=True)
class KeptView:
    """`view` is what the app sent, with ids for all blocks; `values` are what is filled in."""

    id: str
    user: str
    view: Json
    hash: str
    values: Mapping[Place, Filled] = field(default_factory=dict)
    found: Mapping[Place, tuple[Json, ...]] = field(default_factory=dict)
    """What searches brought, for menus whose options the app keeps."""

    @property
    def blocks(self) -> tuple[Json, ...]:
        return tuple(self.view["blocks"])

    @property
    def offering(self) -> tuple[Json, ...]:
        """The blocks, with what can be chosen by now in menus whose options the app keeps."""
        return tuple(self._with_found(block) for block in self.blocks)

    def _with_found(self, block: Json) -> Json:
        element = block.get("element", {})
        if element.get("type") != "external_select":
            return block
        given = [element["initial_option"]] if "initial_option" in element else []
        brought = self.found.get((block["block_id"], element["action_id"]), ())
        options = {option["value"]: option for option in (*given, *brought)}
        return block | {"element": element | {"options": list(options.values())}}

    def find(self, block_id: str, action_id: str) -> tuple[Json, Json]:
        """The block and the element; any block will do if none is named."""
        for block in self.offering:
            for element in elements.within(block):
                if element["action_id"] == action_id and block_id in ("", block["block_id"]):
                    return block, element
        raise LookupError(f"that view has no {action_id!r}")

    def named(self) -> dict[str, tuple[Json, Json]]:
        """What can be filled in: by block_id, or by `block_id/action_id` where a block has several."""
        found: dict[str, tuple[Json, Json]] = {}
        for block in self.offering:
            inside = [element for element in elements.within(block) if elements.is_filled(element)]
            for element in inside:
                name = block["block_id"] if len(inside) == 1 else f"{block['block_id']}/{element['action_id']}"
                found[name] = block, element
        return found

    def filled(self) -> dict[str, Filled]:
        """What is filled in, by the same names."""
        return {
            name: self.values.get((block["block_id"], element["action_id"]))
            for name, (block, element) in self.named().items()
        }


def read(given: object, *, kind: str, can_show: Callable[[Mapping[str, object]], bool]) -> Json:
    """A modal or a home out of the arguments, or an answer; raises `Rejected` as strictly as the platform would."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as why:
            raise Rejected("invalid_arguments", ("[ERROR] invalid JSON [json-pointer:/view]",)) from why
    if problems := block_kit.view_problems(given, kind, can_show=can_show):
        raise Rejected("invalid_arguments", problems)
    if not isinstance(given, dict) or len(json.dumps(given)) > LARGEST:
        raise Rejected("view_too_large")
    # The platform makes up new ids with every version: what was typed into a nameless block is lost by an update.
    return given | {"blocks": list(block_ids.with_ids(given["blocks"], prefix=secrets.token_hex(3)))}


def new_id() -> str:
    return f"V{secrets.token_hex(5).upper()}"


def new_hash(now: datetime) -> str:
    return f"{int(now.timestamp())}.{secrets.token_hex(4)}"


def initial_values(view: Json) -> dict[Place, Filled]:
    return {
        (block["block_id"], element["action_id"]): elements.initial(element)
        for block in view["blocks"]
        for element in elements.within(block)
        if elements.is_filled(element)
    }


def carried(before: KeptView, view: Json) -> dict[Place, Filled]:
    """What is filled in after an update: it stays where block_id, action_id and type do."""
    values = initial_values(view)
    for block in view["blocks"]:
        for element in elements.within(block):
            place = block["block_id"], element["action_id"]
            if place not in before.values or place not in values:
                continue
            known = before.find(*place)[1]
            if known["type"] == element["type"] and elements.still_fits(element, before.values[place]):
                values[place] = before.values[place]
    return values
