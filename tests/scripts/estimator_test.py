#!/usr/bin/env python3
"""Tests of python/lpdm_runs: the estimator and the statistics, by numbers worked out by hand."""

import unittest

import numpy as np
from run_folders import RunsTest

from lpdm_runs import comparison, curves, statistics
from lpdm_runs.groups import cells
from lpdm_runs.runs import read_run
from lpdm_runs.selection import select


class Estimator(RunsTest):
    def test_the_grid_begins_with_the_first_full_window(self):
        self.assertEqual(curves.grid(75).tolist(), [50, 60, 70])
        self.assertEqual(curves.grid(50).tolist(), [50])
        self.assertEqual(curves.grid(7).tolist(), [7])

    def test_smoothing_is_the_mean_of_the_latest_window(self):
        returns = np.arange(1.0, 71.0)
        self.assertEqual(curves.smooth(returns).tolist(), [25.5, 35.5, 45.5])

    def test_iterations_without_an_ended_episode_do_not_count(self):
        returns = np.full(60, np.nan)
        returns[[5, 15, 55]] = [3.0, 9.0, 30.0]
        self.assertEqual(curves.smooth(returns).tolist(), [6.0, 19.5])
        self.assertTrue(np.isnan(curves.smooth(np.full(60, np.nan))).all())

    def test_the_score_is_the_largest_mean_over_seeds(self):
        # The runs' own maxima are 10 and 10, but never at the same time.
        runs = np.array([[0.0, 10.0, 2.0], [4.0, 0.0, 10.0]])
        self.assertEqual(statistics.score(runs), (6.0, 2))

    def test_a_row_of_the_report_by_hand(self):
        first = [0.0] * 50 + [50.0] * 10  # moving means at 50 and 60: 0 and 10
        second = [20.0] * 50 + [70.0] * 10  # 20 and 30
        for seed, returns in enumerate((first, second)):
            self.write(f"u/seed-{seed}", returns, seed=seed)
            self.write(f"bp/seed-{seed}", [value / 2 for value in reversed(returns)], seed=seed,
                       method="backprop")
        by_method = {row.method: row for row in comparison.rows(cells(select([self.folder])))}
        row = by_method["lpdm"]
        self.assertEqual((row.max_score, row.at_iteration, row.seeds), (20.0, 60, [0, 1]))
        self.assertAlmostEqual(row.spread, np.std([10, 30], ddof=1) / 20.0)
        self.assertEqual(row.relative_iterations, 60 / 50)
        self.assertEqual(row.paper, 489.5)
        self.assertEqual(row.paper_iterations, 1500)
        self.assertEqual(row.interval, [10.0, 30.0])
        self.assertEqual(by_method["backprop"].max_score, (5.0 + 15.0) / 2)
        self.assertEqual(by_method["backprop"].relative_iterations, 1.0)

    def test_standing_still_is_counted(self):
        returns = [1000.0] * 10 + [940.0] * 10 + [1000.0] * 30
        lengths = [1000] * 30 + [999] * 20
        hopper = read_run(self.write("h", returns, lengths=lengths, environment="Hopper-v4"))
        self.assertEqual((hopper.standing_episodes, hopper.standing.tolist()), (20, [0.4]))
        cheetah = read_run(self.write("c", returns, lengths=lengths, environment="HalfCheetah-v4"))
        self.assertEqual(cheetah.standing_episodes, 0)


class Statistics(unittest.TestCase):
    def test_iqm_leaves_out_a_quarter_on_either_side(self):
        self.assertEqual(statistics.iqm([100.0, 1.0, 2.0, -50.0]), 1.5)
        self.assertEqual(statistics.iqm([1.0, 2.0, 6.0]), 3.0)

    def test_profiles_weigh_tasks_alike(self):
        self.assertEqual(statistics.profile([[1.0], [0.0, 0.0, 0.0]], [0.5]).tolist(), [0.5])
        self.assertEqual(statistics.profile([[0.5]], [0.4, 0.5]).tolist(), [1.0, 0.0])

    def test_seeds_to_settle_is_the_textbook_number(self):
        # (1.960 + 0.8416)² · (1 + 1) / 0.5² = 62.8: the known 63 per group for d = 0.5.
        sample = np.array([-1.0, 1.0]) / np.sqrt(2.0)
        self.assertEqual(statistics.seeds_to_settle(sample, sample, 0.5), 63)
        self.assertIsNone(statistics.seeds_to_settle(sample, sample, 0.0))
        self.assertIsNone(statistics.seeds_to_settle(sample, sample[:1], 0.5))

    def test_intervals_cover_the_truth_as_often_as_they_say(self):
        random = np.random.default_rng(3)
        trials = [statistics.mean_band(random.normal(size=(20, 1)))[:, 0] for _ in range(150)]
        covered = np.mean([low <= 0.0 <= high for low, high in trials])
        self.assertGreater(covered, 0.86)
        self.assertLess(covered, 1.0)

    def test_equal_runs_give_equal_intervals(self):
        sample = np.random.default_rng(1).normal(size=(5, 9))
        self.assertEqual(statistics.best_samples(sample).tolist(),
                         statistics.best_samples(sample).tolist())
        self.assertNotEqual(statistics.best_samples(sample, 1).tolist(),
                            statistics.best_samples(sample, 2).tolist())


if __name__ == "__main__":
    unittest.main()
