"""The modals that people have open: at most three on top of each other for each person, and what is filled in."""

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sandbox import block_kit, elements
from sandbox.content import Rejected
from sandbox.model import Filled, Json, View

HIGHEST_STACK = 3
LARGEST_VIEW = 250_000
Place = tuple[str, str]
"""block_id and action_id: where something is filled in."""


class ModalRefused(Exception):  # noqa: N818 - the platform's word for it is its code
    """The argument is the platform's error code."""


@dataclass(frozen=True, kw_only=True)
class Modal:
    """`view` is what the app sent, with ids for all blocks; `errors` stand beside the blocks that they name."""

    id: str
    user: str
    view: Json
    hash: str
    root: str
    previous: str = ""
    values: Mapping[Place, Filled] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""

    @property
    def blocks(self) -> tuple[Json, ...]:
        return tuple(self.view["blocks"])

    def find(self, block_id: str, action_id: str) -> tuple[Json, Json]:
        """The block and the element; any block will do if none is named."""
        for block in self.blocks:
            for element in elements.within(block):
                if element["action_id"] == action_id and block_id in ("", block["block_id"]):
                    return block, element
        raise LookupError(f"that view has no {action_id!r}")

    def named(self) -> dict[str, tuple[Json, Json]]:
        """What can be filled in: by block_id, or by `block_id/action_id` where a block has several."""
        found: dict[str, tuple[Json, Json]] = {}
        for block in self.blocks:
            inside = [element for element in elements.within(block) if elements.is_filled(element)]
            for element in inside:
                name = block["block_id"] if len(inside) == 1 else f"{block['block_id']}/{element['action_id']}"
                found[name] = block, element
        return found

    def as_seen(self) -> View:
        def words(key: str) -> str:
            return str((self.view.get(key) or {}).get("text", ""))

        return View(
            id=self.id,
            callback_id=self.view.get("callback_id", ""),
            title=words("title"),
            blocks=self.blocks,
            values={
                name: self.values.get((block["block_id"], element["action_id"]))
                for name, (block, element) in self.named().items()
            },
            errors=dict(self.errors),
            notice=self.notice,
            hash=self.hash,
            private_metadata=self.view.get("private_metadata", ""),
            submit=words("submit"),
            close=words("close"),
        )


def read(given: object, *, can_show: Callable[[Mapping[str, object]], bool]) -> Json:
    """The view of the arguments, or of an answer; raises `Rejected` as strictly as the platform would."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as why:
            raise Rejected("invalid_arguments", ("[ERROR] invalid JSON [json-pointer:/view]",)) from why
    if problems := block_kit.view_problems(given, can_show=can_show):
        raise Rejected("invalid_arguments", problems)
    if not isinstance(given, dict) or len(json.dumps(given)) > LARGEST_VIEW:
        raise Rejected("view_too_large")
    # The platform makes up new ids with every version: what was typed into a nameless block is lost by an update.
    return given | {"blocks": list(block_kit.with_ids(given["blocks"], prefix=secrets.token_hex(3)))}


class Modals:
    """May be used from any thread; `changed` is called after each change."""

    def __init__(self, *, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.RLock()
        self._stacks: dict[str, tuple[Modal, ...]] = {}

    def stack(self, user: str) -> tuple[Modal, ...]:
        """The one that the person sees is the last."""
        with self._lock:
            return self._stacks.get(user, ())

    def top(self, user: str) -> Modal | None:
        return next(reversed(self.stack(user)), None)

    def find(self, view_id: str = "", external_id: str = "") -> Modal:
        with self._lock:
            for modal in (modal for stack in self._stacks.values() for modal in stack):
                if modal.id == view_id or (external_id and modal.view.get("external_id") == external_id):
                    return modal
        raise ModalRefused("not_found")

    def open(self, user: str, view: Json, *, now: datetime) -> Modal:
        """The first of a stack; what was open before is gone."""
        with self._lock:
            self._refuse_duplicate(view)
            modal = _fresh(user, view, now)
            self._stacks[user] = (modal,)
        self._changed()
        return modal

    def push(self, onto: str, view: Json, *, now: datetime) -> Modal:
        with self._lock:
            user = self.find(onto).user
            stack = self.stack(user)
            if len(stack) >= HIGHEST_STACK:
                raise ModalRefused("push_limit_reached")
            self._refuse_duplicate(view)
            modal = _fresh(user, view, now, below=stack[-1])
            self._stacks[user] = (*stack, modal)
        self._changed()
        return modal

    def update(self, view_id: str, view: Json, *, now: datetime, expected: str = "") -> Modal:
        """What was filled in stays where block_id, action_id and type do."""
        with self._lock:
            modal = self.find(view_id)
            if expected and expected != modal.hash:
                raise ModalRefused("hash_conflict")
            self._refuse_duplicate(view, except_for=view_id)
            kept = replace(modal, view=view, hash=_hash(now), errors={}, notice="", values=_carried(modal, view))
            self._replace(kept)
        self._changed()
        return kept

    def change(self, view_id: str, **changes: Any) -> None:  # noqa: ANN401 - fields of any type
        """What the person did to it, or is told in it; nothing if it was closed meanwhile."""
        with self._lock:
            try:
                self._replace(replace(self.find(view_id), **changes))
            except ModalRefused:
                return
        self._changed()

    def close(self, view_id: str) -> None:
        with self._lock:
            self._stacks = {
                user: left
                for user, stack in self._stacks.items()
                if (left := tuple(m for m in stack if m.id != view_id))
            }
        self._changed()

    def clear(self, user: str) -> None:
        with self._lock:
            self._stacks.pop(user, None)
        self._changed()

    def _replace(self, modal: Modal) -> None:
        self._stacks[modal.user] = tuple(modal if m.id == modal.id else m for m in self._stacks[modal.user])

    def _refuse_duplicate(self, view: Json, *, except_for: str = "") -> None:
        try:
            known = self.find(external_id=view.get("external_id") or "")
        except ModalRefused:
            return
        if known.id != except_for:
            raise ModalRefused("duplicate_external_id")


def _fresh(user: str, view: Json, now: datetime, *, below: Modal | None = None) -> Modal:
    name = f"V{secrets.token_hex(5).upper()}"
    root, previous = (below.root, below.id) if below else (name, "")
    return Modal(
        id=name, user=user, view=view, hash=_hash(now), root=root, previous=previous, values=_initial_values(view)
    )


def _hash(now: datetime) -> str:
    return f"{int(now.timestamp())}.{secrets.token_hex(4)}"


def _initial_values(view: Json) -> dict[Place, Filled]:
    return {
        (block["block_id"], element["action_id"]): elements.initial(element)
        for block in view["blocks"]
        for element in elements.within(block)
        if elements.is_filled(element)
    }


def _carried(modal: Modal, view: Json) -> dict[Place, Filled]:
    values = _initial_values(view)
    for block in view["blocks"]:
        for element in elements.within(block):
            place = block["block_id"], element["action_id"]
            if place not in modal.values or place not in values:
                continue
            before = modal.find(*place)[1]
            if before["type"] == element["type"] and elements.still_fits(element, modal.values[place]):
                values[place] = modal.values[place]
    return values
