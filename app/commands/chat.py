"""`forage chat`: opens the pages on this machine only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import app
from app.options import DataDir, data_dir_of
from index.errors import InputError
from index.store import Store

ADDRESS = "127.0.0.1"


def chat(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Open the chat in a browser."""
    folder = data_dir_of(context, data_dir).resolve()
    Store.open(folder).close()  # a bad folder is told here, not on a page
    if _listening(port):
        raise InputError(f"Port {port} is in use. Close the other program, or choose another with --port.")
    page = Path(app.__file__).parent / "main.py"
    command = [
        sys.executable, "-m", "streamlit", "run", str(page), "--server.address", ADDRESS, "--server.port", str(port),
        "--server.headless", "true", "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none",
        "--server.maxUploadSize", "500",
    ]  # fmt: skip
    url = f"http://{ADDRESS}:{port}"
    server = subprocess.Popen(
        command, env={**os.environ, "FORAGE_DATA_DIR": str(folder)}, stdout=subprocess.DEVNULL
    )
    threading.Thread(target=_announce, args=(server, url, port, browser), daemon=True).start()
    try:
        code = server.wait()
    except KeyboardInterrupt:
        server.terminate()
        code = 0 if server.wait() in (0, -15) else 1
    raise typer.Exit(code)


def _announce(server: subprocess.Popen[bytes], url: str, port: int, browser: bool) -> None:
    while server.poll() is None and not _listening(port):
        time.sleep(0.1)
    if server.poll() is None:
        Console(highlight=False).print(f"Forage is open at [bold]{url}[/]  (stop with Ctrl-C)")
        if browser and sys.stdout.isatty():
            webbrowser.open(url)


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((ADDRESS, port)) == 0
