#!/usr/bin/env python3
"""Searches the learning rate of the paper's settings, on the same grid for every method.

    bench/learning/search.py --out runs/search [--env cartpole ...] [--algorithm ppo ...] [--jobs J]

Each cell (algorithm, environment, method) is run with every rate of the grid, for hidden layers and
policy head alike, and a few seeds; the runs are those of configs/paper otherwise. A run ends when it
has reached the environment's goal, a mean return over 50 iterations. Prints one table: how many seeds
reached the goal and after how many iterations (median), else the best mean return. Runs that are
complete are kept, so an interrupted search goes on.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RATES = (1e-4, 3e-4, 1e-3)
METHODS = ("backprop", "lpdm", "lpdm-guided", "frozen")
GOALS = {"cartpole": 475, "acrobot": -110, "inverted-pendulum": 950, "hopper": 1000,
         "walker2d": 1000, "half-cheetah": 1500, "ant": 900, "pusher": -45}
ALGORITHMS = ("reinforce", "reinforce_baseline", "ppo")


def sweep(options, algorithm, name, rate):
    """Makes the runs of one rate; returns the folder that holds them."""
    out = options.out / algorithm / f"{rate:g}"
    configs = [ROOT / "configs/paper" / algorithm / f"{name}-{method}.json" for method in METHODS]
    overrides = {"hidden.learning_rate": rate, "head.learning_rate": rate,
                 "run.stop_return": GOALS[name], "run.diagnostics_every": 0}
    if algorithm == "ppo":
        overrides["value.learning_rate"] = rate
    if options.iterations:
        overrides["run.iterations"] = options.iterations
    command = [str(options.binary), "sweep", *map(str, configs), "--seeds", options.seeds,
               "--jobs", str(options.jobs), "--out", str(out)]
    for key, value in overrides.items():
        command += ["--set", f"{key}={value}"]
    if subprocess.run(command).returncode != 0:
        sys.exit(f"search: some runs in {out} failed, see above")
    return out


def cell(folder, goal):
    """'3/3 at 410' or '1/3, best 120.5' of the runs in a folder."""
    best, reached = [], []
    for path in sorted(folder.glob("seed-*/summary.json")):
        summary = json.loads(path.read_text())
        best.append(summary["best_mean_50"] if summary["best_mean_50"] is not None
                    else summary["last_mean_50"])
        if best[-1] >= goal:
            reached.append(summary["best_mean_50_iteration"])
    if len(reached) == len(best):
        return f"{len(reached)}/{len(best)} at {statistics.median(reached):.0f}"
    return f"{len(reached)}/{len(best)}, best {statistics.mean(best):.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "runs/search")
    parser.add_argument("--binary", type=Path, default=ROOT / "build/release/tools/lpdm")
    parser.add_argument("--env", nargs="+", choices=GOALS, default=list(GOALS)[:3])
    parser.add_argument("--algorithm", nargs="+", choices=ALGORITHMS, default=ALGORITHMS)
    parser.add_argument("--seeds", default="0-2")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--iterations", type=int, help="in place of the configs' own")
    options = parser.parse_args()
    rows = []
    for algorithm in options.algorithm:
        for name in options.env:
            folders = {rate: sweep(options, algorithm, name, rate) for rate in RATES}
            for method in METHODS:
                rows.append([algorithm, name, method] + [
                    cell(folders[rate] / f"{name}-{method}", GOALS[name]) for rate in RATES])
    print("| algorithm | environment | method | " + " | ".join(f"{r:g}" for r in RATES) + " |")
    print("|" + "---|" * (3 + len(RATES)))
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
