"""How long the plugin's own hooks take of a call: those that a real proxy was recorded to call, without the proxy.

Where a machine is shared, the difference of two proxies says more of the neighbours than of the plugin.
"""

from __future__ import annotations

import asyncio
import copy
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.gateways.litellm import proxy
from tests.support import holding

WARM = 50


def seconds(calls: int, *, leases: bool) -> list[float]:
    """What the hooks before and behind each of so many calls took together."""
    bot = holding.Bot()
    bot.wallets["ada@example.com"] = 100_000 * holding.NANO
    with tempfile.TemporaryDirectory(prefix="hooks-") as folder, holding.listening(bot):
        environment = {
            "TOKENS_BOT_URL": bot.url,
            "TOKENS_BOT_KEY": "tb_key",
            "TOKENS_BOT_JOURNAL": str(Path(folder) / "journal.db"),
            "TOKENS_BOT_LEASES": "on" if leases else "off",
        }
        with proxy.pretending(environment) as module:
            return asyncio.run(_timed(module.plugin, calls))


async def _timed(plugin: Any, calls: int) -> list[float]:  # noqa: ANN401 - the plugin has the fake's types
    before, after, *_ = proxy.recorded("chat")
    key, found = SimpleNamespace(**before["key"]), list[float]()
    for number in range(WARM + calls):
        data, payload = copy.deepcopy(before["data"]), {**after["payload"], "litellm_call_id": f"call-{number}"}
        told = SimpleNamespace(model_call_details={"standard_logging_object": payload})
        began = time.perf_counter()
        data = await plugin.async_pre_call_hook(key, None, data, "acompletion")
        await plugin.async_post_call_success_hook({**data, "litellm_logging_obj": told}, None, None)
        found.append(time.perf_counter() - began)
        # As between calls: others have their turn.
        await asyncio.sleep(0.002)
    await plugin.close()
    return found[WARM:]
