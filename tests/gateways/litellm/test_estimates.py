from __future__ import annotations

from gateways.litellm.estimates import MEDIA_TOKENS, OUTPUT_TOKENS, Estimate, of_call


def test_bytes_by_three_and_a_half_are_rounded_up() -> None:
    """Eight octets of a prompt are three tokens, and umlauts count as the two octets that they are."""
    assert of_call({"prompt": "12345678"}, "atext_completion").input_tokens == 3
    assert of_call({"prompt": "ääää"}, "atext_completion").input_tokens == 3


def test_all_that_the_model_reads_counts() -> None:
    """System prompts, tools and answers of tools are input as messages are."""
    bare = of_call({"messages": [{"role": "user", "content": "x" * 350}]}, "acompletion").input_tokens
    tools = [{"type": "function", "function": {"name": "f", "description": "y" * 700}}]
    full = of_call({"messages": [{"role": "user", "content": "x" * 350}], "tools": tools}, "acompletion").input_tokens
    assert 100 <= bare <= 120
    assert full >= bare + 200


def test_a_picture_is_a_picture_however_many_bytes_it_has() -> None:
    """A megabyte of base64 counts as one picture, not as three hundred thousand tokens."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    estimate = of_call({"messages": [{"role": "user", "content": [image]}]}, "acompletion")
    assert MEDIA_TOKENS <= estimate.input_tokens <= MEDIA_TOKENS + 50


def test_the_output_limit_is_the_one_asked_for_and_else_the_usual() -> None:
    """The limit counts for each answer; where none is asked for it is the usual one, else 4,096."""
    asked = of_call({"max_tokens": 100, "n": 3, "messages": []}, "acompletion")
    silent = of_call({"messages": []}, "acompletion")
    assert (asked.output(50), asked.usual_output(50)) == (300, 150)
    assert (silent.output(812), silent.output(None)) == (812, OUTPUT_TOKENS)


def test_embeddings_have_no_output() -> None:
    """What only reads reserves nothing for an answer."""
    assert of_call({"input": ["abc", "def"]}, "aembedding") == Estimate(2, 0)


def test_what_is_no_number_is_no_limit() -> None:
    """A limit that a client writes as text or as true is not believed."""
    assert of_call({"max_tokens": "9", "max_output_tokens": True, "input": "a"}, "aresponses").output_tokens is None


def test_a_deeply_nested_request_is_sized() -> None:
    """A client that nests ten thousand lists gets an estimate and no stack overflow."""
    nested: list[object] = []
    for _ in range(10_000):
        nested = [nested]
    assert of_call({"messages": nested}, "acompletion").input_tokens == 0
