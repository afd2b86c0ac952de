"""The runs of a picture as a table: what they reached, and how fast."""

import numpy as np

from lpdm_runs.curves import WINDOW, grid
from lpdm_runs.groups import cell_title
from lpdm_runs.tables import Table


def table(cells, threshold):
    """With a threshold, when the moving mean of each run first reached it."""
    lines = [["", "method", "seeds", f"best mean of {WINDOW}"]
             + ([] if threshold is None else [f"reached {threshold:g} at"])
             + ["env steps", "seconds"]]
    for cell, groups in cells.items():
        for group in groups:
            best = [float(np.fmax.reduce(run.curve)) for run in group.runs]
            line = [cell_title(cell), group.label, str(len(group.runs)), _several(best, "{:.1f}")]
            if threshold is not None:
                line.append(_reached(group, threshold))
            lines.append(line + [f"{np.mean([run.env_steps for run in group.runs]):,.0f}",
                                 f"{np.mean([run.seconds for run in group.runs]):.1f}"])
    return Table(lines, left=2)


def _several(values, form):
    """One value, or the smallest, the mean and the largest."""
    if len(values) == 1:
        return form.format(values[0])
    return " ".join([form.format(np.mean(values)),
                     f"({form.format(min(values))} to {form.format(max(values))})"])


def first_reaching(run, threshold):
    """The first iteration of the grid whose moving mean is at least the threshold, or None."""
    reached = np.nonzero(np.nan_to_num(run.curve, nan=-np.inf) >= threshold)[0]
    return int(grid(run.iterations)[reached[0]]) if len(reached) else None


def _reached(group, threshold):
    reached = [first_reaching(run, threshold) for run in group.runs]
    known = [iteration for iteration in reached if iteration is not None]
    if not known:
        return "never"
    text_of_known = _several(known, "{:.0f}")
    return text_of_known if len(known) == len(reached) else \
        f"{text_of_known}, {len(known)} of {len(reached)}"
