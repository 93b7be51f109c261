"""Policy names to policies: rules, the baselines, and whatever other bodies register here."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from agent.board import level_of
from agent.config import AgentConfig
from agent.policy import AdaptiveNote, Policy, Rules, always_deep, always_single, fixed_three_hop
from agent.policy_lm import open_text_policy
from agent.promotion import LivePolicy
from agent.trained import packaged
from index.errors import ConfigError

LIVE = "live"
TRAINED_MODEL = "lm:"  # before the folder of a language-model policy
NAMED: dict[str, Callable[[AgentConfig], Policy]] = {
    "rules": lambda config: Rules(level_of(config.mode)),
    "always-single": lambda config: always_single(),
    "always-deep": lambda config: always_deep(),
    "fixed-3-hop": lambda config: fixed_three_hop(),
    "adaptive-note": lambda config: AdaptiveNote(level_of(config.mode)),
}


def open_policy(config: AgentConfig, data_dir: Path | None = None, has_model: bool = False) -> Policy:
    """The policy that the settings name. ConfigError where there is none of that name.

    "live" is the one promoted in the data folder; until there is one, the policy that comes with Forage, else
    the rules. "model" needs a language model (`has_model`); each run then makes its own (agent.policy_llm) over the
    rules that are returned here. "lm:FOLDER" is a language model that was trained to decide.
    """
    if config.policy == "model":
        if has_model:
            return Rules(level_of(config.mode))
        raise ConfigError(
            "agent.policy is 'model', but no language model is chosen. Set model.kind and model.name, or another "
            f"policy: {', '.join([LIVE, *NAMED])}."
        )
    if config.policy.startswith(TRAINED_MODEL):
        folder = Path(config.policy.removeprefix(TRAINED_MODEL)).expanduser()
        return open_text_policy(folder, folder.parent.name or folder.name, Rules(level_of(config.mode)))
    if config.policy == LIVE:
        default = packaged() or Rules(level_of(config.mode))
        return LivePolicy(data_dir, default) if data_dir is not None else default
    made = NAMED.get(config.policy)
    if made is not None:
        return made(config)
    names = [LIVE, "model", f"{TRAINED_MODEL}FOLDER", *NAMED]
    close = get_close_matches(config.policy, names, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise ConfigError(f"There is no policy '{config.policy}'.{hint} Known are: {', '.join(names)}.")
