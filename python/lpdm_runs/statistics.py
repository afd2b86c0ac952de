"""What can be said of a few runs: intervals, the interquartile mean, performance profiles.

Intervals are percentile bootstraps over seeds with SAMPLES resamples of a fixed generator, so that
equal runs give equal reports. IQM, profiles and stratified intervals are rliable's (Agarwal et al.,
NeurIPS 2021); the tests compare them with that package.
"""

import math

import numpy as np

from lpdm_runs.curves import best, mean_curve

SAMPLES = 2000
LEVEL = 0.95
NORMAL_QUANTILE = 1.959964  # two-sided 95 %
POWER_QUANTILE = 0.841621  # 80 %


def generator(stream=0):
    """Samples of different streams are independent of each other."""
    return np.random.default_rng([20250715, stream])


def interval(samples):
    """The central LEVEL of bootstrap samples, along the first axis."""
    tail = 100.0 * (1.0 - LEVEL) / 2.0
    return np.percentile(samples, [tail, 100.0 - tail], axis=0)


def mean_band(curves):
    """Pointwise interval of the mean of (seeds, grid): two rows of (grid); none for one seed."""
    return interval(_resampled_means(curves)) if len(curves) > 1 else None


def best_samples(curves, stream=0):
    """Bootstrap samples of the estimator: the largest value of the mean curve, (SAMPLES)."""
    return np.fmax.reduce(_resampled_means(curves, stream), axis=1)


def _resampled_means(curves, stream=0):
    """Mean curves of resampled seeds, (SAMPLES, grid)."""
    seeds = len(curves)
    drawn = generator(stream).integers(seeds, size=(SAMPLES, seeds))
    weights = np.stack([(drawn == seed).sum(axis=1) for seed in range(seeds)], axis=1).astype(float)
    known = ~np.isnan(curves)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (weights @ np.where(known, curves, 0.0)) / (weights @ known.astype(float))
    return np.where(np.isnan(means), mean_curve(curves), means)


def iqm(scores):
    """The mean of the middle half of all scores."""
    ordered = np.sort(np.asarray(scores, float), axis=None)
    cut = int(0.25 * len(ordered))
    return float(ordered[cut:len(ordered) - cut].mean())


def stratified_interval(strata, statistic):
    """Interval of a statistic of all scores, the seeds of each stratum resampled by themselves.

    strata: one array of scores per task."""
    random = generator()
    samples = [statistic(np.concatenate([random.choice(scores, len(scores)) for scores in strata]))
               for _ in range(SAMPLES)]
    return interval(np.array(samples))


def profile(strata, thresholds):
    """Share of runs above each threshold, every task weighing the same: (thresholds)."""
    return np.mean([[np.mean(np.asarray(scores) > threshold) for threshold in thresholds]
                    for scores in strata], axis=0)


def seeds_to_settle(first, second, difference):
    """Seeds each that show a difference of this size at the 5 % level in 4 cases of 5, from the
    spread of two samples of scores; none where either has one seed or there is no difference."""
    if min(len(first), len(second)) < 2 or difference == 0.0:
        return None
    variance = np.var(first, ddof=1) + np.var(second, ddof=1)
    seeds = (NORMAL_QUANTILE + POWER_QUANTILE) ** 2 * variance / difference ** 2
    return max(2, math.ceil(seeds))


def score(curves):
    """The estimator itself, and the place of the largest mean in the grid."""
    return best(mean_curve(curves))
