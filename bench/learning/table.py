#!/usr/bin/env python3
"""Prints a Markdown table of the runs under a folder: one row per config, its seeds side by side."""

import collections
import json
import pathlib
import statistics
import sys

# environment: (window of the moving mean, return that counts as reached)
GOALS = {"CartPole-v1": (50, 475), "InvertedPendulum-v4": (50, 950), "Hopper-v4": (100, 200)}


def first_reached(run, window, goal):
    """The iteration at which the mean return of the latest `window` first reaches `goal`, or None."""
    latest = collections.deque(maxlen=window)
    with open(run / "metrics.jsonl") as lines:
        for line in lines:
            metrics = json.loads(line)
            latest.append(metrics["return_mean"])
            if len(latest) == window and sum(latest) / window >= goal:
                return metrics["iteration"]
    return None


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: table.py FOLDER, with the runs CONFIG/seed-N of lpdm sweep in it")
    groups = collections.defaultdict(list)
    for summary in pathlib.Path(sys.argv[1]).glob("*/seed-*/summary.json"):
        groups[summary.parent.parent.name].append((summary.parent, json.loads(summary.read_text())))
    print("| config | best mean return, per seed | goal reached after (iterations) | seconds a run |")
    print("|---|---|---|---|")
    for config in sorted(groups):
        runs = sorted(groups[config], key=lambda run: run[1]["seed"])
        window, goal = GOALS[runs[0][1]["environment"]]
        best = " ".join(f"{summary[f'best_mean_{window}']:.0f}" for _, summary in runs)
        reached = [first_reached(run, window, goal) for run, _ in runs]
        after = " ".join("–" if iteration is None else str(iteration) for iteration in reached)
        seconds = [summary["seconds"] for _, summary in runs]
        print(f"| {config} | {best} | {after} | {statistics.median(seconds):.1f} "
              f"({min(seconds):.1f}–{max(seconds):.1f}) |")


if __name__ == "__main__":
    main()
