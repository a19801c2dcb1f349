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


def langchain_openai(url: str) -> None:
    chat = importlib.import_module("langchain_openai").ChatOpenAI
    chat(model=GPT, base_url=f"{url}/v1", api_key=KEY).invoke(QUESTION)


def langchain_anthropic(url: str) -> None:
    chat = importlib.import_module("langchain_anthropic").ChatAnthropic
    chat(model=CLAUDE, base_url=url, api_key=KEY).invoke(QUESTION)


def litellm(url: str) -> None:
    messages = [{"role": "user", "content": QUESTION}]
    importlib.import_module("litellm").completion(
        model=f"openai/{GPT}", api_base=f"{url}/v1", api_key=KEY, messages=messages
    )


def llama_index(url: str) -> None:
    model = importlib.import_module("llama_index.llms.openai").OpenAI
    model(model=GPT, api_base=f"{url}/v1", api_key=KEY).complete(QUESTION)


def smolagents(url: str) -> None:
    library = importlib.import_module("smolagents")
    model = library.OpenAIServerModel(model_id=GPT, api_base=f"{url}/v1", api_key=KEY)
    library.CodeAgent(tools=[], model=model).run(QUESTION)


def strands(url: str) -> None:
    model = importlib.import_module("strands.models.openai").OpenAIModel
    chosen = model(client_args={"base_url": f"{url}/v1", "api_key": KEY}, model_id=GPT)
    importlib.import_module("strands").Agent(model=chosen)(QUESTION)


def crewai(url: str) -> None:
    library = importlib.import_module("crewai")
    model = library.LLM(model=f"openai/{GPT}", base_url=f"{url}/v1", api_key=KEY)
    agent = library.Agent(role="greeter", goal="greet", backstory="You greet.", llm=model)
    task = library.Task(description=QUESTION, expected_output="a greeting", agent=agent)
    library.Crew(agents=[agent], tasks=[task]).kickoff()


def autogen(url: str) -> None:
    client = importlib.import_module("autogen_ext.models.openai").OpenAIChatCompletionClient
    agent = importlib.import_module("autogen_agentchat.agents").AssistantAgent
    model = client(model="gpt-4o", base_url=f"{url}/v1", api_key=KEY)
    asyncio.run(agent("trial", model_client=model).run(task=QUESTION))


def google_adk(url: str) -> None:
    agent = importlib.import_module("google.adk.agents").LlmAgent
    model = importlib.import_module("google.adk.models.lite_llm").LiteLlm
    runner = importlib.import_module("google.adk.runners").InMemoryRunner
    chosen = model(model=f"openai/{GPT}", api_base=f"{url}/v1", api_key=KEY)
    asyncio.run(runner(agent(name="trial", model=chosen)).run_debug(QUESTION))


def agno(url: str) -> None:
    model = importlib.import_module("agno.models.openai").OpenAIChat(id=GPT, base_url=f"{url}/v1", api_key=KEY)
    answer = importlib.import_module("agno.agent").Agent(model=model).run(QUESTION)
    print(answer.content)


def dspy(url: str) -> None:
    library = importlib.import_module("dspy")
    library.configure(lm=library.LM(f"openai/{GPT}", api_base=f"{url}/v1", api_key=KEY, cache=False))
    library.Predict("question -> answer")(question=QUESTION)


SPEAKERS = {
    "openai": openai,
    "anthropic": anthropic,
    "litellm": litellm,
    "openai-agents": openai_agents,
    "pydantic-ai": pydantic_ai,
    "langchain-openai": langchain_openai,
    "langchain-anthropic": langchain_anthropic,
    "llama-index": llama_index,
    "smolagents": smolagents,
    "strands": strands,
    "crewai": crewai,
    "autogen": autogen,
    "google-adk": google_adk,
    "agno": agno,
    "dspy": dspy,
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
