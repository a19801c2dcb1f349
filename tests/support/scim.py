"""An identity provider's side of SCIM, as the vendors' own documents describe their requests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi.testclient import TestClient

from handlers import http
from programme.usage import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from programme.app import App

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
OURS = "urn:tokens-bot:params:scim:schemas:extension:participation:1.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Provider:
    """An identity provider that is connected to an app."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        given = {"Content-Type": "application/scim+json", **headers}
        return self.client.request(method, f"/scim/v2{path}", json=body, headers=given)

    def post(self, path: str, body: object) -> dict[str, Any]:
        return _json(self.ask("POST", path, body), 201)

    def get(self, path: str) -> dict[str, Any]:
        return _json(self.ask("GET", path), 200)

    def put(self, path: str, body: object) -> dict[str, Any]:
        return _json(self.ask("PUT", path, body), 200)

    def patch(self, path: str, *operations: dict[str, Any]) -> None:
        answer = self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})
        assert answer.status_code == 204, answer.text

    def found(self, filter_: str, of: str = "Users") -> list[dict[str, Any]]:
        answer = self.client.get(f"/scim/v2/{of}", params={"filter": filter_, "startIndex": "1", "count": "100"})
        resources: list[dict[str, Any]] = _json(answer, 200).get("Resources", [])
        return resources


def _json(answer: Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def connected(app: App) -> Iterator[Provider]:
    """A provider with a key of its own."""
    with app.transaction() as moment:
        secret = keys.create(moment, name="idp", source="idp", scopes=["scim:write"], actor="test").secret
    with TestClient(http.build(app)) as client:
        client.headers["authorization"] = f"Bearer {secret}"
        yield Provider(client)
