"""Learning curves, and the one estimator by which runs are compared.

The return of a run at iteration t is the mean of return_mean over the WINDOW iterations up to t.
It is taken at every STEP-th iteration from the first full window on, so that a result file with
these numbers alone says as much as the run's folder. The score of several runs that differ in
their seed is the largest value, over iterations, of the mean curve over the seeds.
"""

import numpy as np

WINDOW = 50  # iterations
STEP = 10  # iterations


def grid(iterations):
    """The iterations at which curves are taken; a run shorter than a window has its last one."""
    if iterations < WINDOW:
        return np.array([iterations])
    return np.arange(WINDOW, iterations + 1, STEP)


def window_sums(values, ends):
    """Sums of the values in the window up to each end, what is not-a-number left out; and how
    many there were."""
    known = ~np.isnan(values)
    total = np.concatenate(([0.0], np.cumsum(np.where(known, values, 0.0))))
    count = np.concatenate(([0], np.cumsum(known)))
    begins = np.maximum(ends - WINDOW, 0)
    return total[ends] - total[begins], count[ends] - count[begins]


def smooth(returns):
    """(iterations) → (grid): moving means; iterations without an ended episode do not count."""
    sums, counts = window_sums(returns, grid(len(returns)))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def stack(curves):
    """Curves of several seeds as (seeds, grid), cut to the shortest of them."""
    length = min(len(curve) for curve in curves)
    return np.array([curve[:length] for curve in curves])


def mean_curve(curves):
    """(seeds, grid) → (grid); nothing where no seed has a value."""
    known = ~np.isnan(curves)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, curves, 0.0).sum(axis=0) / np.maximum(counts, 1),
                    np.nan)


def best(mean):
    """The largest value of a mean curve and its place in the grid; none if nothing ended."""
    if np.isnan(mean).all():
        return np.nan, 0
    place = int(np.nanargmax(mean))
    return float(mean[place]), place
