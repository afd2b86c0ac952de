"""Diagnostics per layer: one row of panels per hidden layer, one column per quantity."""

import numpy as np

from lpdm_runs.drawing_style import style, thinned, typeset
from lpdm_runs.groups import cell_title

QUANTITIES = (("loss", "local loss"), ("correlation", "correlation of T and $\\bar{D}_Y$"),
              ("mean_distance", "mean of $\\bar{D}_Y$"), ("saturated", "saturated share"),
              ("gradient_norm", "gradient norm"))
LAYERS = 4  # drawn at most, evenly spread over the depth


def available(groups):
    """The groups whose diagnostics are known: from run folders, and not between two intervals."""
    return [group for group in groups if any(_values(run, 0, "loss").any() for run in group.runs)]


def layers_shown(groups):
    depth = max(len(group.config["network"]["hidden"]) for group in groups)
    if depth <= LAYERS:
        return list(range(depth))
    return sorted({round(i * (depth - 1) / (LAYERS - 1)) for i in range(LAYERS)})


def size(groups):
    """Width and height [inch]."""
    return 13.0, 0.9 + 2.1 * len(layers_shown(groups))


def draw(figure, cell, groups):
    shown = layers_shown(groups)
    panels = figure.subplots(len(shown), len(QUANTITIES), squeeze=False, sharex=True)
    for row, layer in zip(panels, shown):
        for panel, (key, title) in zip(row, QUANTITIES):
            _draw_panel(panel, groups, layer, key)
            if layer == shown[0]:
                panel.set_title(title)
            if layer == shown[-1]:
                panel.set_xlabel("iteration")
        row[0].set_ylabel(f"layer {layer + 1}", fontweight="bold")
    panels[0][-1].legend(loc="upper left", bbox_to_anchor=(1.02, 1.0))
    several = any(len(group.runs) > 1 for group in groups)
    figure.suptitle(f"Layer diagnostics, {cell_title(cell)}"
                    + (" (mean over seeds)" if several else ""), fontsize=10)


def _draw_panel(panel, groups, layer, key):
    for group, (colour, line) in zip(groups, style([group.method for group in groups])):
        of_runs = [_values(run, layer, key) for run in group.runs]
        length = min(len(values) for values in of_runs)
        if length == 0:
            continue
        mean = np.mean([values[:length, 1] for values in of_runs], axis=0)
        points = thinned(np.stack([of_runs[0][:length, 0], mean], axis=1))
        panel.plot(*points.T, color=colour, linestyle=line, linewidth=1.2,
                   label=typeset(group.label))
    panel.margins(x=0.02)


def _values(run, layer, key):
    """(points, 2): iteration and value, where there is one."""
    return run.diagnostics.get((layer, key), np.empty((0, 2)))
