"""What a file is if it is not UTF-8 text, by its first bytes, and how it becomes that."""

from __future__ import annotations

HEAD = 4_096
"""Bytes of a file that are looked at."""

_SAVE_AS = "save it again as “CSV UTF-8”"
_UTF_16 = f"is UTF-16, Excel's “Unicode Text”; {_SAVE_AS}"
_SIGNATURES = (
    (b"\xff\xfe\x00\x00", f"is UTF-32; {_SAVE_AS}"),
    (b"\x00\x00\xfe\xff", f"is UTF-32; {_SAVE_AS}"),
    (b"\xff\xfe", _UTF_16),
    (b"\xfe\xff", _UTF_16),
    (b"PK\x03\x04", f"is a workbook of Excel, LibreOffice or Numbers, or a ZIP archive; unpack it, or {_SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"is an old Excel workbook; {_SAVE_AS}"),
    (b"\x1f\x8b", "is compressed with gzip; unpack it with `gunzip`"),
    (b"PAR1", "is Parquet; ask for the file as CSV, or, if it is a bill, take it in with `tokens-bot invoices import`"),
    (b"%PDF", "is a PDF; ask for the file as CSV"),
    (b"<", "is a web page or XML, perhaps a page to log in; download it again as CSV"),
)


def not_text(head: bytes) -> str:
    """What a file is by its first bytes, with the remedy; empty for one that may be UTF-8 text."""
    for signature, said in _SIGNATURES:
        if head.startswith(signature):
            return said
    if _alternates_with_nul(head):
        return _UTF_16
    if b"\r" in head.rstrip(b"\r") and b"\n" not in head:
        return f"has the line ends of old Macs (“CSV Macintosh”); {_SAVE_AS}"
    return ""


def _alternates_with_nul(head: bytes) -> bool:
    """UTF-16 without a mark: of Western text nearly every second byte is NUL."""
    nul = max(head[0::2].count(0), head[1::2].count(0))
    return len(head) >= len(b"a\0b\0") and nul * 3 > len(head)


def not_utf8(line: bytes, error: UnicodeDecodeError) -> str:
    """What is wrong with a line that is not UTF-8: the word around the byte, as Windows reads it, and the remedy."""
    begin = max(line.rfind(mark, 0, error.start) for mark in (b",", b";", b"\t", b"\n", b" ", b'"')) + 1
    ends = [end for mark in (b",", b";", b"\t", b"\n", b"\r", b" ", b'"') if (end := line.find(mark, error.start)) > 0]
    word = line[begin : min([*ends, begin + HEAD // 64])].decode("cp1252", "replace")
    return f"expected UTF-8; it looks like Windows-1252 or Latin-1 ({word!r}): {_SAVE_AS}"


def decoded(content: bytes) -> str:
    """The text of a whole file; the ValueError says what it is instead, with the remedy."""
    if said := not_text(content[:HEAD]):
        raise ValueError(said)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"is not UTF-8 text. Line {number}: {not_utf8(content, error)}") from error
