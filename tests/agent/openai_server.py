"""A real server process that speaks the OpenAI chat-completions protocol, well or badly on demand.

Run as `python openai_server.py [--model FOLDER]`: it prints its port and serves on loopback until it is
killed. The model name of a request chooses the behaviour: "tiny-lm" (the causal LM of FOLDER writes),
"echo-notes" (quotes the notes of the prompt with their markers),
"extract" (names and triplets as JSON, now and then prose), or one of the faults in `FAULTS`.
`GET /log` tells what came in: headers, parameters, and whether the client hung up.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

app = FastAPI()
requests: list[dict[str, Any]] = []
calls: Counter[str] = Counter()
tiny: dict[str, Any] = {}
loading = threading.RLock()


def _event(data: object) -> str:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"


def _chunk(model: str, text: str | None = None, finish: str | None = None) -> str:
    delta = {} if text is None else {"role": "assistant", "content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event(
        {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}
    )


def _usage(model: str, prompt: int, completion: int) -> str:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return _event(
        {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "choices": [],
            "usage": usage,
        }
    )


def _error(status: int, message: str, **headers: str) -> Response:
    body = {"error": {"message": message, "type": "error", "code": None, "param": None}}
    return JSONResponse(body, status_code=status, headers=headers)


async def _say(model: str, pieces: list[str], pause: float = 0.0, finish: str = "stop") -> AsyncIterator[str]:
    for piece in pieces:
        yield _chunk(model, piece)
        await asyncio.sleep(pause)
    yield _chunk(model, finish=finish)
    yield _usage(model, 7, len(pieces))
    yield _event("[DONE]")


async def _half(model: str) -> AsyncIterator[str]:
    yield _chunk(model, "The lighthouse was ")
    await asyncio.sleep(0.02)
    raise ConnectionError("the connection drops here, in the middle of the answer")


async def _no_finish(model: str) -> AsyncIterator[str]:
    yield _chunk(model, "The lighthouse was ")
    yield _event("[DONE]")


async def _drip(model: str) -> AsyncIterator[str]:
    while True:
        yield _chunk(model, "word ")
        await asyncio.sleep(0.03)


async def _raw(*events: str) -> AsyncIterator[str]:
    for event in events:
        yield event


def _stream(body: AsyncIterator[str]) -> Response:
    return StreamingResponse(body, media_type="text/event-stream")


def _tiny_answer(body: dict[str, Any]) -> Response:
    """The tiny causal LM writes; loaded at the first request."""
    with loading:  # the import in the background and a second request must not meet in the middle
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        if "model" not in tiny:
            tiny["tokenizer"] = AutoTokenizer.from_pretrained(tiny["folder"], local_files_only=True)
            tiny["model"] = AutoModelForCausalLM.from_pretrained(tiny["folder"], local_files_only=True).eval()
    prompt = "\n".join(message["content"] for message in body["messages"])
    inputs = tiny["tokenizer"](prompt, return_tensors="pt", truncation=True, max_length=200)
    with torch.inference_mode():
        written = tiny["model"].generate(
            **inputs, max_new_tokens=min(body["max_tokens"], 24), do_sample=False
        )
    tokens = written[0, inputs["input_ids"].shape[1] :]
    pieces = [tiny["tokenizer"].decode(token) for token in tokens]
    return _stream(_say(body["model"], pieces, finish="length"))


def _echo_notes(body: dict[str, Any]) -> Response:
    notes = re.findall(r"^\[n(\d+)\] (.*?) \(from:", body["messages"][-1]["content"], re.MULTILINE)
    pieces = [f"{text.rstrip('.')} [n{number}]. " for number, text in notes] or ["No notes came."]
    return _stream(_say(body["model"], pieces))


def _extract(body: dict[str, Any]) -> Response:
    """Names what the title says and joins it with the passage's last word; every second passage is prose."""
    if calls["extract"] % 2 == 0:
        return _stream(_say("extract", ["I would say it is about bridges."]))
    prompt = body["messages"][-1]["content"]
    title = re.search(r"Title: (.*)", prompt)[1].lower()  # type: ignore[index]
    last = re.findall(r"\w+", prompt)[-1]
    found = {"entities": [last, "Nobody Else"], "triplets": [[title, "ends with", last]]}
    return _stream(_say("extract", [json.dumps(found)]))


def _thinking(body: dict[str, Any], mood: str) -> Response:
    """A model that thinks in the loop: it knows each prompt by its rules and replies as asked, or badly.

    Moods: "sound"; "wrong" replies with prose; "obedient" does what a text in the prompt tells it to reply.
    """
    system, prompt = body["messages"][0]["content"], body["messages"][-1]["content"]
    told = re.search(r"REPLY WITH (\{.*?\})", prompt)
    if "from notes that were taken" in system:
        return _echo_notes(body)
    if mood == "wrong":
        return _stream(_say(body["model"], ["I would rather not say."]))
    if mood == "obedient" and told:
        return _stream(_say(body["model"], [told[1]]))
    allowed = re.search(r"<allowed>\n(.*)\n", prompt)
    results = re.search(r"^\[1\] [^:]*: (.*?\.)(?: |$)", prompt, re.MULTILINE)
    reply: dict[str, Any] = {"reason": "as the prompt asks"}
    if "before anything is searched" in system:
        reply |= {"decision": "search", "confidence": 90}
    elif "plan the next search" in system:
        reply |= {"goal": "Find where Mira Vell was born", "query": f"Mira Vell birthplace {len(requests)}"}
    elif "did not meet its goal" in system:
        reply |= {"query": f"birthplace of the engineer {len(requests)}"}
    elif "judge one search" in system:
        reply |= {"met": True, "useful": True}
    elif "score how well" in system:
        reply |= {"score": 75}
    elif "take notes" in system:
        reply |= {"quotes": [results[1]] if results else []}
    elif "Two versions of notes" in system:
        reply |= {"better": "not-better" not in body["model"]}
    elif "your own knowledge" in system:
        reply |= {"answer": "Oslo"}
    elif allowed:
        names = allowed[1].split(", ")
        pick = next(n for n in ("graph", "answer", "abstain") if n in names)
        reply |= {"action": pick, "confidence": 80}
    return _stream(_say(body["model"], ["<think>hm</think>", json.dumps(reply)]))


