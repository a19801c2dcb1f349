"""What is read of a body whose contents are none of our business."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.decoding import MalformedBodyError
from handlers.skimmed import MOST_KEPT, Skimmed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='ab"\\{}[],: \né'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def skimmed(text: bytes, cuts: list[int], *wanted: str) -> Skimmed:
    """What is left of a text that arrives in pieces."""
    found, at = Skimmed(wanted), 0
    for cut in [*sorted(cuts), len(text)]:
        found.feed(text[at:cut])
        at = cut
    return found


@given(
    said=st.dictionaries(st.sampled_from(["model", "texts", "tools", "input_type"]), VALUES),
    cuts=st.lists(st.integers(0, 200), max_size=6),
    indent=st.sampled_from([None, 2]),
)
def test_however_it_arrives_what_is_wanted_stays_as_it_is(
    said: dict[str, Any], cuts: list[int], indent: int | None
) -> None:
    """Whatever else an object holds, and wherever its pieces are cut; of the rest the size is told."""
    found = skimmed(json.dumps(said, indent=indent, ensure_ascii=False).encode(), cuts, "model", "input_type")
    assert json.loads(found.kept()) == {name: said[name] for name in said if name in {"model", "input_type"}}
    assert found.sizes.keys() == said.keys() - {"model", "input_type"}


def test_the_size_of_a_prompt_is_told() -> None:
    """As it stands in the body."""
    assert skimmed(b'{"texts":["Hello"],"model":"m"}', [], "model").sizes == {"texts": len(b'["Hello"]')}


def test_nothing_of_a_prompt_is_kept_while_it_arrives() -> None:
    """Of sixteen megabytes in pieces never a quarter of one is in memory."""
    piece = b"all work and no play " * 3_000
    found = Skimmed(["model"])
    found.feed(b'{"model": "m", "texts": ["')
    tracemalloc.start()
    for _ in range(250):
        found.feed(piece)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    found.feed(b'"]}')
    assert json.loads(found.kept()) == {"model": "m"}
    assert most < 250_000


@pytest.mark.parametrize(
    "text", [b'{"model": "m"', b'{"model": "m', b"[1]", b'{"a": 1}{"b": 2}', b"{model: 1}", b'{"a"}', b'{"a", "b": 1}']
)
def test_what_is_no_object_is_refused(text: bytes) -> None:
    """A body that ends early, or that is something else."""
    with pytest.raises(MalformedBodyError):
        skimmed(text, [], "model", "a").kept()


@pytest.mark.parametrize("text", [b'{"model": "%b"}', b'{"%b": 1}'])
def test_what_is_wanted_is_short(text: bytes) -> None:
    """A name or a wanted member that never ends fills no memory."""
    with pytest.raises(MalformedBodyError):
        skimmed(text % (b"x" * MOST_KEPT), [], "model")
