"""Whatever our OpenAPI document allows, and much that it forbids, has an answer that is no failure of ours."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from handlers import batches, http
from handlers.rates import Rate
from programme.app import App
from programme.usage import keys
from store.engine import open_database
from tests.conftest import ZONE
from tests.support import depth
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemathesis.schemas import BaseSchema

pytestmark = pytest.mark.deep

SECRET = "github"
PATHS = (
    "/v1/usage",
    "/v1/usage/litellm",
    "/v1/otlp/v1/traces",
    "/v1/holds",
    "/v1/holds/{hold_id}/settle",
    "/v1/holds/{hold_id}/release",
    "/v1/holds/{hold_id}/extend",
    "/v1/allowances",
    "/v1/allowances/{lease_id}",
    "/v1/authorize",
    "/v1/guardrail/beta/litellm_basic_guardrail_api",
    "/v1/wallets/me",
    "/v1/listing",
    "/v1/outcomes",
    "/v1/outcomes/github",
    "/healthz",
    "/readyz",
    "/metrics",
)


@pytest.fixture(scope="module")
def api(settled_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BaseSchema, str]]:
    """The description of a running bot, and a key for everything; no rate holds the walk back."""
    path = shutil.copy(settled_sqlite, tmp_path_factory.mktemp("walk"))
    app = App(open_database(f"sqlite:///{path}"), ZONE, Clock())
    with app.transaction() as moment:
        made = keys.create(moment, name="walker", source="walker", scopes=keys.SCOPES, actor="test")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(batches, "BY_KEY", Rate(at_once=10**9, a_second=1))
        described = schemathesis.openapi.from_asgi("/openapi.json", http.build(app, github_secret=SECRET))
    yield described, made.secret
    app.database.close()


def operations(schema: BaseSchema) -> dict[str, Any]:
    found: list[Any] = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    # What waits for changes would take its seconds each time.
    return {operation.path: operation for operation in found if not operation.path.endswith("/changes")}


def test_every_route_is_walked(api: tuple[BaseSchema, str]) -> None:
    """A new route has to be put on the list here."""
    assert sorted(operations(api[0])) == sorted(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_that_is_sent_is_a_failure(api: tuple[BaseSchema, str], path: str) -> None:
    """With a key and without one, described or not: no answer is a 5xx."""
    schema, secret = api
    operation = operations(schema)[path]
    cases = st.one_of(
        *(operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
    )

    @settings(
        max_examples=depth.examples(50),
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(case=cases, authorized=st.booleans())
    def walk(
        case: Any,  # noqa: ANN401 - of any operation
        *,
        authorized: bool,
    ) -> None:
        headers = {"Authorization": f"Bearer {secret}"} if authorized else {}
        assert case.call(headers=headers).status_code < 500

    walk()
