"""The child process: limits, crashes, cancelling, and the end of its parent."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.load import Parser, parse_all
from index.types import ParsedDocument, SourceFile

ROOT = Path(__file__).resolve().parents[2]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


def source(path: Path, content: str | None = None) -> SourceFile:
    if content is not None:
        path.write_text(content, encoding="utf-8")
    return SourceFile(str(path), path, path.name)


def slow_file(path: Path) -> SourceFile:
    """A file that takes far longer to read than any test waits."""
    return source(path, "Title\n=====\n\n" + "*a* ``b`` `c`_ :ref:`d` " * 400_000)


def run_python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"


def test_one_child_serves_all_files_wherever_we_are(tmp_path, monkeypatch):
    for name in ("json.py", "docutils.py", "types.py", "index.py"):  # must not be taken for the real modules
        (tmp_path / name).write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    with Parser(LoadLimits()) as parser:
        first = parser.parse(source(tmp_path / "a.rst", "Mill\n====\n\nWords."))
        child = parser._child.pid
        started = time.monotonic()
        for number in range(50):
            parser.parse(source(tmp_path / f"{number}.txt", f"Words {number}."))
        assert time.monotonic() - started < 10
        assert parser._child.pid == child
    assert first == ParsedDocument("Mill", first.blocks, "text/x-rst")
    assert [block.text for block in first.blocks] == ["Mill", "Words."]


def test_child_starts_without_heavy_libraries_and_office_without_torch(tmp_path):
    code = """
        import sys
        from index import sandbox
        sandbox._quiet()
        import index.parse, index.parse_pdf, index.parse_html, index.parse_markdown, index.parse_rst
        assert not any(name.startswith("docling") or name == "pandas" for name in sys.modules)
        import index.parse_office, index.parse_xlsx
        assert "docling_core" in sys.modules
        assert sys.modules["torch"] is None and sys.modules["transformers"] is None
    """
    result = run_python(code, tmp_path)
    assert result.returncode == 0, result.stderr


def test_what_libraries_print_does_not_reach_the_protocol(tmp_path):
    code = """
        import os, sys
        from index import sandbox
        answers = sandbox._private_stdout()
        print("noise"); os.write(1, b"more noise"); sys.stdout.flush()
        sandbox.send(answers, {"clean": True})
    """
    result = run_python(code, tmp_path)
    assert result.stdout.endswith('{"clean": true}') and "noise" not in result.stdout


def test_a_file_that_takes_too_long_is_stopped_and_the_next_is_read(tmp_path):
    slow, quick = slow_file(tmp_path / "slow.rst"), source(tmp_path / "quick.md", "# Quick")
    with Parser(LoadLimits(max_seconds=0.5)) as parser:
        parser.parse(quick)
        started = time.monotonic()
        with pytest.raises(LimitError, match=r"longer than 0\.5 seconds"):
            parser.parse(slow)
        assert time.monotonic() - started < 10
        assert parser.parse(quick).title == "Quick"


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_a_child_that_crashes_is_replaced(tmp_path):
    slow, quick = slow_file(tmp_path / "slow.rst"), source(tmp_path / "quick.md", "# Quick")
    with Parser(LoadLimits()) as parser:
        parser.parse(quick)
        threading.Timer(0.5, os.kill, (parser._child.pid, signal.SIGSEGV)).start()
        with pytest.raises(ParseError, match=r"ended unexpectedly.*code -11"):
            parser.parse(slow)
        assert parser.parse(quick).title == "Quick"


@LINUX
def test_a_file_that_needs_too_much_memory(tmp_path):
    large = source(tmp_path / "large.json", "[" + '{"a": [1, 2, 3]},' * 2_000_000 + "1]")
    with Parser(LoadLimits(max_memory_mb=600)) as parser:
        with pytest.raises(LimitError, match="more than 600 MB of memory"):
            parser.parse(large)
        assert parser.parse(source(tmp_path / "quick.md", "# Quick")).title == "Quick"


@LINUX
def test_child_ends_with_its_parent_and_knows_no_secrets(tmp_path, monkeypatch):
    slow_file(tmp_path / "slow.rst")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    code = f"""
        import threading, time
        from pathlib import Path
        from index.load import LoadLimits, Parser
        from index.types import SourceFile
        parser = Parser(LoadLimits())
        path = Path({str(tmp_path / "slow.rst")!r})
        threading.Thread(target=parser.parse, args=(SourceFile("s", path, path.name),), daemon=True).start()
        while parser._child is None:
            time.sleep(0.01)
        print(parser._child.pid, flush=True)
        time.sleep(60)
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(parent.stdout.readline())
    time.sleep(1.5)  # in the middle of the file by now
    assert alive(child)
    assert b"sk-secret" not in Path(f"/proc/{child}/environ").read_bytes()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 15
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def test_hopeless_files_get_one_clear_sentence(tmp_path):
    (tmp_path / "empty.pdf").touch()
    with Parser(LoadLimits()) as parser:
        with pytest.raises(ParseError, match="empty .0 bytes.*Save it again"):
            parser.parse(source(tmp_path / "empty.pdf"))
        with pytest.raises(ParseError, match="cannot be opened"):
            parser.parse(source(tmp_path / "gone.md"))
        with pytest.raises(ParseError, match=r'"\.exe" are not supported'):
            parser.parse(source(tmp_path / "a.exe", "MZ"))
        with pytest.raises(LimitError, match="nested"):
            parser.parse(source(tmp_path / "deep.json", "[" * 100_000 + "]" * 100_000))


def test_parse_all_keeps_the_order_and_reports_errors_as_values(tmp_path):
    files = [source(tmp_path / f"{n:02}.txt", f"Words {n}." if n % 5 else "") for n in range(20)]
    results = list(parse_all(files, LoadLimits()))
    assert [file for file, _ in results] == files
    for number, (_, outcome) in enumerate(results):
        if number % 5:
            assert isinstance(outcome, ParsedDocument) and outcome.blocks[0].text == f"Words {number}."
        else:
            assert isinstance(outcome, ParseError) and "0 bytes" in str(outcome)


def test_parse_all_stops_when_cancelled_in_the_middle_of_a_file(tmp_path):
    files = [source(tmp_path / "quick.md", "# Quick"), slow_file(tmp_path / "slow.rst")]
    cancelled = threading.Event()
    results = parse_all(files, LoadLimits(), cancelled.is_set)
    assert next(results)[0] is files[0]
    time.sleep(0.3)
    started = time.monotonic()
    cancelled.set()
    assert list(results) == []
    assert time.monotonic() - started < 2


def test_parse_all_ends_its_child_when_closed_and_hands_on_errors_of_its_input(tmp_path):
    threads = threading.active_count()

    def files():
        yield source(tmp_path / "quick.md", "# Quick")
        raise KeyError("no more")

    results = parse_all(files(), LoadLimits())
    assert next(results)[1].title == "Quick"
    with pytest.raises(KeyError):
        next(results)
    many = parse_all((source(tmp_path / f"{n}.md", "# Many") for n in range(100)), LoadLimits())
    next(many)
    many.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() == threads
