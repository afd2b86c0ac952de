"""Runs that differ in their seed only, and names for them that tell them apart."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from lpdm_runs.curves import grid, stack
from lpdm_runs.runs import UNIMPORTANT

ALGORITHMS = {"reinforce": "REINFORCE", "reinforce_baseline": "REINFORCE + baseline", "ppo": "PPO"}
METHODS = {"lpdm": "L_u", "guided": "L_g", "backprop": "BP", "frozen": "frozen"}
ORDER = ["backprop", "lpdm", "guided", "frozen"]
# Settings that a method's name tells already, or that do not tell configs apart.
TOLD = {"hidden.method", "hidden.guided", "hidden.pairs",
        *(f"{section}.{key}" for section, keys in UNIMPORTANT.items() for key in keys)}


@dataclass
class Group:
    """Runs of one config."""

    runs: list
    label: str = ""

    @property
    def config(self):
        return self.runs[0].config

    @property
    def environment(self):
        return self.runs[0].environment

    @property
    def algorithm(self):
        return self.runs[0].algorithm

    @property
    def method(self):
        """backprop, lpdm, guided or frozen."""
        hidden = self.config["hidden"]
        guided = hidden["method"] == "lpdm" and hidden.get("guided", False)
        return "guided" if guided else hidden["method"]

    @property
    def pairs(self):
        return str(self.config["hidden"].get("pairs", "all"))

    @property
    def curves(self):
        """(seeds, grid), cut to the shortest run."""
        return stack([run.curve for run in self.runs])

    @property
    def grid(self):
        return grid(min(run.iterations for run in self.runs))

    @property
    def seeds(self):
        return [run.seed for run in self.runs]

    def scores(self):
        """Each run's own largest smoothed return, of those in which an episode ended."""
        largest = np.fmax.reduce(self.curves, axis=1)
        return largest[~np.isnan(largest)]


def cells(runs):
    """Groups of runs by what they learn and how: {(environment, algorithm): [Group]}, labelled."""
    by_config = {}
    for run in runs:
        by_config.setdefault(run.config_hash, []).append(run)
    found = {}
    for members in by_config.values():
        unique = {run.seed: run for run in members}  # the last of equal ones
        group = Group([unique[seed] for seed in sorted(unique)])
        found.setdefault((group.environment, group.algorithm), []).append(group)
    for groups in found.values():
        _label(groups)
        groups.sort(key=lambda group: (ORDER.index(group.method), len(group.label), group.label))
    return found


def cell_title(cell):
    environment, algorithm = cell
    return f"{environment}, {ALGORITHMS.get(algorithm, algorithm)}"


def _label(groups):
    """Names by method and pairs, and by the settings that differ where these are the same."""
    for group in groups:
        label = METHODS.get(group.method, group.method)
        uses_pairs = group.method in ("lpdm", "guided") and group.pairs != "all"
        group.label = f"{label} {group.pairs}" if uses_pairs else label
    for label in {group.label for group in groups}:
        same = [group for group in groups if group.label == label]
        if len(same) > 1:
            for group, settings in zip(same, _peculiarities(same)):
                group.label = f"{label} ({settings})" if settings else label
    # A setting that only newer configs have is not named above.
    for label, count in Counter(group.label for group in groups).items():
        if count > 1:
            for group in groups:
                if group.label == label:
                    group.label = f"{label} [{group.runs[0].config_hash[:6]}]"


def flatten(config, prefix="", separator="."):
    """{"section.key": value} of a config."""
    flat = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}{separator}", separator))
        else:
            flat[prefix + key] = value
    return flat


def _peculiarities(groups):
    """For each group, the settings that set it apart: those that are not the commonest among the
    groups, and those of which no value is the commonest."""
    flat = [{key: str(value) for key, value in flatten(group.config).items()} for group in groups]
    keys = sorted({key for settings in flat for key in settings} - TOLD,
                  key=lambda key: (len(key), key))
    usual = {}
    for key in keys:
        (value, count), *others = Counter(settings.get(key) for settings in flat).most_common(2)
        usual[key] = value if not others or count > others[0][1] else None
    return [", ".join(f"{key.split('.', 1)[1]} {settings[key]}" for key in keys
                      if key in settings and settings[key] != usual[key])
            for settings in flat]
