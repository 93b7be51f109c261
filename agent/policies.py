"""Policy names to policies: rules, the baselines, and whatever other bodies register here."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from agent.board import level_of
from agent.config import AgentConfig
from agent.policy import Policy, Rules, always_deep, always_single, fixed_three_hop
from index.errors import ConfigError

NAMED: dict[str, Callable[[AgentConfig], Policy]] = {
    "rules": lambda config: Rules(level_of(config.mode)),
    "always-single": lambda config: always_single(),
    "always-deep": lambda config: always_deep(),
    "fixed-3-hop": lambda config: fixed_three_hop(),
}


def open_policy(config: AgentConfig) -> Policy:
    """The policy that the settings name. ConfigError where there is none of that name."""
    made = NAMED.get(config.policy)
    if made is not None:
        return made(config)
    close = get_close_matches(config.policy, list(NAMED), n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise ConfigError(f"There is no policy '{config.policy}'.{hint} Known are: {', '.join(NAMED)}.")
