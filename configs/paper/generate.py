#!/usr/bin/env python3
"""Writes the paper's settings as configs: 8 environments x 3 algorithms x hidden-layer methods.

    configs/paper/<algorithm>/<environment>-<method>.json    the table of the paper, section 5
    configs/paper/appendix/<environment>-<variant>.json      appendices A to C, with REINFORCE

The hyperparameters stand in the tables below and nowhere else; docs/search.md tells how they were
found. One setting per algorithm, with exceptions only where the paper has them: rates of the easy
environments and of Pusher, standard deviations of Pusher, Ant and HalfCheetah. The files of a
cell differ in hidden.method, and in hidden.guided, alone.

--check writes nothing and fails if a file is not what this script would write.
"""

import argparse
import copy
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

ENVIRONMENTS = {
    "cartpole": "CartPole-v1",
    "acrobot": "Acrobot-v1",
    "inverted-pendulum": "InvertedPendulum-v4",
    "pusher": "Pusher-v4",
    "hopper": "Hopper-v4",
    "walker2d": "Walker2d-v4",
    "half-cheetah": "HalfCheetah-v4",
    "ant": "Ant-v4",
}
EASY = ("cartpole", "acrobot", "inverted-pendulum")
ALGORITHMS = ("reinforce", "reinforce_baseline", "ppo")

# Iterations of the paper's table.
ITERATIONS = {"cartpole": 1500, "acrobot": 1500, "inverted-pendulum": 1500, "pusher": 3000}
LOCOMOTION_ITERATIONS = {"reinforce": 5000, "reinforce_baseline": 5000, "ppo": 3000}

# Learning rate of all layers and the policy head, by algorithm, and exceptions.
RATE = {"reinforce": 5e-4, "reinforce_baseline": 3e-4, "ppo": 3e-4}
RATES = {
    ("reinforce", "cartpole"): 1e-3,
    ("reinforce", "acrobot"): 1e-3,
    ("reinforce", "pusher"): 1e-4,
    ("reinforce_baseline", "cartpole"): 1e-3,
    ("reinforce_baseline", "acrobot"): 1e-3,
    ("reinforce_baseline", "inverted-pendulum"): 5e-4,
    ("reinforce_baseline", "pusher"): 1e-4,
}

# Standard deviation of the Gaussian policies.
STD = {"inverted-pendulum": 0.5, "hopper": 0.5, "walker2d": 0.5, "half-cheetah": 0.1, "ant": 0.1,
       "pusher": 0.1}
PPO_STD = {"hopper": 0.3, "walker2d": 0.3, "half-cheetah": 0.2, "ant": 0.2}

METHODS = {
    "backprop": {"method": "backprop"},
    "lpdm": {"method": "lpdm"},
    "lpdm-guided": {"method": "lpdm", "guided": True},
    "frozen": {"method": "frozen"},
}

# Appendices: A, sparse pairs; B, forward-error propagation; C, learning rates (times the cell's).
VARIANTS = {
    "closest": {"pairs": "closest"},
    "furthest": {"pairs": "furthest"},
    "closest-furthest": {"pairs": "closest_furthest"},
    "error-propagation": {"target": "error_propagation", "error_rule": "one_plus"},
    "error-product": {"target": "error_propagation", "error_rule": "product"},
    "hidden-faster": {"learning_rate": 3.0},
    "hidden-slower": {"learning_rate": 0.1},
    "scaled-rates": {"learning_rate": "scaled"},
}


def base(algorithm, name):
    """The config of a cell, without a method for the hidden layers."""
    rate = RATES.get((algorithm, name), RATE[algorithm])
    config = {
        "env": {"id": ENVIRONMENTS[name]},
        "algorithm": {"name": algorithm, "discount": 0.99},
        "network": {"hidden": [128, 256], "activation": "tanh"},
        "hidden": {"learning_rate": rate, "grad_clip": 0.5},
        "head": {"learning_rate": rate, "grad_clip": 0.5},
        "run": {"iterations": ITERATIONS.get(name, LOCOMOTION_ITERATIONS[algorithm])},
    }
    if name in STD:
        config["policy"] = {"std": (PPO_STD if algorithm == "ppo" else {}).get(name, STD[name])}
    if algorithm == "reinforce_baseline":
        # The returns are raw, so their squared errors would drown the policy's gradient in shared
        # layers at the usual weight.
        config["value"] = {"learning_rate": 3e-3, "steps": 10, "weight": 1e-3}
    if algorithm == "ppo":
        config["env"]["normalize_rewards"] = True
        config["algorithm"]["ppo"] = {
            "horizon": 1024 if name in EASY else 2048, "epochs": 4, "minibatch": 64, "clip": 0.2,
            "value_clip": 0.2, "advantage": "return", "normalize_advantages": True}
        config["value"] = {"learning_rate": rate}
        config["hidden"].update({"batch": "buffer", "pairs": "landmarks:64"})
    return config


def cells():
    """(path, comment, config) of every file."""
    for algorithm in ALGORITHMS:
        for name in ENVIRONMENTS:
            for method, hidden in METHODS.items():
                config = base(algorithm, name)
                config["hidden"] = {**hidden, **config["hidden"]}
                yield (f"{algorithm}/{name}-{method}.json",
                       f"{ENVIRONMENTS[name]}, {algorithm}, hidden layers by {method}: paper, "
                       "section 5" + (" (control of appendix D)" if method == "frozen" else ""),
                       config)
    for name in ENVIRONMENTS:
        for variant, change in VARIANTS.items():
            config = base("reinforce", name)
            hidden = copy.deepcopy(change)
            factor = hidden.get("learning_rate")
            rate = config["hidden"]["learning_rate"]
            if factor is not None:
                hidden["learning_rate"] = (f"scaled:{rate:g}" if factor == "scaled"
                                           else float(f"{rate * factor:.6g}"))
            config["hidden"].update({"method": "lpdm", **hidden})
            yield (f"appendix/{name}-{variant}.json",
                   f"{ENVIRONMENTS[name]}, reinforce, {variant}: paper, appendix", config)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    expected = {}
    for path, comment, config in cells():
        expected[path] = f"// {comment}. Written by configs/paper/generate.py.\n" + json.dumps(
            config, indent=2) + "\n"
    there = {str(p.relative_to(HERE)) for p in HERE.glob("*/*.json")}
    for path in sorted(there | set(expected)):
        file = HERE / path
        if path not in expected:
            stale.append(path)
            if not check:
                file.unlink()
        elif not file.exists() or file.read_text() != expected[path]:
            stale.append(path)
            if not check:
                file.parent.mkdir(exist_ok=True)
                file.write_text(expected[path])
    if check and stale:
        sys.exit(f"configs/paper: {len(stale)} files are not what generate.py writes, "
                 f"{stale[0]} first; run configs/paper/generate.py")
    print(f"{len(expected)} configs, {len(stale)} {'differ' if check else 'written'}")


if __name__ == "__main__":
    main()
