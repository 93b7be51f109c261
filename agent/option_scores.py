"""How probable a causal language model finds each of a few continuations: decisions without free text.

Only the tokens that tell the options apart count (mostly the first of each), so that one forward pass decides, and
no option wins by the length of its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.policy_text import CUE

LOGITS = 2e8  # numbers of one forward pass's output, which the model's words multiply


class OptionScorer:
    """A model with its tokenizer, asked for the log-probabilities of options after a prompt that ends with the cue."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer
        self._known: dict[str, tuple[int, ...]] = {}

    def option_ids(self, option: str) -> tuple[int, ...]:
        """The tokens of an option where it follows the cue."""
        if option not in self._known:
            cue, whole = (
                self.tokenizer(text, add_special_tokens=False)["input_ids"]
                for text in (CUE, f"{CUE} {option}")
            )
            same = next((n for n, (a, b) in enumerate(zip(cue, whole, strict=False)) if a != b), len(cue))
            self._known[option] = tuple(whole[same:])
        return self._known[option]

    def telling(self, options: Sequence[str]) -> list[tuple[int, ...]]:
        """The options' tokens, cut after the first place at which all differ. ValueError where two are equal."""
        ids = [self.option_ids(option) for option in options]
        for length in range(1, max(map(len, ids)) + 1):
            cut = [one[:length] for one in ids]
            if len(set(cut)) == len(cut):
                return cut
        raise ValueError(f"the tokenizer does not tell these apart: {', '.join(options)}")

    def prompt_ids(self, prompt: str) -> list[int]:
        """A prompt's tokens, with what the tokenizer puts in front."""
        return list(self.tokenizer(prompt)["input_ids"])

    def scores(self, prompts: Sequence[Sequence[int]], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """For each prompt (token ids) the log-probability of each of its options; they need not sum to 1."""
        rows: list[
            tuple[int, int, list[int], tuple[int, ...]]
        ] = []  # prompt, option (-1: all), ids, tokens asked
        for at, (prompt, names) in enumerate(zip(prompts, options, strict=True)):
            cut = self.telling(names)
            if max(map(len, cut)) == 1:
                rows.append((at, -1, list(prompt), tuple(one[0] for one in cut)))
            else:
                rows += [(at, o, [*prompt, *one[:-1]], one) for o, one in enumerate(cut)]
        found = [[0.0] * len(names) for names in options]
        order = sorted(range(len(rows)), key=lambda r: len(rows[r][2]))
        while order:
            # The longest go together with what is nearly as long: padding is work for nothing.
            room = max(
                1, int(LOGITS / (len(rows[order[-1]][2]) * self.model.config.get_text_config().vocab_size))
            )
            part, order = [rows[r] for r in order[-min(room, 64) :]], order[: -min(room, 64)]
            told = self._forward(
                [row[2] for row in part], [len(row[3]) if row[1] >= 0 else 1 for row in part]
            )
            for (at, option, _, asked), logps in zip(part, told, strict=True):
                if option < 0:
                    found[at] = [float(logps[0, token]) for token in asked]
                else:
                    found[at][option] = sum(float(logps[n, token]) for n, token in enumerate(asked))
        return found

    def _forward(self, sequences: Sequence[Sequence[int]], last: Sequence[int]) -> list[Any]:
        """Log-probabilities (last, words) of what follows the last tokens of each; padding on the right is not seen."""
        import torch

        longest = max(map(len, sequences))
        ids = torch.zeros((len(sequences), longest), dtype=torch.long)
        mask = torch.zeros((len(sequences), longest), dtype=torch.long)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(list(sequence))
            mask[row, : len(sequence)] = 1
        device = self.model.device
        with torch.no_grad():
            logits = self.model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
            return [
                torch.log_softmax(logits[row, len(sequence) - many : len(sequence)].float(), dim=-1).cpu()
                for row, (sequence, many) in enumerate(zip(sequences, last, strict=True))
            ]
