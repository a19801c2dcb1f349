"""Runs in the trial's own environment: one question by one library; prints what was raised, as JSON.

`python speak.py openai http://127.0.0.1:PORT/…`
"""

# The libraries are none of our dependencies.
# mypy: ignore-errors
from __future__ import annotations

import asyncio
import importlib
import json
import sys

KEY = "sk-trial"
QUESTION = "hello"
GPT, CLAUDE = "gpt-5", "claude-sonnet-4-5"


def openai(url: str) -> None:
    client = importlib.import_module("openai").OpenAI(base_url=f"{url}/v1", api_key=KEY)
    client.chat.completions.create(model=GPT, messages=[{"role": "user", "content": QUESTION}])


def anthropic(url: str) -> None:
    client = importlib.import_module("anthropic").Anthropic(base_url=url, api_key=KEY)
    messages = [{"role": "user", "content": QUESTION}]
    client.messages.create(model=CLAUDE, max_tokens=1_000, messages=messages)


def openai_agents(url: str) -> None:
    agents = importlib.import_module("agents")
    agents.set_tracing_disabled(disabled=True)
    client = importlib.import_module("openai").AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY)
    model = agents.OpenAIChatCompletionsModel(model=GPT, openai_client=client)
    asyncio.run(agents.Runner.run(agents.Agent(name="trial", model=model), QUESTION))


def pydantic_ai(url: str) -> None:
    agent = importlib.import_module("pydantic_ai").Agent
    model = importlib.import_module("pydantic_ai.models.openai").OpenAIChatModel
    provider = importlib.import_module("pydantic_ai.providers.openai").OpenAIProvider
    agent(model(GPT, provider=provider(base_url=f"{url}/v1", api_key=KEY))).run_sync(QUESTION)


def langchain(url: str) -> None:
    chat = importlib.import_module("langchain_openai").ChatOpenAI
    chat(model=GPT, base_url=f"{url}/v1", api_key=KEY).invoke(QUESTION)


SPEAKERS = {
    "openai": openai,
    "anthropic": anthropic,
    "openai-agents": openai_agents,
    "pydantic-ai": pydantic_ai,
    "langchain-openai": langchain,
}


def main() -> None:
    _, name, url = sys.argv
    try:
        SPEAKERS[name](url)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is what the trial asks for
        print(json.dumps({"raised": type(error).__qualname__, "text": str(error)}))
    else:
        print(json.dumps({"raised": "", "text": ""}))


if __name__ == "__main__":
    main()
