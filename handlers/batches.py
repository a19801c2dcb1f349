"""What programs report in batches: who may, what becomes of each item, and what OpenAPI says of it.

(No postponed annotations here: FastAPI reads those of `require_key`, which name a local dependency.)
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, cast

from fastapi import Depends, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import Counter
from pydantic import BaseModel

from handlers import bodies
from handlers.decoding import MalformedBodyError
from handlers.rates import BY_KEY, Buckets, Rate
from programme.app import App
from programme.moment import Moment
from programme.usage import keys
from store import losses
from store.usage.keys import ApiKey

MOST_ITEMS = 10_000

Item = TypeVar("Item")
Rest = TypeVar("Rest")
Fate = tuple[str, str, str, str]
"""What became of one item: its source, its id, a status, and why where the status does not say it."""


@dataclass(frozen=True, slots=True)
class Intake(Generic[Item, Rest]):
    """How one kind of item is taken in; `refuse` answers for what a parser found instead of one.

    `note_rejected` keeps (id, what is wrong) of items of a sender that are rejected, for those who never read answers.
    """

    plural: str
    kind: type[Item] | tuple[type[Item], ...]
    take_in: Callable[[Moment, list[Item]], Sequence[Fate]]
    refuse: Callable[[Rest], Fate]
    statuses: Sequence[str]
    counter: Counter
    note_rejected: Callable[[Moment, str, Sequence[tuple[str, str]]], None] | None = None
    remarked: Counter | None = None
    """Counts what was accepted with a remark."""

    def answer(self, app: App, parse: Callable[[], Sequence[Item | Rest]], *, sender: str = "") -> Response:
        """Take in what a body holds, and answer for each item in its order."""
        return self._told(self.fates(app, parse, sender=sender))

    def fates(self, app: App, parse: Callable[[], Sequence[Item | Rest]], *, sender: str = "") -> list[Fate]:
        """Take in what a body holds; what became of each item, in its order."""
        try:
            parsed = parse()
        except MalformedBodyError as error:
            if self.note_rejected is not None:
                with app.transaction() as moment:
                    self.note_rejected(moment, sender, [("", str(error))])
            raise HTTPException(400, str(error)) from error
        if len(parsed) > MOST_ITEMS:
            raise HTTPException(413, f"{len(parsed)} {self.plural} in one batch; send at most {MOST_ITEMS}")
        # What is no item is the rest: mypy does not conclude that from a type that is known at run time only.
        rest = [None if isinstance(item, self.kind) else self.refuse(cast("Rest", item)) for item in parsed]
        self._note(app, filter(None, rest), sender)
        taken = iter(self.taken(app, [item for item in parsed if isinstance(item, self.kind)]))
        fates = [fate or next(taken) for fate in rest]
        for status, count in self._summary(fates).items():
            self.counter.labels(status).inc(count)
        if self.remarked is not None:
            # What a parser found instead of an item has no source.
            self.remarked.inc(sum(1 for source, _, status, why in fates if why and source and status == "accepted"))
        return fates

    def taken(self, app: App, items: list[Item]) -> Sequence[Fate]:
        """Take items in, all in one transaction; each is known, so where the connection is lost they come again."""

        def take() -> Sequence[Fate]:
            with app.transaction() as moment:
                return self.take_in(moment, items)

        return losses.done_again(take)

    def _note(self, app: App, fates: Iterable[Fate], sender: str) -> None:
        if self.note_rejected is None:
            return
        if rejected := [(item_id, detail) for _, item_id, status, detail in fates if status == "rejected"]:
            with app.transaction() as moment:
                self.note_rejected(moment, sender, rejected)

    def _summary(self, fates: Sequence[Fate]) -> dict[str, int]:
        summary = dict.fromkeys(self.statuses, 0)
        for _, _, status, _ in fates:
            summary[status] += 1
        return summary

    def _told(self, fates: Sequence[Fate]) -> Response:
        results = [
            {"source": source, "id": item_id, "status": status, "detail": detail}
            for source, item_id, status, detail in fates
        ]
        return bodies.as_json({"results": results, "summary": self._summary(fates)})


Guard = Callable[..., Callable[..., ApiKey]]
"""Makes the dependency of a route from the scopes of which its key has to have one."""


def _key_of(app: App, secret: str) -> ApiKey | None:
    with app.reading() as moment:
        return keys.authenticate(moment, secret)


def guard(app: App, rate: Rate | None = None) -> Guard:
    """What all routes of an app share: however many a key may use, it is one key with one rate."""
    bearer = HTTPBearer(auto_error=False, description="A key from `tokens-bot keys create`.")
    buckets = Buckets(rate or BY_KEY)

    def key_with(*scopes: str) -> Callable[..., ApiKey]:
        """A dependency: the key in force that the request carries, if it has one of the scopes."""

        def require_key(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> ApiKey:
            key = losses.done_again(lambda: _key_of(app, credentials.credentials)) if credentials else None
            if key is None:
                raise HTTPException(401, "A key in force is needed.", headers={"WWW-Authenticate": "Bearer"})
            now = app.clock()
            if wait := buckets.seconds_to_wait(key.id, now):
                detail = f"Key {key.name!r} sends too many requests; put more events into each."
                raise HTTPException(429, detail, headers={"Retry-After": str(wait)})
            if key.scopes.isdisjoint(scopes):
                raise HTTPException(403, f"Key {key.name!r} lacks the scope {' or '.join(map(repr, scopes))}.")
            if not key.was_used_lately(now):
                with app.transaction(now) as moment:
                    keys.note_use(moment, key)
            return key

        return require_key

    return key_with


def described(
    item: dict[str, Any], answer: type[BaseModel], *, scope: str, kinds: Sequence[str] = ("application/json",)
) -> dict[str, Any]:
    """What OpenAPI should know of a route whose body is parsed by hand, for speed."""
    either = {"oneOf": [item, {"type": "array", "items": item, "maxItems": MOST_ITEMS}]}
    return {
        "openapi_extra": {"requestBody": {"required": True, "content": {kind: {"schema": either} for kind in kinds}}},
        "response_model": answer,
        "responses": {
            400: {"description": "The body is not JSON, or has another outer shape."},
            401: {"description": "No key in force."},
            403: {"description": f"The key lacks the scope `{scope}`."},
            413: {"description": f"More than {MOST_ITEMS} items, or more than {bodies.LARGEST} bytes, decompressed."},
            429: {"description": "The key sends too many requests; `Retry-After` says when to go on."},
            415: {"description": "The body has a Content-Encoding other than gzip."},
            503: {"description": "The database does not answer; send the batch again."},
        },
    }
