"""Run folders as numbers."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lpdm_runs import standing
from lpdm_runs.curves import smooth
from lpdm_runs.errors import UsageError

# Settings that change neither what is learnt nor how long.
UNIMPORTANT = {"run": {"seed", "device", "threads", "checkpoint_every", "keep_checkpoints",
                       "log_every", "diagnostics_every", "eval_every", "eval_episodes",
                       "tensorboard"},
               "rollout": {"halves"}}
# Settings that programs before them lacked, and the value that does what those did.
IMPLIED = {"hidden": {"memory_mb": 0}, "rollout": {"inference": "auto"},
           "backend": {"arithmetic": "fp32"}, "network": {"init_layers": "all"}}
# Settings of the hidden layers that a method makes no use of.
LOCAL_LOSS = {"guided", "metric", "scale", "norm", "max_gradient", "guide_base", "pairs", "target",
              "error_rule", "block", "batch", "memory_mb"}
UNUSED = {"backprop": LOCAL_LOSS | {"grad_clip"},
          "frozen": LOCAL_LOSS | {"grad_clip", "learning_rate"}}


@dataclass
class Run:
    """One run; `curve` is its smoothed return at the iterations of `curves.grid`."""

    name: str
    config: dict
    seed: int
    iterations: int  # made so far
    env_steps: int
    episodes: int
    seconds: float  # of rollouts and updates
    complete: bool  # whether it has made all iterations, or reached the return that ends it
    curve: np.ndarray  # (grid)
    standing: np.ndarray  # (grid), share of the episodes in the window that merely stood still
    standing_episodes: int
    provenance: dict  # commit, version, machine, device of the program that made it
    folder: Path = None  # none: it comes from a result file, and has neither of the following
    returns: np.ndarray = field(default_factory=lambda: np.empty(0))  # (iterations)
    diagnostics: dict = field(default_factory=dict)  # see diagnostics_of

    @property
    def environment(self):
        return self.config["env"]["id"]

    @property
    def algorithm(self):
        return self.config["algorithm"]["name"]

    @property
    def config_hash(self):
        return config_hash(self.config)


def essential(config):
    """What of a config decides what is learnt, other than the seed."""
    unimportant = {**UNIMPORTANT, "hidden": UNUSED.get(config["hidden"]["method"], ())}
    kept = {}
    for section, keys in config.items():
        said = {key: value for key, value in keys.items()
                if key not in IMPLIED.get(section, ()) or value != IMPLIED[section][key]}
        if said:
            kept[section] = {key: value for key, value in said.items()
                             if key not in unimportant.get(section, ())}
    return kept


def config_hash(config):
    """Equal for runs that differ in nothing but the seed and what cannot change a result."""
    text = json.dumps(essential(config), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_run(folder):
    return (folder / "config.json").is_file()


def read_json(path, kind):
    """The object in a file; `kind` says what it is, for the sentence if it is damaged."""
    try:
        return json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: this {kind} is not JSON ({error}); make the run again.") \
            from error


def read_metrics(path):
    """The lines of metrics.jsonl; an incomplete last one, as of a run under way, is left out."""
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        raise UsageError(f'"{path.parent}" has no metrics.jsonl; it is no run of lpdm train, or '
                         "was stopped before its first iteration.") from error
    lines = []
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            row = json.loads(line)
            row["iteration"], row["return_mean"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: line {number} is not a line of metrics; mend or remove the "
                             "file's damage, or leave this run out.") from error
        lines.append(row)
    if not lines:
        raise UsageError(f'"{path.parent}" has finished no iteration yet; wait for one, or leave '
                         "it out.")
    return lines


def source_name(path, seed):
    """The name of the run that layers come from, alike wherever it lies: the last part of its
    path, of a sweep's the config, if it has the seed of the run that takes them."""
    *_, config, run = ["", *Path(path).parts]
    if run == f"seed-{seed}":
        return config
    return f"{config}/{run}" if run.startswith("seed-") else run


def read_config(folder):
    config = read_json(folder / "config.json", "config")
    network = config.get("network", {})
    if source := network.get("init_from"):
        network["init_from"] = source_name(source, config["run"]["seed"])
    return config


def read_run(folder):
    """Raises UsageError with one sentence where the folder holds no readable run."""
    config = read_config(folder)
    metrics = read_metrics(folder / "metrics.jsonl")
    summary_path = folder / "summary.json"
    summary = read_json(summary_path, "summary") if summary_path.exists() else {}
    returns = numbers(metrics, "return_mean")
    episodes = np.nan_to_num(numbers(metrics, "episodes"), nan=1.0)
    stood = standing.episodes_standing(config, returns, numbers(metrics, "length_mean"), episodes)
    provenance = {key: summary[key] for key in ("commit", "version", "machine", "device", "mujoco")
                  if key in summary}
    return Run(name=str(folder), config=config, seed=config["run"]["seed"],
               iterations=len(metrics), env_steps=int(metrics[-1].get("env_steps", 0)),
               episodes=int(episodes.sum()), seconds=seconds_of(metrics),
               complete=is_complete(config, metrics, summary), curve=smooth(returns),
               standing=standing.share(stood, episodes), standing_episodes=int(stood.sum()),
               provenance=provenance, folder=folder, returns=returns,
               diagnostics=diagnostics_of(metrics))


def numbers(metrics, key):
    """A column of metrics.jsonl, not-a-number where it is null or missing."""
    return np.array([row[key] if row.get(key) is not None else np.nan for row in metrics], float)


def diagnostics_of(metrics):
    """{(layer from 0, key): (points, 2)}: iteration and value of every number that was measured."""
    found = {}
    for row in metrics:
        for layer, values in enumerate(row.get("layers", [])):
            for key, value in values.items():
                if value is not None:
                    found.setdefault((layer, key), []).append((row["iteration"], value))
    return {place: np.array(points, float) for place, points in found.items()}


def seconds_of(metrics):
    return float(np.nansum(numbers(metrics, "rollout_seconds"))
                 + np.nansum(numbers(metrics, "update_seconds")))


def is_complete(config, metrics, summary):
    if len(metrics) >= config["run"]["iterations"]:
        return True
    goal, last = config["run"].get("stop_return"), summary.get("last_mean_50")
    return isinstance(goal, (int, float)) and last is not None and last >= goal
