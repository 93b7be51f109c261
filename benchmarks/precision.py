"""What a number format costs and buys on this processor: reader and hop encoder in float32, bfloat16 and 8 bits by
PyTorch, and in float32 by ONNX Runtime, which people run where bfloat16 is not native.

    python -m benchmarks.precision --limit 150

Quality: F1 of the reader on SQuAD 1 development questions, one gold passage each; cosine of the hop encoder's vectors
with those of float32. Speed: processor-wide wall time of one packed text (about 300 tokens) and of one search state
with four seeds. Each format runs in a process of its own: time to load and peak memory are its own. 8 bits are
PyTorch's dynamic quantisation of all linear layers.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from agent import reader_model
from benchmarks.measure import RESULTS, alone, data_root, facts, mistakes_told, peak_megabytes, spread
from index import backbone, delta, hop_encoder
from training import report
from training.data import load_corpus, load_questions, open_data
from training.metrics import bootstrap, exact_match, f1
from training.skills import ranker_data

FORMATS = ("float32", "bfloat16", "int8", "float32, ONNX Runtime")
PACKED_CHARACTERS = 1400  # about 300 tokens


def main() -> None:
    """Run, print, and write benchmarks/results/precision.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--limit", type=int, default=150, help="questions read in each format")
    parser.add_argument("--json", type=Path, default=RESULTS / "precision.json")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    with mistakes_told():
        found = {name: alone(measure, name, options.limit) for name in FORMATS}
    base = np.array(found["float32"]["states"])
    for one in found.values():
        one["cosine"] = round(float((np.array(one.pop("states")) * base).sum(1).mean()), 4)
    report.write_json(
        options.json, {"formats": found, "questions": options.limit, **facts("precision", options)}
    )
    report.show(table(found, options.limit), markdown=options.markdown)


def layers(name: str, path: Path) -> backbone.Backbone:
    """A skill's layers in a number format."""
    weights = backbone.shifted(backbone.packaged(), delta.load_arrays(path))
    if name == "float32, ONNX Runtime":
        return backbone.InOnnx(lambda: weights)
    made = backbone.InTorch(weights, half=name == "bfloat16")
    if name == "int8":
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the replacement, torchao, is another package
            made.model = torch.ao.quantization.quantize_dynamic(
                made.model, {torch.nn.Linear}, dtype=torch.qint8
            )  # type: ignore[no-untyped-call]
    return made


def measure(name: str, limit: int) -> dict[str, Any]:
    """One format: load time, memory, quality and speed of the reader; vectors and speed of the hop encoder."""
    path, hop_path = reader_model.shipped_weights(), hop_encoder.shipped_weights()
    assert path is not None and hop_path is not None
    began = time.perf_counter()
    model = reader_model.ReaderModel(path, layers(name, path))
    model.read("Who?", ["Nobody."])
    loaded = time.perf_counter() - began

    data = open_data(data_root() / "squad1_duetest")
    texts = {row.id: f"{row.title}\n{row.text}" for row in load_corpus(data.root)}
    asked = ranker_data.spread(load_questions(data.root / "dev.jsonl"), limit)
    read = [(q, model.read(q.question, [texts[q.supporting[0]]])[0].answer) for q in asked]
    long = " ".join(texts.values())
    packed = [long[at : at + PACKED_CHARACTERS] for at in range(0, 40 * PACKED_CHARACTERS, PACKED_CHARACTERS)]
    times = [timed(lambda text=text: model.read(asked[0].question, [text])) for text in packed]

    encoder = hop_encoder.HopEncoder(hop_path, layers(name, hop_path))
    states = [(q.question, [texts[q.supporting[0]]]) for q in asked[:40]]
    hop_times = [timed(lambda at=at: encoder.encode_batch(states[at : at + 4])) for at in range(0, 40, 4)]
    return {
        "f1": bootstrap([f1(said, q.answers) for q, said in read]).to_dict(),
        "em": bootstrap([exact_match(said, q.answers) for q, said in read]).to_dict(),
        "reader_ms": spread(times),
        "hop_ms": spread(hop_times),
        "load_seconds": round(loaded, 2),
        "peak_mb": round(peak_megabytes()),
        "states": encoder.encode_batch(states).tolist(),
    }


def timed(call: Any) -> float:
    """Milliseconds of a call."""
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def table(found: dict[str, Any], limit: int) -> report.Grid:
    """One line for each format; times also as a ratio to float32."""
    base = found["float32"]["reader_ms"]["p50"]
    lines = tuple(
        (
            name,
            f"{report.percent(one['f1']['mean'])} [{report.percent(one['f1']['low'])}, "
            f"{report.percent(one['f1']['high'])}]",
            f"{one['reader_ms']['p50']:.0f} / {one['reader_ms']['p95']:.0f}",
            f"{one['reader_ms']['p50'] / base:.2f}",
            f"{one['hop_ms']['p50']:.0f} / {one['hop_ms']['p95']:.0f}",
            f"{one['cosine']:.4f}",
            f"{one['load_seconds']:.1f}",
            str(one["peak_mb"]),
        )
        for name, one in found.items()
    )
    head = (
        "format",
        "reader F1",
        "packed text ms p50 / p95",
        "to float32",
        "4 states ms",
        "cosine",
        "load s",
        "MB",
    )
    return report.Grid(f"Number formats, {limit} questions", head, lines)


if __name__ == "__main__":
    main()
