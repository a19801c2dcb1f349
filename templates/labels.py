"""What our own codes are called in messages: meters, classes, states, kinds of entries."""

from __future__ import annotations

from policy.kinds import EntryKind

METER_NAMES = {
    "input_uncached": "input tokens",
    "cache_read": "cached input tokens",
    "cache_write_5m": "input tokens written to cache",
    "cache_write_1h": "input tokens written to cache for an hour",
    "output": "output tokens",
    "audio_input": "audio input tokens",
    "audio_cache_read": "cached audio tokens",
    "audio_output": "audio output tokens",
    "image_input": "image input tokens",
    "image_cache_read": "cached image tokens",
    "image_output": "image output tokens",
    "video_input": "video input tokens",
    "video_output": "video output tokens",
    "searches": "searches",
    "map_searches": "searches of maps",
    "requests": "requests",
    "audio_seconds": "seconds of sound",
    "video_seconds": "seconds of video",
    "pages": "pages",
    "undivided_tokens": "tokens, input and output together",
    "gpu_seconds": "GPU seconds",
    "trained_tokens": "trained tokens",
    "billed": "as billed",
}
CLASS_NAMES = {"fast": "Fast", "standard": "Standard", "major": "Major", "break_glass": "Break-glass"}
STATE_NAMES = {
    "open": "waiting",
    "approved": "approved",
    "rejected": "rejected",
    "lapsed": "lapsed",
    "withdrawn": "withdrawn",
    "credited": "credited, to be ratified",
    "ratified": "ratified",
    "not_ratified": "not ratified",
}
RECUSAL_NAMES = {
    "requester": "they asked for it",
    "beneficiary": "they benefit from it",
    "manager": "they are the requester's manager",
    "sponsor": "they sponsor the project",
}
OUTCOME_NAMES = {
    "delivered": "it achieved its purpose",
    "partly": "it achieved part of it",
    "nothing": "nothing came of it",
}
ENTRY_NAMES = {
    EntryKind.GRANT: "granted",
    EntryKind.EXCEPTION: "in exceptions",
    EntryKind.APPEAL: "given back after an appeal",
    EntryKind.USAGE: "used",
    EntryKind.REVERSAL: "used, and undone",
    EntryKind.EXPIRY: "not used before they ended",
    EntryKind.LAPSE: "more than could be carried over",
    EntryKind.RETURN: "returned from a break-glass that was not ratified",
    EntryKind.NETTING: "taken off a grant for a break-glass that was not ratified",
    EntryKind.WRITE_OFF: "of debt written off",
    EntryKind.MERGE: "from a second record of yours that was merged",
    EntryKind.ADJUSTMENT: "adjusted to the vendor's bill",
    EntryKind.REVOCATION: "taken back, because they were given by mistake",
}
"""What a kind of entries did to a wallet, behind an amount."""
NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six")


def meter(name: str) -> str:
    return METER_NAMES.get(name, name)


def class_name(name: str) -> str:
    return CLASS_NAMES[name]


def state_name(state: str) -> str:
    return STATE_NAMES[state]


def recusal(code: str) -> str:
    return RECUSAL_NAMES[code]


def what_it_did(kind: EntryKind) -> str:
    """What entries of a kind did to a wallet, behind an amount: `used`."""
    return ENTRY_NAMES[kind]


def outcome_name(outcome: str) -> str:
    return OUTCOME_NAMES[outcome]


def number_word(number: int) -> str:
    """A small number as a word: `two`."""
    return NUMBER_WORDS[number] if number < len(NUMBER_WORDS) else str(number)


def people_in_words(number: int) -> str:
    """So many people, in words: `five people`, `one person`."""
    return f"{number_word(number)} {'person' if number == 1 else 'people'}"


FILTERS = {
    f.__name__: f
    for f in (meter, class_name, state_name, recusal, what_it_did, outcome_name, number_word, people_in_words)
}
