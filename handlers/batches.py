"""What programs report in batches: who may, what becomes of each item, and what OpenAPI says of it.

(No postponed annotations here: FastAPI reads those of `require_key`, which name a local dependency.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, cast

from fastapi import Depends, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import Counter
from pydantic import BaseModel

from handlers import bodies
from handlers.decoding import MalformedBodyError
from programme.app import App
from programme.moment import Moment
from programme.usage import keys
from store.usage.keys import ApiKey

MOST_ITEMS = 10_000

Item = TypeVar("Item")
Rest = TypeVar("Rest")
Fate = tuple[str, str, str, str]
"""What became of one item: its source, its id, a status, and why where the status does not say it."""


@dataclass(frozen=True, slots=True)
class Intake(Generic[Item, Rest]):
    """How one kind of item is taken in; `refuse` answers for what a parser found instead of one."""

    plural: str
    kind: type[Item] | tuple[type[Item], ...]
    take_in: Callable[[Moment, list[Item]], Sequence[Fate]]
    refuse: Callable[[Rest], Fate]
    statuses: Sequence[str]
    counter: Counter

    def answer(self, app: App, parse: Callable[[], Sequence[Item | Rest]]) -> Response:
        """Take in what a body holds, and answer for each item in its order."""
        try:
            parsed = parse()
        except MalformedBodyError as error:
            raise HTTPException(400, str(error)) from error
        if len(parsed) > MOST_ITEMS:
            raise HTTPException(413, f"{len(parsed)} {self.plural} in one batch; send at most {MOST_ITEMS}")
        taken = iter(self.taken(app, [item for item in parsed if isinstance(item, self.kind)]))
        # What is no item is the rest: mypy does not conclude that from a type that is known at run time only.
        return self._told(
            [next(taken) if isinstance(item, self.kind) else self.refuse(cast("Rest", item)) for item in parsed]
        )

    def taken(self, app: App, items: list[Item]) -> Sequence[Fate]:
        """Take items in, all in one transaction."""
        with app.transaction() as moment:
            return self.take_in(moment, items)

    def _told(self, fates: Sequence[Fate]) -> Response:
        summary = dict.fromkeys(self.statuses, 0)
        for _, _, status, _ in fates:
            summary[status] += 1
        for status, count in summary.items():
            self.counter.labels(status).inc(count)
        results = [
            {"source": source, "id": item_id, "status": status, "detail": detail}
            for source, item_id, status, detail in fates
        ]
        return bodies.as_json({"results": results, "summary": summary})


def key_with(app: App, *scopes: str) -> Callable[..., ApiKey]:
    """A dependency: the key in force that the request carries, if it has one of the scopes."""
    bearer = HTTPBearer(auto_error=False, description="A key from `tokens-bot keys create`.")

    def require_key(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> ApiKey:
        with app.reading() as moment:
            key = keys.authenticate(moment, credentials.credentials) if credentials else None
        if key is None:
            raise HTTPException(401, "A key in force is needed.", headers={"WWW-Authenticate": "Bearer"})
        if key.scopes.isdisjoint(scopes):
            raise HTTPException(403, f"Key {key.name!r} lacks the scope {' or '.join(map(repr, scopes))}.")
        return key

    return require_key


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
            413: {"description": f"More than {MOST_ITEMS} items, or more than {bodies.LARGEST} bytes."},
            415: {"description": "The body has a Content-Encoding, such as gzip."},
            503: {"description": "The database does not answer; send the batch again."},
        },
    }
