from email.message import EmailMessage
from pathlib import Path

import pytest

from index.errors import ParseError
from index.limits import LoadLimits
from index.parse import parse_file


def parse(tmp_path: Path, content: bytes):
    path = tmp_path / "mail.eml"
    path.write_bytes(content)
    return parse_file(path, path.name, LoadLimits())


def message(**options) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = "Größe of the wheel"
    mail["From"] = "Mira Vell <mira@example.org>"
    mail["To"] = "tom@example.org"
    mail["Date"] = "Mon, 02 Feb 2026 10:00:00 +0000"
    return mail


def test_plain_mail_with_attachment(tmp_path):
    mail = message()
    mail.set_content("Dear Tom,\n\nthe wheel is 12 m wide.\n")
    mail.add_alternative("<p>not this one</p>", subtype="html")
    mail.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="plan.pdf")
    document = parse(tmp_path, bytes(mail))
    assert document.title == "Größe of the wheel"
    assert document.meta["from"] == "Mira Vell <mira@example.org>"
    header, *body = [block.text for block in document.blocks]
    assert header.startswith("Subject: Größe of the wheel\nFrom: Mira Vell") and header.endswith("plan.pdf")
    assert body == ["Dear Tom,", "the wheel is 12 m wide."]


def test_html_mail(tmp_path):
    mail = message()
    mail.set_content(
        "<html><style>p{}</style><p>The <b>wheel</b>.</p><script>x()</script></html>", subtype="html"
    )
    assert [block.text for block in parse(tmp_path, bytes(mail)).blocks][1:] == ["The wheel."]


def test_unknown_charset_and_broken_headers(tmp_path):
    head = b"Subject: =?nonsense?q?x?=\nFrom: <<>>\nContent-Type: text/plain; charset=none-such\n"
    raw = head + b"\nThe wheel turns.\n"
    assert parse(tmp_path, raw).blocks[-1].text == "The wheel turns."


def test_text_without_headers_is_no_mail(tmp_path):
    with pytest.raises(ParseError, match="not an e-mail"):
        parse(tmp_path, b"just some words\n\nand more\n")
