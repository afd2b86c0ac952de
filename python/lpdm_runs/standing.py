"""Episodes in which a legged robot merely stands still.

Hopper-v4, Walker2d-v4 and Ant-v4 reward every step without a fall by 1, so that standing through
all 1000 steps brings about 1000: much more than most policies that walk and fall.
"""

import numpy as np

from lpdm_runs.curves import grid, window_sums

ENVIRONMENTS = {"Hopper-v4", "Walker2d-v4", "Ant-v4"}
FULL_LENGTH = 1000  # steps
LOWEST, HIGHEST = 950.0, 1010.0  # return


def applies(config):
    limit = config["env"].get("max_episode_steps", 0)
    return config["env"]["id"] in ENVIRONMENTS and limit in (0, FULL_LENGTH)


def episodes_standing(config, returns, lengths, episodes):
    """Per iteration. Where several episodes end in one, all count or none: by their mean return,
    and if all of them have the full length."""
    if not applies(config):
        return np.zeros(len(returns))
    with np.errstate(invalid="ignore"):
        stood = (lengths >= FULL_LENGTH) & (returns >= LOWEST) & (returns <= HIGHEST)
    return np.where(stood, episodes, 0.0)


def share(stood, episodes):
    """Of the episodes in each window: (iterations) → (grid)."""
    ends = grid(len(stood))
    of_all = window_sums(episodes, ends)[0]
    return np.where(of_all > 0, window_sums(stood, ends)[0] / np.maximum(of_all, 1.0), 0.0)
