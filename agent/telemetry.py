"""OpenTelemetry spans of each question, with the attribute names of the GenAI conventions. Off by default.

One span `invoke_agent forage` holds one child for each step: `execute_tool search` for searches, `chat <model>`
where a model wrote, `forage.<stage>` for the rest. Spans are made from the finished steps, so the loop knows nothing
of them. Questions and answers are left out unless `telemetry.content` says otherwise: they are private.
Names: OpenTelemetry semantic conventions for generative AI, `gen_ai.*`; our own are `forage.*`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from agent.types import Step, Trajectory
from index.errors import ConfigError

NANO = 1_000_000_000


class Spans:
    """Makes spans; `provider`: an OpenTelemetry TracerProvider."""

    def __init__(self, provider: Any, content: bool = False) -> None:
        self._tracer = provider.get_tracer("forage")
        self._content = content

    def watch(self, items: Iterator[Step | Trajectory]) -> Iterator[Step | Trajectory]:
        """The items of a run, passed on as they come; its spans are sent at its end or failure."""
        from opentelemetry.trace import Status, StatusCode, set_span_in_context

        began = time.time_ns()
        root = self._tracer.start_span("invoke_agent forage", start_time=began, attributes=_AGENT)
        context = set_span_in_context(root)
        try:
            for item in items:
                if isinstance(item, Step):
                    self._step(item, context)
                else:
                    root.set_attributes(self._whole(item))
                yield item
        except Exception as error:
            root.record_exception(error)
            root.set_status(Status(StatusCode.ERROR, type(error).__name__))
            root.set_attribute("error.type", type(error).__name__)
            raise
        finally:
            root.end()

    def _step(self, step: Step, context: Any) -> None:
        end = time.time_ns()
        name, attributes = _named(step)
        attributes |= {"forage.step": step.index, "forage.stage": step.stage}
        if step.decision is not None:
            attributes |= {
                "forage.decision.name": step.decision.name,
                "forage.decision.chosen": step.decision.chosen,
                "forage.decision.probability": float(step.decision.probability),
                "forage.decision.options": list(step.decision.options),
            }
        if self._content:
            attributes["forage.summary"] = step.summary
        start = end - int(step.seconds * NANO)
        span = self._tracer.start_span(name, context=context, start_time=start, attributes=attributes)
        if step.error:
            span.set_attribute("error.type", "model_mistake")
        span.end(end)

    def _whole(self, record: Trajectory) -> dict[str, Any]:
        answer, cost = record.answer, record.answer.cost
        found: dict[str, Any] = {
            "gen_ai.response.id": record.id,
            "gen_ai.response.finish_reasons": [answer.stopped or "stop"],
            "gen_ai.usage.input_tokens": cost.prompt_tokens,
            "gen_ai.usage.output_tokens": cost.completion_tokens,
            "forage.answer.kind": answer.kind,
            "forage.answer.confidence": float(answer.confidence),
            "forage.searches": cost.searches,
            "forage.context_tokens": cost.context_tokens,
            "forage.policy": record.policy,
        }
        if answer.brain != "embedded":
            found["gen_ai.response.model"] = answer.brain
        if self._content:
            found |= {"gen_ai.input.messages": record.question, "gen_ai.output.messages": answer.text}
        return found


_AGENT = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "forage",
    "gen_ai.provider.name": "forage",
}


def _named(step: Step) -> tuple[str, dict[str, Any]]:
    if step.stage == "search":
        return "execute_tool search", {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "search",
            "gen_ai.tool.type": "datastore",
            "forage.search.mode": str(step.detail.get("mode", "")),
            "forage.search.hits": len(step.detail.get("hits", ())),
            "forage.search.tokens": int(step.detail.get("tokens", 0)),
        }
    return f"forage.{step.stage}", {}


def open_spans(content: bool) -> Spans:
    """Spans to where the standard OTEL_* variables say; ConfigError when the packages are missing."""
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError(
            f"telemetry.spans is on but {error.name} is not installed. Install it: pip install 'forage[otel]'"
        ) from error
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):  # nobody has set one up in this process
        provider = TracerProvider(resource=Resource.create({"service.name": "forage"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
    return Spans(provider, content)
