"""Learning curves: the mean over seeds with a bootstrap band, one panel per cell."""

import math

import numpy as np

from lpdm_runs.curves import WINDOW, mean_curve
from lpdm_runs.drawing_style import style, thinned, typeset
from lpdm_runs.groups import cell_title
from lpdm_runs.statistics import mean_band

COLUMNS = 4


def layout(cells):
    """(rows, columns) of panels."""
    count = len(cells)
    columns = 2 if count == 4 else min(count, COLUMNS)
    return math.ceil(count / columns), columns


def size(cells):
    """Width and height of the panels together [inch]."""
    rows, columns = layout(cells)
    return (7.6, 4.2) if (rows, columns) == (1, 1) else (max(7.6, 4.2 * columns), 3.3 * rows)


def draw(figure, cells, threshold=None):
    """cells: {(environment, algorithm): groups}."""
    rows, columns = layout(cells)
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel, (cell, groups) in zip(panels.flat, cells.items()):
        draw_panel(panel, groups, threshold)
        panel.set_title(cell_title(cell), fontweight="bold")
    for panel in list(panels.flat)[len(cells):]:
        panel.set_visible(False)
    several = any(len(group.runs) > 1 for groups in cells.values() for group in groups)
    band = "mean over seeds, band: 95 % bootstrap interval; " if several else ""
    figure.suptitle(f"Learning curves ({band}moving mean over {WINDOW} iterations)", fontsize=10)


def draw_panel(panel, groups, threshold):
    for group, (colour, line) in zip(groups, style([group.method for group in groups])):
        curves, iterations = group.curves, group.grid
        if len(groups) <= 3 and len(group.runs) <= 5:
            draw_raw(panel, group, colour)
        band = mean_band(curves)
        if band is not None:
            panel.fill_between(iterations, *band, color=colour, alpha=0.18, linewidth=0)
        seeds = f"{len(group.runs)} seeds" if len(group.runs) > 1 else f"seed {group.seeds[0]}"
        marker = "o" if len(iterations) == 1 else None
        panel.plot(iterations, mean_curve(curves), color=colour, linestyle=line, linewidth=1.8,
                   marker=marker, label=f"{typeset(group.label)} ({seeds})")
    if threshold is not None:
        panel.axhline(threshold, color="0.35", linewidth=1, linestyle=(0, (4, 3)),
                      label=f"solved ({threshold:g})")
    panel.set_xlabel("iteration")
    panel.set_ylabel("return")
    panel.set_xlim(0, 1.01 * max(group.grid[-1] for group in groups))
    panel.legend(loc="best", frameon=True, framealpha=0.8, edgecolor="none")


def draw_raw(panel, group, colour):
    """The returns of single iterations, faintly; a result file does not have them."""
    for run in group.runs:
        iterations = np.arange(1, len(run.returns) + 1)
        known = np.stack([iterations, run.returns], axis=1)[~np.isnan(run.returns)]
        panel.plot(*thinned(known).T, color=colour, alpha=0.5 / (1 + 3 * len(group.runs)),
                   linewidth=0.5)
