"""A tiny causal language model trained from scratch on a part of a fictional world: what it knows is exact.

Words are tokens. It learns questions of the taught part with their answers and nothing else, so that "own knowledge
suffices" is a fact that can be probed, not a guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from index.minilm import LOADING

PAD, ASK, SAY, END, UNKNOWN = range(5)
SPECIAL = ("<pad>", "<ask>", "<say>", "<end>", "<unknown>")
MAX_WORDS = 40
MAX_ANSWER = 8
# GPT-2's own. Taught without it, the model is as sure of what it makes up as of what it was taught (docs/LOG.md).
DROPOUT = 0.1
PASSES = 12  # with dropout, to see which answers hold


@dataclass(frozen=True, slots=True)
class Recall:
    """What the model says from memory and how sure it is."""

    answer: str
    certainty: float  # mean probability of the words of its answer, geometric
    first: float  # probability of the first word
    weakest: float  # probability of its least probable word
    agreement: float  # share of the sampled answers that equal the greedy one
    lead: float  # probability of the first word minus that of the next best
    strange: float  # share of the question's words that were never taught


class Words:
    """Words to numbers; built from texts, in their order of appearance."""

    def __init__(self, texts: Sequence[str]) -> None:
        known = dict.fromkeys(word for text in texts for word in split(text))
        self.words = (*SPECIAL, *known)
        self._index = {word: at for at, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        return [self._index.get(word, UNKNOWN) for word in split(text)]

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(self.words[i] for i in ids if i >= len(SPECIAL))


def split(text: str) -> list[str]:
    """Lower-case words and signs.

    >>> split("Where was Mira born?")
    ['where', 'was', 'mira', 'born', '?']
    """
    return re.findall(r"\w+|[^\w\s]", text.lower())


def build(
    vocabulary: int,
    *,
    width: int = 128,
    layers: int = 2,
    length: int = 64,
    seed: int = 0,
    dropout: float = DROPOUT,
) -> Any:
    """A fresh GPT-2 of this size."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    with LOADING:
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=vocabulary, n_positions=length, n_embd=width, n_layer=layers, n_head=4,
                       resid_pdrop=dropout, embd_pdrop=dropout, attn_pdrop=dropout, bos_token_id=ASK, eos_token_id=END)
        ).float()  # fmt: skip


