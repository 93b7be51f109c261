"""Turns off every dependency's telemetry and hub access before it is imported.

Forage works without a network. Libraries that would phone home, look for newer weights or send traces are
told not to, whatever the person's environment says; a language model endpoint that the person configured
is the one connection there is.
"""

from __future__ import annotations

import os

SWITCHES = {
    "ANONYMIZED_TELEMETRY": "False",  # chromadb
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LANGSMITH_TRACING": "false",
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime sends from native code, and keeps what it could not send
    "ORT_TELEMETRY_DISABLED": "1",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "TOKENIZERS_PARALLELISM": "true",
    "TRANSFORMERS_OFFLINE": "1",
}


def switch_off() -> None:
    """Set the switches for this process and its children."""
    os.environ.update(SWITCHES)
    # Not about the network, but as early: waiting threads must sleep, or torch on a busy machine is many times
    # slower (one query at load 6 to 10: 35-247 ms, asleep 9-20 ms).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
