"""Nothing leaves the machine: the commands run under an audit hook that forbids names and addresses of others."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
GUARD = """
import runpy, sys

def hook(event, args):
    if event == "socket.connect":
        address = args[1]
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"network use: connect {address}")
    if event == "socket.getaddrinfo" and args[0] not in (None, "", "127.0.0.1", "::1", "localhost"):
        raise RuntimeError(f"network use: lookup {args[0]}")

sys.addaudithook(hook)
sys.argv = ["forage", *sys.argv[1:]]
runpy.run_module("app", run_name="__main__")
"""


def guarded(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A person's environment may ask for tracing and hub access; it must not matter.
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CI", "ORT_", "XDG_"))},
        "HOME": str(home),
        "ORT_DISABLE_TELEMETRY": "0",
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_API_KEY": "x",
        "HF_HUB_OFFLINE": "0",
        "ANONYMIZED_TELEMETRY": "True",
    }
    return subprocess.run(
        [sys.executable, "-c", GUARD, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_ingest_and_ask_use_no_network(tmp_path: Path) -> None:
    (tmp_path / "bridge.md").write_text(
        "# Teal Bridge\n\nThe Teal Bridge was designed by Mira Vell in 1887.\n"
    )
    data = str(tmp_path / "data")
    home = tmp_path / "home"
    home.mkdir()
    done = guarded(home, "ingest", str(tmp_path / "bridge.md"), "--data-dir", data)
    assert done.returncode == 0, done.stderr
    done = guarded(home, "ask", "Who designed the Teal Bridge?", "--data-dir", data)
    assert done.returncode == 0 and "Mira Vell" in done.stdout, done.stdout + done.stderr
    assert "network use" not in done.stderr
    # What native code sends no audit hook sees; it would first be kept in the home folder.
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_the_guard_bites() -> None:
    code = GUARD.replace(
        'runpy.run_module("app", run_name="__main__")', "import socket; socket.getaddrinfo('x.invalid', 1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "network use" in done.stderr
