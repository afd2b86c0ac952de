#!/usr/bin/env python3
"""The statistics of python/lpdm_runs against those of the rliable package."""

import unittest

import run_folders  # noqa: F401, puts python/ on the path
import test_wheels

test_wheels.need("numpy", "rliable.library", "rliable.metrics")
import numpy as np  # noqa: E402
from rliable import library, metrics  # noqa: E402

from lpdm_runs import statistics  # noqa: E402


class RliableTest(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(11)

    def test_iqm(self):
        for runs, tasks in ((1, 1), (2, 1), (3, 2), (5, 4), (20, 3)):
            scores = self.random.normal(size=(runs, tasks))
            self.assertAlmostEqual(statistics.iqm(scores), metrics.aggregate_iqm(scores))

    def test_performance_profiles(self):
        scores = self.random.normal(size=(7, 3))
        thresholds = np.linspace(-2, 2, 31)
        profiles, _ = library.create_performance_profile({"x": scores}, thresholds, reps=2)
        np.testing.assert_allclose(statistics.profile(list(scores.T), thresholds), profiles["x"])

    def test_stratified_intervals_agree_within_what_resampling_leaves_open(self):
        scores = self.random.normal(loc=[0.0, 3.0, -1.0], size=(9, 3))
        _, intervals = library.get_interval_estimates(
            {"x": scores}, lambda values: np.array([metrics.aggregate_iqm(values)]), reps=4000)
        ours = statistics.stratified_interval(list(scores.T), statistics.iqm)
        width = ours[1] - ours[0]
        np.testing.assert_allclose(ours, intervals["x"][:, 0], atol=0.06 * width)


if __name__ == "__main__":
    unittest.main()
