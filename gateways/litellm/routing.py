"""Which models may answer for a name that clients use: the proxy's own list knows."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from .leases import Prices
from .reports import model_of

if TYPE_CHECKING:
    from .leases import Model

REMEMBERED_SECONDS = 60
MOST_NAMES = 1_000

_known: dict[str, tuple[float, tuple[Model, ...]]] = {}


def models_of(name: str) -> tuple[Model, ...]:
    """The models behind a name, looked up once a minute; the name itself where the proxy has no list."""
    found = _known.get(name)
    now = time.monotonic()
    if found is None or now - found[0] > REMEMBERED_SECONDS:
        if len(_known) >= MOST_NAMES:
            _known.clear()
        found = _known[name] = (now, _looked_up(name))
    return found[1]


def prices_of(model: Model) -> Prices | None:
    """What LiteLLM itself thinks that a model costs."""
    known = sys.modules.get("litellm")
    try:
        told = known.get_model_info(model=model.name, custom_llm_provider=model.provider) if known else {}
    except Exception:  # noqa: BLE001 - its word for a model that it does not know
        return None
    names = {"input_uncached": "input_cost_per_token", "output": "output_cost_per_token"}
    return Prices.of({ours: str(told.get(theirs) or 0) for ours, theirs in names.items()}, None) if told else None


def _looked_up(name: str) -> tuple[Model, ...]:
    # Not imported: whoever asks from within a proxy has it, and nobody else pays for loading it.
    server = sys.modules.get("litellm.proxy.proxy_server")
    router = getattr(server, "llm_router", None)
    deployments = (router.get_model_list(model_name=name) or []) if router and name else []
    models = {_model(one.get("litellm_params") or {}, one.get("model_info") or {}) for one in deployments}
    return tuple(sorted(models)) or (_split(name),)


def _model(parameters: dict[str, Any], information: dict[str, Any]) -> Model:
    """The model of a deployment; companies that name deployments say which model is behind it."""
    model = str(parameters.get("model") or "")
    provider = parameters.get("custom_llm_provider")
    named = model_of(provider, model) if provider else _split(model)
    base = information.get("base_model")
    return model_of(named.provider, base) if isinstance(base, str) and base else named


def _split(name: str) -> Model:
    """`provider/model`; LiteLLM knows whose a bare name is."""
    provider, found, model = name.partition("/")
    if found:
        return model_of(provider, model)
    known = sys.modules.get("litellm")
    try:
        model, provider, *_ = known.get_llm_provider(model=name) if known else (name, "")
    except Exception:  # noqa: BLE001 - LiteLLM has an error of its own for each provider; the bot will ask by the name
        provider, model = "", name
    return model_of(provider, model)
