"""What the app published on its Home tab: for each person a view of their own."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from sandbox import files, views
from sandbox.model import Filled, Home, Json
from sandbox.views import KeptView, Place, ViewRefused


def as_seen(kept: KeptView) -> Home:
    return Home(
        id=kept.id,
        callback_id=kept.view.get("callback_id", ""),
        blocks=kept.blocks,
        values=kept.filled(),
        hash=kept.hash,
        private_metadata=kept.view.get("private_metadata", ""),
    )


class Homes:
    """May be used from any thread; `changed` is called after each change."""

    def __init__(self, *, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.RLock()
        self._published: dict[str, KeptView] = {}
        self._pictures: dict[str, set[str]] = {}

    def of(self, user: str) -> KeptView | None:
        with self._lock:
            return self._published.get(user)

    def pictures_of(self, user: str) -> set[str]:
        """The ids of all that was ever shown on it: a page may draw a version while the next one is published."""
        with self._lock:
            return set(self._pictures.get(user, ()))

    def find(self, view_id: str = "", external_id: str = "") -> KeptView:
        with self._lock:
            for kept in self._published.values():
                if kept.id == view_id or (external_id and kept.view.get("external_id") == external_id):
                    return kept
        raise ViewRefused("not_found")

    def publish(self, user: str, view: Json, *, now: datetime, expected: str = "") -> KeptView:
        """Each person's view keeps its id for ever; what was filled in stays where block_id, action_id and type do."""
        with self._lock:
            before = self.of(user)
            if expected and (before is None or before.hash != expected):
                raise ViewRefused("hash_conflict")
            self._refuse_duplicate(view, user)
            if before is None:
                values = views.initial_values(view)
                kept = KeptView(id=views.new_id(), user=user, view=view, hash=views.new_hash(now), values=values)
            else:
                kept = replace(before, view=view, hash=views.new_hash(now), values=views.carried(before, view))
            self._published[user] = kept
            self._pictures.setdefault(user, set()).update(files.pictures_in(kept.blocks))
        self._changed()
        return kept

    def fill(self, user: str, values: Mapping[Place, Filled]) -> None:
        """What the person filled in, in the view as it is by now."""
        with self._lock:
            kept = self._published[user]
            known = {place: filled for place, filled in values.items() if place in kept.values}
            self._published[user] = replace(kept, values={**kept.values, **known})
        self._changed()

    def _refuse_duplicate(self, view: Json, user: str) -> None:
        try:
            known = self.find(external_id=view.get("external_id") or "")
        except ViewRefused:
            return
        if known.user != user:
            raise ViewRefused("duplicate_external_id")
