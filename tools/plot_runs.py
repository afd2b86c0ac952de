#!/usr/bin/env python3
"""Compares finished or running lpdm runs: a table on stdout and a picture of the learning curves.

    plot_runs.py RUN... [--out curves.png] [--window 50] [--threshold 475]

Reads RUN/metrics.jsonl and RUN/config.json. The curve is the moving mean of return_mean over the
last `window` iterations in which an episode ended; with one episode per update, the default, that
is the mean of so many episodes.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

# Okabe and Ito's colours, which most colour-blind readers can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


@dataclass
class Run:
    """The curves of one run; iterations and returns have one entry per iteration with a return."""

    label: str
    environment: str
    iterations: list
    returns: list
    env_steps: int
    seconds: float


def method_label(config):
    """What trains the hidden layers, in a few words."""
    hidden = config.get("hidden", {})
    method = hidden.get("method", "lpdm")
    if method != "lpdm":
        return {"backprop": "backprop", "frozen": "frozen layers"}.get(method, method)
    label = "LPDM guided" if hidden.get("guided") else "LPDM"
    pairs = hidden.get("pairs", "all")
    return label if pairs == "all" else f"{label} ({pairs})"


def read_run(folder):
    """Raises ValueError with one sentence when the folder holds no readable run."""
    path = folder / "metrics.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        config = json.loads((folder / "config.json").read_text())
        ended = [row for row in rows if row["return_mean"] is not None]
        seconds = sum(row["rollout_seconds"] + row["update_seconds"] for row in rows)
    except OSError as error:
        raise ValueError(f"{error.filename} cannot be read ({error.strerror}); name the folder of "
                         "a run that lpdm train has made.") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{folder} holds a line that is not JSON ({error}); let the run end or "
                         "make it again.") from error
    except KeyError as error:
        raise ValueError(f"{path} has a line without {error}; it was not written by this version "
                         "of lpdm.") from error
    if not ended:
        raise ValueError(f"{path} has no finished episode yet; wait for one.")
    return Run(method_label(config), config.get("env", {}).get("id", ""),
               [row["iteration"] for row in ended], [row["return_mean"] for row in ended],
               rows[-1]["env_steps"], seconds)


def moving_mean(values, window):
    """Means of each `window` consecutive values: as many as fit, or one over all if none does."""
    window = min(window, len(values))
    total = sum(values[:window])
    means = [total / window]
    for i in range(window, len(values)):
        total += values[i] - values[i - window]
        means.append(total / window)
    return means


def first_reaching(run, window, threshold):
    """The first iteration whose moving mean is at least the threshold, or None."""
    means = moving_mean(run.returns, window)
    ends = run.iterations[len(run.iterations) - len(means):]
    return next((end for end, mean in zip(ends, means) if mean >= threshold), None)


def table(runs, window, threshold):
    """The comparison as aligned lines of text."""
    rows = [["method", f"best {window}-episode mean"]
            + ([] if threshold is None else [f"iterations to {threshold:g}"])
            + ["env steps", "seconds"]]
    for run in runs:
        row = [run.label, f"{max(moving_mean(run.returns, window)):.1f}"]
        if threshold is not None:
            reached = first_reaching(run, window, threshold)
            row.append("not reached" if reached is None else str(reached))
        rows.append(row + [f"{run.env_steps:,}", f"{run.seconds:.1f}"])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])])
        for row in rows)


def draw(runs, window, threshold, out):
    """Writes the learning curves of all runs as one picture."""
    import matplotlib  # only here: the table needs no more than the standard library

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for i, run in enumerate(runs):
        colour = COLOURS[i % len(COLOURS)]
        means = moving_mean(run.returns, window)
        axes.plot(run.iterations, run.returns, color=colour, alpha=0.18, linewidth=0.7)
        axes.plot(run.iterations[len(run.iterations) - len(means):], means, color=colour,
                  linewidth=2, label=run.label)
    if threshold is not None:
        axes.axhline(threshold, color="0.4", linewidth=1, linestyle="--", label=f"{threshold:g}")
    environments = sorted({run.environment for run in runs if run.environment})
    axes.set_title(", ".join(environments))
    axes.set_xlabel("iteration")
    axes.set_ylabel(f"return (bold: mean of {window})")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.savefig(out, dpi=150)
    plt.close(figure)


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folder of a run")
    parser.add_argument("--out", type=Path, help="picture to write, .png or .svg")
    parser.add_argument("--window", type=int, default=50, help="episodes in the moving mean")
    parser.add_argument("--threshold", type=float, help="return that counts as solved")
    options = parser.parse_args(arguments)
    if options.window < 1:
        parser.error(f"--window is {options.window}, expected at least 1.")
    return options


def main(arguments=None):
    options = parse_options(arguments)
    try:
        runs = [read_run(folder) for folder in options.runs]
    except ValueError as error:
        print(f"plot_runs.py: error: {error}", file=sys.stderr)
        return 1
    print(table(runs, options.window, options.threshold))
    if options.out:
        draw(runs, options.window, options.threshold, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
