"""Runs inside LiteLLM: who a key belongs to. Keys of a proxy with a database carry the same fields by themselves."""

from __future__ import annotations

from litellm.proxy._types import (  # type: ignore[import-not-found]  # installed in var/gateway-venv alone
    ProxyException,
    UserAPIKeyAuth,
)
from starlette.requests import Request  # noqa: TC002 - LiteLLM reads the annotations

OWNERS = {
    "sk-ada": {"user_id": "ada@example.com", "user_email": "ada@example.com", "key_alias": "ada-laptop"},
    "sk-ben": {"user_id": "ben@example.com", "user_email": "ben@example.com", "key_alias": "ben-laptop"},
    # Ben's agents, in the trial of the plugin.
    "sk-trial": {"user_id": "ben@example.com", "user_email": "ben@example.com", "key_alias": "ben-agents"},
    "sk-ci": {"user_id": "ci-runner", "key_alias": "ci"},
}


async def user_of_key(request: Request, api_key: str) -> UserAPIKeyAuth:  # noqa: ARG001 - LiteLLM's signature
    if api_key not in OWNERS:
        raise ProxyException(message="This key is unknown.", type="auth_error", param="api_key", code=401)
    return UserAPIKeyAuth(api_key=api_key, **OWNERS[api_key])