class TaughtModel:
    """The tiny model with its words: teach it pairs, then ask it."""

    def __init__(self, texts: Sequence[str], seed: int = 0, width: int = 128) -> None:
        self.words = Words(texts)
        self.seed = seed
        self.model = build(len(self.words), width=width, seed=seed)

    def teach(
        self, pairs: Sequence[tuple[str, str]], epochs: int = 30, lr: float = 2e-3, batch: int = 64
    ) -> list[float]:
        """Learn questions with answers by heart; the mean loss of each epoch. Only the answer's words count."""
        rows = [self._row(question, answer) for question, answer in pairs]
        torch.manual_seed(self.seed)
        optimiser = torch.optim.AdamW(self.model.parameters(), lr=lr, weight_decay=0.01)
        steps = epochs * -(-len(rows) // batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps, pct_start=0.1)
        self.model.train()
        curve = []
        for _ in range(epochs):
            total = 0.0
            for part in torch.split(torch.randperm(len(rows)), batch):
                ids, labels = pad([rows[i] for i in part.tolist()])
                loss = self.model(input_ids=ids, attention_mask=(ids != PAD).long(), labels=labels).loss
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                total += float(loss.detach()) * len(part)
            curve.append(total / len(rows))
        self.model.eval()
        return curve

    def _row(self, question: str, answer: str) -> tuple[list[int], int]:
        """(ids, where the answer begins)."""
        head = self.prompt(question)
        return [*head, *self.words.encode(answer)[: MAX_ANSWER - 1], END], len(head)

    def prompt(self, question: str) -> list[int]:
        return [ASK, *self.words.encode(question)[:MAX_WORDS], SAY]

    def recall(self, questions: Sequence[str], samples: int = 8) -> list[Recall]:
        """Answers from memory, each with its certainty and the agreement of `samples` sampled answers.

        Prompts of one length go together: no padding, so that no row sees another's.
        """
        generator = torch.Generator().manual_seed(self.seed)
        prompts = [self.prompt(question) for question in questions]
        found: dict[int, Recall] = {}
        for length in sorted({len(prompt) for prompt in prompts}):
            places = [at for at, prompt in enumerate(prompts) if len(prompt) == length]
            ids = torch.tensor([prompts[at] for at in places])
            best, chances, leads = self._write(ids, None)
            drawn = self._write(ids.repeat_interleave(samples, 0), generator)[0] if samples else []
            for row, at in enumerate(places):
                said = [other == best[row] for other in drawn[row * samples : (row + 1) * samples]]
                sure = chances[row]
                found[at] = Recall(
                    self.words.decode(best[row]), float(np.exp(np.log(sure).mean())), sure[0], min(sure),
                    sum(said) / samples if samples else 1.0, leads[row], prompts[at].count(UNKNOWN) / length,
                )  # fmt: skip
        return [found[at] for at in range(len(questions))]

    @torch.no_grad()
    def _write(
        self, prompts: Tensor, generator: torch.Generator | None
    ) -> tuple[list[tuple[int, ...]], list[list[float]], list[float]]:
        """Answers (greedy without a generator), the probability of each of their words, the end included, and by how
        much the most probable first word leads."""
        fed, cache = prompts, None
        done = torch.zeros(len(prompts), dtype=torch.bool)
        words: list[list[int]] = [[] for _ in prompts]
        sure: list[list[float]] = [[] for _ in prompts]
        leads: list[float] = []
        for _ in range(MAX_ANSWER):
            out = self.model(input_ids=fed, past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            chances = torch.softmax(out.logits[:, -1], dim=-1)
            chances[:, :END] = 0.0
            if not leads:
                top = chances.topk(2, dim=-1).values
                leads = (top[:, 0] - top[:, 1]).tolist()
            fed = chances.argmax(-1, keepdim=True)
            if generator is not None:
                fed = torch.multinomial(chances, 1, generator=generator)
            picked = chances.gather(1, fed)[:, 0].clamp(min=1e-9)
            for row in torch.nonzero(~done)[:, 0].tolist():
                words[row].append(int(fed[row, 0]))
                sure[row].append(float(picked[row]))
            done |= fed[:, 0] == END
            if bool(done.all()):
                break
        return [tuple(word for word in row if word != END) for row in words], sure, leads

    @torch.no_grad()
    def chances(self, pairs: Sequence[tuple[str, str]], batch: int = 128) -> list[float]:
        """How probable the model finds an answer to a question: geometric mean over the answer's words."""
        found: list[float] = []
        for start in range(0, len(pairs), batch):
            ids, labels = pad(
                [self._row(question, answer) for question, answer in pairs[start : start + batch]]
            )
            logps = torch.log_softmax(
                self.model(input_ids=ids, attention_mask=(ids != PAD).long()).logits, -1
            )
            asked = labels[:, 1:] >= 0
            each = logps[:, :-1].gather(-1, ids[:, 1:].unsqueeze(-1))[..., 0] * asked
            found += (each.sum(1) / asked.sum(1)).exp().tolist()
        return found

    def shaken(self, pairs: Sequence[tuple[str, str]], passes: int = PASSES) -> list[float]:
        """The mean of `chances` over passes with dropout on (Gal and Ghahramani, arXiv 1506.02142): what was learned
        by heart holds when parts of the model are left out, what only seems so does not."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.model.train()
            try:
                told = [self.chances(pairs) for _ in range(passes)]
            finally:
                self.model.eval()
        return [float(mean) for mean in np.mean(told, axis=0)]


def pad(rows: Sequence[tuple[list[int], int]]) -> tuple[Tensor, Tensor]:
    """Ids and labels (n, longest); labels are -100 on the prompt and on padding."""
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), longest), PAD)
    labels = torch.full((len(rows), longest), -100)
    for at, (row, start) in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        labels[at, start : len(row)] = torch.tensor(row[start:])
    return ids, labels
