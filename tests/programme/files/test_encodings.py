"""A file that is not UTF-8 text is told what it is, and how it becomes that."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from programme.files import encodings

TEXT = "email,name\ncleo@example.com,Müller\n"


def archive() -> bytes:
    """A workbook, as far as its first bytes tell."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        written.writestr("xl/workbook.xml", "<workbook/>")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TEXT.encode("utf-16"), "is UTF-16, Excel's “Unicode Text”"),
        (TEXT.encode("utf-16-le"), "is UTF-16"),
        (TEXT.encode("utf-16-be"), "is UTF-16"),
        (TEXT.encode("utf-32"), "is UTF-32"),
        (
            TEXT.encode("latin-1"),
            "is not UTF-8 text. Line 2: expected UTF-8; it looks like Windows-1252 or Latin-1 ('Müller')",
        ),
        (TEXT.encode("cp1252"), "is not UTF-8 text. Line 2: "),
        (archive(), "is a workbook of Excel, LibreOffice or Numbers, or a ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel workbook"),
        (gzip.compress(TEXT.encode(), mtime=0), "is compressed with gzip; unpack it with `gunzip`"),
        (b"PAR1\x15\x04", "is Parquet; ask for the file as CSV, or, if it is a bill,"),
        (b"%PDF-1.7\n", "is a PDF"),
        (b"<!DOCTYPE html><html>", "is a web page or XML, perhaps a page to log in"),
        (TEXT.replace("\n", "\r").encode(), "has the line ends of old Macs"),
    ],
)
def test_another_kind_of_file_is_told_by_name(content: bytes, said: str) -> None:
    """Whoever exported the file reads what it is and what to do."""
    with pytest.raises(ValueError, match=r".*") as refusal:
        encodings.decoded(content)
    assert str(refusal.value).startswith(said)


@pytest.mark.parametrize(
    "content", [b"", b"a", TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.replace("\n", "\r\n").encode()]
)
def test_text_is_read(content: bytes) -> None:
    """UTF-8 with and without a mark, with the line ends of any system of today, and a file of nothing."""
    assert encodings.decoded(content).replace("\r", "") in {"", "a", TEXT}
