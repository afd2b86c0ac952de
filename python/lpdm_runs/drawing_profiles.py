"""Performance profiles: which share of runs is above which normalised score."""

from lpdm_runs.drawing_style import style, typeset
from lpdm_runs.groups import ALGORITHMS


def size(aggregates):
    """Width and height of the panels together [inch]."""
    return max(7.6, 4.2 * len(_by_algorithm(aggregates))), 3.6


def draw(figure, aggregates):
    """aggregates: of comparison.aggregates."""
    found = _by_algorithm(aggregates)
    panels = figure.subplots(1, len(found), squeeze=False, sharey=True)[0]
    for panel, (algorithm, entries) in zip(panels, found.items()):
        draw_panel(panel, entries)
        panel.set_title(ALGORITHMS.get(algorithm, algorithm), fontweight="bold")
    panels[0].set_ylabel("share of runs above τ")
    figure.suptitle("Performance profiles (1: the paper's best in each environment)", fontsize=10)


def draw_panel(panel, entries):
    for entry, (colour, line) in zip(entries, style([entry["method"] for entry in entries])):
        panel.step(entry["thresholds"], entry["profile"], where="post", color=colour,
                   linestyle=line, linewidth=1.8,
                   label=f"{typeset(entry['label'])} (IQM {entry['iqm']:.2f}, "
                         f"{entry['runs']} runs)")
    panel.set_xlabel("normalised score τ")
    panel.set_ylim(-0.02, 1.02)
    panel.legend(loc="best", frameon=True, framealpha=0.8, edgecolor="none")


def _by_algorithm(aggregates):
    found = {}
    for entry in aggregates:
        found.setdefault(entry["algorithm"], []).append(entry)
    return found
