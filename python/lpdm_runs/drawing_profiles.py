"""Performance profiles: which share of runs is above which normalised score."""

from lpdm_runs.drawing_style import FURTHER_COLOURS, METHOD_COLOURS, typeset
from lpdm_runs.groups import ALGORITHMS, METHODS


def size(algorithms):
    return max(7.6, 4.2 * len(algorithms)), 3.6


def draw(figure, aggregates):
    """aggregates: of comparison.aggregates."""
    algorithms = list(dict.fromkeys(entry["algorithm"] for entry in aggregates))
    panels = figure.subplots(1, len(algorithms), squeeze=False, sharey=True)[0]
    by_label = {METHODS[method]: colour for method, colour in METHOD_COLOURS.items()}
    for panel, algorithm in zip(panels, algorithms):
        further = iter(FURTHER_COLOURS * 10)
        for entry in aggregates:
            if entry["algorithm"] != algorithm:
                continue
            colour = by_label.get(entry["label"]) or next(further)
            panel.step(entry["thresholds"], entry["profile"], where="post", color=colour,
                       linewidth=1.8, label=f"{typeset(entry['label'])} (IQM {entry['iqm']:.2f}, "
                                            f"{entry['runs']} runs)")
        panel.set_title(ALGORITHMS.get(algorithm, algorithm), fontweight="bold")
        panel.set_xlabel("normalised score τ")
        panel.set_ylim(-0.02, 1.02)
        panel.legend(loc="lower left")
    panels[0].set_ylabel("share of runs above τ")
    figure.suptitle("Performance profiles (1: the paper's best in each environment)", fontsize=10)
