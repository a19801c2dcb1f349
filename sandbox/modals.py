"""The modals that people have open: at most three on top of each other for each person, and what is filled in."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sandbox import views
from sandbox.model import Json, View
from sandbox.views import KeptView, Place, ViewRefused

HIGHEST_STACK = 3


@dataclass(frozen=True, kw_only=True)
class Modal(KeptView):
    """`errors` stand beside the blocks that they name; `answered` is how often it was submitted and stayed."""

    root: str
    previous: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""
    answered: int = 0

    def as_seen(self) -> View:
        def words(key: str) -> str:
            return str((self.view.get(key) or {}).get("text", ""))

        return View(
            id=self.id,
            callback_id=self.view.get("callback_id", ""),
            title=words("title"),
            blocks=self.blocks,
            values=self.filled(),
            errors=dict(self.errors),
            notice=self.notice,
            hash=self.hash,
            private_metadata=self.view.get("private_metadata", ""),
            submit=words("submit"),
            close=words("close"),
        )


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
        raise ViewRefused("not_found")

    def is_open(self, view_id: str) -> bool:
        with self._lock:
            return any(modal.id == view_id for stack in self._stacks.values() for modal in stack)

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
                raise ViewRefused("push_limit_reached")
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
                raise ViewRefused("hash_conflict")
            self._refuse_duplicate(view, except_for=view_id)
            kept = replace(
                modal, view=view, hash=views.new_hash(now), errors={}, notice="", values=views.carried(modal, view)
            )
            self._replace(kept)
        self._changed()
        return kept

    def change(self, view_id: str, **changes: Any) -> None:  # noqa: ANN401 - fields of any type
        """What the person did to it, or is told in it; nothing if it was closed meanwhile."""
        with self._lock:
            try:
                self._replace(replace(self.find(view_id), **changes))
            except ViewRefused:
                return
        self._changed()

    def found(self, view_id: str, place: Place, options: tuple[Json, ...]) -> None:
        """What a search brought stays to be chosen; nothing if the modal was closed meanwhile."""
        with self._lock:
            if self.is_open(view_id):
                modal = self.find(view_id)
                self._replace(replace(modal, found={**modal.found, place: (*modal.found.get(place, ()), *options)}))

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
        except ViewRefused:
            return
        if known.id != except_for:
            raise ViewRefused("duplicate_external_id")


def _fresh(user: str, view: Json, now: datetime, *, below: Modal | None = None) -> Modal:
    name, values = views.new_id(), views.initial_values(view)
    root, previous = (below.root, below.id) if below else (name, "")
    return Modal(id=name, user=user, view=view, hash=views.new_hash(now), root=root, previous=previous, values=values)
