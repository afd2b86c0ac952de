"""Runs that differ in their seed only, and names for them that tell them apart."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from lpdm_runs import paper
from lpdm_runs.curves import grid, stack
from lpdm_runs.runs import essential

ALGORITHMS = {"reinforce": "REINFORCE", "reinforce_baseline": "REINFORCE + baseline", "ppo": "PPO"}
METHODS = {"lpdm": "L_u", "guided": "L_g", "backprop": "BP", "frozen": "frozen",
           "transferred": "frozen from"}
ORDER = ["backprop", "lpdm", "guided", "transferred", "frozen"]
# Settings that a method's name tells already.
TOLD = {"hidden.method", "hidden.guided", "hidden.pairs"}
# Settings that need no name: the paper's, as far as it has them.
USUAL = {"network.hidden": "[128, 256]", "network.init": "torch", "hidden.metric": "l1",
         "hidden.scale": "own", "hidden.norm": "frobenius", "hidden.max_gradient": "through",
         "hidden.guide_base": "normalized", "hidden.target": "input",
         "hidden.error_rule": "one_plus", "hidden.learning_rate": "1 × head's"}


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
        """backprop, lpdm, guided, frozen (as they were drawn) or transferred (frozen as another run
        has learned them)."""
        hidden = self.config["hidden"]
        if hidden["method"] == "frozen" and self.source:
            return "transferred"
        guided = hidden["method"] == "lpdm" and hidden.get("guided", False)
        return "guided" if guided else hidden["method"]

    @property
    def source(self):
        """The run that layers come from; empty: none."""
        return self.config["network"].get("init_from", "")

    @property
    def network(self):
        """What of the network is there before anything is learned."""
        return {key: value for key, value in self.config["network"].items()
                if key not in ("init_from", "init_layers")}

    @property
    def is_the_papers(self):
        """Whether the network and the local loss are those of the paper's table; landmarks are."""
        settings = _settings(self.config)
        return all(settings.get(key, usual) == usual for key, usual in USUAL.items()) and \
            self.pairs.partition(":")[0] in ("all", "landmarks")

    @property
    def pairs(self):
        """What the local loss compares; "all" too where there is none."""
        return str(essential(self.config)["hidden"].get("pairs", "all"))

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
    """Groups of runs by what they learn and how: {(environment, algorithm): [Group]}, labelled, in
    the order of the paper's table."""
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
    return dict(sorted(found.items(), key=lambda item: _place(*item[0])))


def _place(environment, algorithm):
    """In the paper's table; what it lacks comes after it, by name."""
    environments, algorithms = list(paper.ITERATIONS), list(ALGORITHMS)
    return (algorithms.index(algorithm) if algorithm in algorithms else len(algorithms),
            environments.index(environment) if environment in environments else len(environments),
            environment, algorithm)


def cell_title(cell):
    environment, algorithm = cell
    return f"{environment}, {ALGORITHMS.get(algorithm, algorithm)}"


def _label(groups):
    """Names by method and pairs, and by the settings that differ where these are the same."""
    for group in groups:
        label = METHODS.get(group.method, group.method)
        if group.method == "transferred":
            label += " " + group.source
        group.label = label if group.pairs == "all" else f"{label} {group.pairs}"
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


def _settings(config):
    """{"section.key": text} of what tells configs apart. Rates of hidden layers are relative to the
    head's, so that a variant has one name in environments whose rates differ."""
    kept = essential(config)
    flat = {key: _text(value) for key, value in flatten(kept).items() if key not in TOLD}
    head = config.get("head", {}).get("learning_rate")
    hidden = kept["hidden"].get("learning_rate")
    if head and isinstance(hidden, (int, float)):
        flat["hidden.learning_rate"] = f"{hidden / head:.3g} × head's"
    elif head and str(hidden).startswith("scaled:"):
        flat["hidden.learning_rate"] = f"scaled:{float(hidden[7:]) / head:.3g} × head's"
    return flat


def _text(value):
    """Layers of one width as 4 × 64."""
    if isinstance(value, list) and len(value) > 1 and len(set(value)) == 1:
        return f"{len(value)} × {value[0]}"
    return str(value)


def _peculiarities(groups):
    """For each group, the settings that set it apart: those that are not the usual ones, where
    there are such, else not the commonest among the groups, or of which no value is."""
    flat = [_settings(group.config) for group in groups]
    keys = sorted({key for settings in flat for key in settings}, key=lambda key: (len(key), key))
    usual = {}
    for key in keys:
        (value, count), *others = Counter(settings.get(key) for settings in flat).most_common(2)
        usual[key] = value if not others else \
            USUAL.get(key, value if count > others[0][1] else None)
    return [_named({key: settings[key] for key in keys
                    if key in settings and settings[key] != usual[key]}) for settings in flat]


def _named(settings):
    """Settings by the last part of their key; in full where two of them end alike."""
    names = {key: key.split(".", 1)[1] for key in settings}
    uses = Counter(names.values())
    return ", ".join(f"{name if uses[name] == 1 else key} {settings[key]}"
                     for key, name in names.items())
