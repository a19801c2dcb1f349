"""Telemetry and price lists spell providers differently, and mean the same ones."""

from __future__ import annotations

import pytest

from policy.providers import SPELLINGS, known_as


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ("aws.bedrock", "bedrock"),
        ("azure.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("gcp.vertex_ai", "vertex_ai"),
        ("gcp.gemini", "gemini"),
        ("gcp.gen_ai", "google"),
        ("mistral_ai", "mistral"),
        ("x_ai", "xai"),
        ("ibm.watsonx.ai", "watsonx"),
        ("google.generative-ai", "gemini"),
        ("google.vertex.chat", "vertex_ai"),
        ("openai.responses", "openai"),
        ("anthropic.messages", "anthropic"),
    ],
)
def test_what_telemetry_calls_a_provider_is_understood(told: str, known: str) -> None:
    """The conventions' names and those of exporters lead to the names that handbooks use."""
    assert known_as(told) == known


def test_a_name_is_understood_once() -> None:
    """What a name leads to is a name of its own, and a provider that no one spells otherwise keeps its name."""
    assert all(known_as(known) == known for known in SPELLINGS.values())
    assert known_as("gpu-cluster") == "gpu-cluster"
    assert known_as("text-completion-openai") == "text-completion-openai"
