"""How telemetry spells the providers of models, and how handbooks and price lists do."""

from __future__ import annotations

SPELLINGS = {
    # OpenTelemetry's GenAI conventions, today's and those before.
    "aws.bedrock": "bedrock",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "gcp.gemini": "gemini",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "vertex_ai",
    "ibm.watsonx.ai": "watsonx",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshot",
    "x_ai": "xai",
    # OpenLIT, OpenLLMetry, Pydantic AI, the AI SDK and LiteLLM, where theirs differ from both.
    "amazon-bedrock": "bedrock",
    "amazon_bedrock": "bedrock",
    "azure_ai": "azure",
    "azure-openai": "azure",
    "azure_openai": "azure",
    "google-gla": "gemini",
    "google.generative-ai": "gemini",
    "google-vertex": "vertex_ai",
    "google.vertex": "vertex_ai",
    "vertex.anthropic": "vertex_ai",
    "vertexai": "vertex_ai",
    "grok": "xai",
    "ibm.watson.ai": "watsonx",
    "mistralai": "mistral",
    "togetherai": "together_ai",
}
"""A provider's name in telemetry, and the one by which handbooks and price lists know it."""

_APIS = (".chat", ".messages", ".responses", ".completion", ".embedding", ".image", ".speech", ".transcription")
"""What the AI SDK adds to a provider's name: the kind of API that was called."""


def known_as(provider: str) -> str:
    """The name by which handbooks and price lists know a provider; its own where we know of no other."""
    for api in _APIS:
        provider = provider.removesuffix(api)
    return SPELLINGS.get(provider, provider)