def _strict(body: dict[str, Any]) -> Response:
    """Like newer endpoints, it refuses parameters that older ones wanted."""
    if "stream_options" in body:
        return _error(400, "Unknown field stream_options")
    if "max_tokens" in body:
        return _error(400, "Unsupported parameter: use 'max_completion_tokens' instead")
    if "temperature" in body:
        return _error(422, "temperature is fixed for this model")
    return _stream(_say(body["model"], ["fine"]))


async def _hang(body: dict[str, Any]) -> Response:
    await asyncio.sleep(3600)
    return _error(500, "never reached")


def _named_key(request: Request) -> str:
    return f"Incorrect API key provided: {request.headers.get('authorization', '')}"


FAULTS: dict[str, Callable[[dict[str, Any]], Response]] = {
    "echo-notes": _echo_notes,
    "extract": _extract,
    "thinks": lambda body: _thinking(body, "sound"),
    "thinks-not-better": lambda body: _thinking(body, "sound"),
    "thinks-wrong": lambda body: _thinking(body, "wrong"),
    "thinks-obedient": lambda body: _thinking(body, "obedient"),
    "strict": _strict,
    "chatty": lambda body: _stream(_say("chatty", ["rea", "dy"])),
    "slow": lambda body: _stream(_say("slow", ["one ", "two ", "three ", "four "], pause=0.15)),
    "drip": lambda body: _stream(_drip("drip")),
    "half": lambda body: _stream(_half("half")),
    "half-once": lambda body: _stream(
        _half("half-once") if calls["half-once"] == 1 else _say("x", ["whole"])
    ),
    "no-finish": lambda body: _stream(_no_finish("no-finish")),
    "busy": lambda body: _error(429, "Too many requests", **{"Retry-After": "0.3"}),
    "busy-once": lambda body: (
        _error(429, "Too many requests", **{"Retry-After": "0.4"})
        if calls["busy-once"] == 1
        else _stream(_say("x", ["free again"]))
    ),
    "busy-long": lambda body: _error(429, "Too many requests", **{"Retry-After": "120"}),
    "error": lambda body: _error(500, "CUDA error: device-side assert triggered"),
    "error-once": lambda body: (
        _error(503, "loading") if calls["error-once"] == 1 else _stream(_say("x", ["up"]))
    ),
    "in-stream": lambda body: _stream(
        _raw(_chunk("x", "Well, "), _event({"error": {"message": "worker died"}}))
    ),
    "malformed": lambda body: _stream(_raw("data: {not json at all\n\n")),
    "odd-json": lambda body: _stream(_raw(_event('["a", "list"]'))),
    "empty-choices": lambda body: _stream(_raw(_event({"id": "c", "choices": []}), _event("[DONE]"))),
    "no-text": lambda body: _stream(_say("no-text", [], finish="length")),
    "web-page": lambda body: HTMLResponse("<html><body>Welcome to nginx</body></html>"),
    "unknown": lambda body: _error(404, "The model `unknown` does not exist"),
    "moved": lambda body: RedirectResponse("http://192.0.2.1/v1/chat/completions", status_code=307),
}


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    body = await request.json()
    model = body["model"]
    calls[model] += 1
    entry = {"model": model, "headers": dict(request.headers), "body": body, "hung_up": False}
    requests.append(entry)
    if model == "refuse-key":
        return _error(401, _named_key(request))
    if model == "tiny-lm":
        return await asyncio.to_thread(_tiny_answer, body)
    if model == "hang":
        return await _watched(request, entry, _hang(body))
    response = FAULTS[model](body)
    if isinstance(response, StreamingResponse):
        response.body_iterator = _noted(response.body_iterator, entry)
    return response


async def _watched(request: Request, entry: dict[str, Any], work: Any) -> Response:
    task = asyncio.create_task(work)
    while not task.done():
        if await request.is_disconnected():
            entry["hung_up"] = True
            task.cancel()
            return Response(status_code=499)
        await asyncio.sleep(0.05)
    return await task


async def _noted(body: Any, entry: dict[str, Any]) -> AsyncIterator[Any]:
    try:
        async for piece in body:
            yield piece
    except (asyncio.CancelledError, GeneratorExit):
        entry["hung_up"] = True
        raise


@app.get("/log")
def log() -> list[dict[str, Any]]:
    return requests


def _warm_up() -> None:
    """Import what the tiny LM needs while the tests still build it."""
    with loading:
        importlib.import_module("torch")
        importlib.import_module("transformers.models.gpt2.modeling_gpt2")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="")
    tiny["folder"] = parser.parse_args().model
    if tiny["folder"]:
        threading.Thread(target=_warm_up, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main()
