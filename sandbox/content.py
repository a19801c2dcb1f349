"""Text and blocks as an app sends them, checked before anyone sees them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox import block_ids, block_kit
from sandbox.model import Json

MISSING_TEXT = "missing_text_in_message"
LONGEST_POST = 40_000


class Rejected(Exception):  # noqa: N818 - the code is the platform's word for it
    """The platform does not take this; `code` is its error code and `problems` say where."""

    def __init__(self, code: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(code, *problems)
        self.code = code
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Content:
    text: str
    blocks: tuple[Json, ...]
    warnings: tuple[str, ...] = ()


def read(
    args: Mapping[str, object],
    *,
    can_show: Callable[[Mapping[str, object]], bool],
    longest: int = LONGEST_POST,
    limit_total: bool = True,
) -> Content:
    """What `text` and `blocks` of the arguments say; raises `Rejected` as strictly as the platform would."""
    text = args.get("text") or ""
    if not isinstance(text, str):
        raise Rejected("invalid_arguments", ("[ERROR] must provide a string [json-pointer:/text]",))
    blocks = _blocks(args.get("blocks"))
    if not text.strip() and not blocks:
        raise Rejected("no_text")
    if len(text) > longest:
        raise Rejected("msg_too_long")
    if problems := block_kit.problems(blocks, can_show=can_show):
        raise Rejected("invalid_blocks", problems)
    if limit_total and block_kit.too_long(blocks):
        raise Rejected("msg_blocks_too_long")
    warnings = () if text.strip() else (MISSING_TEXT,)
    return Content(text=text, blocks=block_ids.with_ids(blocks), warnings=warnings)


def _blocks(value: object) -> list[Json]:
    """Blocks come as JSON within JSON when the call is form-encoded."""
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError as why:
            raise Rejected("invalid_blocks_format") from why
    if not value:
        return []
    if not isinstance(value, list):
        raise Rejected("invalid_blocks_format")
    return value
