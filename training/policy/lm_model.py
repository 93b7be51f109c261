"""A causal language model that decides: loaded from a folder, asked for its policy over a forest, made anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.option_scores import OptionScorer
from index.errors import InputError
from index.minilm import LOADING
from training.policy.forest import Floats, Forest
from training.policy.taught_lm import split

PAD, END, UNKNOWN = "<pad>", "<end>", "<unknown>"


@dataclass
class DecidingModel:
    """A model with its tokenizer."""

    model: Any
    tokenizer: Any

    @classmethod
    def load(cls, folder: Path) -> DecidingModel:
        """From a local folder of transformers, never from a hub. InputError where there is no usable model."""
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        if not (folder / "config.json").is_file():
            raise InputError(
                f"There is no model in {folder}: a folder with config.json, a tokenizer and safetensors weights was "
                "expected, as save_pretrained writes it. `--model tiny` makes a small one from scratch."
            )
        options = {"local_files_only": True, "trust_remote_code": False}
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, **options)
            with LOADING:
                model = AutoModelForCausalLM.from_pretrained(
                    folder, dtype="auto", use_safetensors=True, **options
                )
        except (OSError, ValueError, RuntimeError) as error:
            said = " ".join(str(error).split())[:300]
            raise InputError(f"The model in {folder} cannot be loaded: {said}") from error
        if not tokenizer.eos_token:
            raise InputError(
                f"The tokenizer in {folder} has no end token, which ends an action. Set eos_token."
            )
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        if torch.cuda.is_available():
            model = model.to("cuda")
        elif model.dtype is torch.float16:  # cannot be trained, and is slow, on a CPU
            model = model.float()
        return cls(model.eval(), tokenizer)

    def save(self, folder: Path) -> None:
        """As a folder that `load` and any other user of transformers reads."""
        from transformers.utils import logging

        logging.disable_progress_bar()
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    @property
    def end(self) -> str:
        return str(self.tokenizer.eos_token)

    @property
    def room(self) -> int:
        """Tokens that the model reads at most."""
        return int(getattr(self.model.config.get_text_config(), "max_position_embeddings", None) or 1 << 20)

    def policy(self, forest: Forest, prompts: Sequence[str], rows: Sequence[int] | None = None) -> Floats:
        """Action probabilities (S, A), 0 for what is not legal; `rows`: of these situations only, the others stay 0."""
        chosen = range(len(forest.child)) if rows is None else rows
        legal = forest.legal
        names = [[a for at, a in enumerate(forest.actions) if legal[s, at]] for s in chosen]
        scorer = OptionScorer(self.model, self.tokenizer)
        self.model.eval()
        found = scorer.scores([scorer.prompt_ids(prompts[s]) for s in chosen], names)
        made = np.zeros(legal.shape)
        for s, scores in zip(chosen, found, strict=True):
            odds = np.exp(np.array(scores) - max(scores))
            made[s, legal[s]] = odds / odds.sum()
        return made


def fresh(texts: Sequence[str], names: Sequence[str], *, width: int = 128, layers: int = 2, length: int = 512,
          least: int = 1, seed: int = 0) -> DecidingModel:  # fmt: skip
    """A small Llama with random weights whose tokens are the `names` (actions, levels: "sure=3" is one) and the words
    that at least `least` of the `texts` hold.

    What fewer hold are names of people and things: known words would let the model learn questions by heart, and of a
    new question it would know none. Positions are rotary: which of two turns is the later one need not be learned for
    each place in a text apart; a GPT-2 of this size learned far less from as much (docs/LOG.md).
    """
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import WordLevel
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = dict.fromkeys([PAD, END, UNKNOWN, ":", *names, "question", "state", "action", "unchanged"])
    held = Counter(word for text in texts for word in dict.fromkeys(split(text)))
    words |= dict.fromkeys(word for word, count in held.items() if count >= least)
    raw = Tokenizer(WordLevel({word: at for at, word in enumerate(words)}, unk_token=UNKNOWN))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"\w+=\d|\w+|[^\w\s]"), "isolated")]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token=PAD, eos_token=END, bos_token=END, unk_token=UNKNOWN,
        model_max_length=length, padding_side="left",
    )  # fmt: skip
    torch.manual_seed(seed)
    with LOADING:
        model = LlamaForCausalLM(
            LlamaConfig(vocab_size=len(words), max_position_embeddings=length, hidden_size=width,
                        intermediate_size=2 * width, num_hidden_layers=layers, num_attention_heads=4,
                        attention_dropout=0.1, tie_word_embeddings=True, bos_token_id=1, eos_token_id=1,
                        pad_token_id=0)
        ).float()  # fmt: skip
    return DecidingModel(model.eval(), tokenizer)
