#!/usr/bin/env python3
"""Tests of python/lpdm_runs: reading runs, the estimator, groups, reports, tables, result files."""

import contextlib
import csv
import io
import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
from run_folders import write_run

from lpdm_runs import comparison, curves, paper, report, results, statistics, summary, table_csv
from lpdm_runs.errors import UsageError
from lpdm_runs.groups import cells
from lpdm_runs.runs import config_hash, read_run
from lpdm_runs.selection import select


class RunsTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def write(self, name, returns, **settings):
        return write_run(self.folder / name, returns, **settings)

    def refused(self, part, *paths):
        with self.assertRaises(UsageError) as caught:
            select([self.folder / path for path in paths])
        self.assertIn(part, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))


class Reading(RunsTest):
    def test_a_run_is_what_its_files_say(self):
        run = read_run(self.write("a", [4.0, None, 8.0], seed=7))
        self.assertEqual((run.seed, run.iterations, run.env_steps, run.episodes, run.seconds),
                         (7, 3, 30, 2, 2.25))
        self.assertTrue(run.complete)
        self.assertEqual(run.curve.tolist(), [6.0])

    def test_a_line_that_is_being_written_is_left_out(self):
        folder = self.write("a", [1.0, 2.0], iterations=3)
        with open(folder / "metrics.jsonl", "a") as file:
            file.write('{"iteration": 3, "retu')
        run = read_run(folder)
        self.assertEqual((run.iterations, run.complete), (2, False))

    def test_a_run_that_reached_its_stop_return_is_complete(self):
        folder = self.write("a", [1.0, 2.0], iterations=9)
        config = json.loads((folder / "config.json").read_text())
        config["run"]["stop_return"] = 450
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "summary.json").write_text(json.dumps({"last_mean_50": 451}))
        self.assertTrue(read_run(folder).complete)

    def test_a_folder_means_the_runs_below_it(self):
        for name in ("sweep/x/seed-1", "sweep/x/seed-0", "sweep/y/seed-0"):
            self.write(name, [1.0])
        names = [Path(run.name).relative_to(self.folder / "sweep").as_posix()
                 for run in select([self.folder / "sweep", self.folder / "sweep/y"])]
        self.assertEqual(names, ["x/seed-0", "x/seed-1", "y/seed-0"])

    def test_what_is_no_run_is_refused_in_one_sentence(self):
        self.refused("does not exist", "nothing")
        (self.folder / "empty").mkdir()
        self.refused("holds no runs", "empty")
        (self.folder / "x.txt").write_text("")
        self.refused("neither a folder nor a result file", "x.txt")
        (self.write("no-metrics", [1.0]) / "metrics.jsonl").unlink()
        self.refused("has no metrics.jsonl", "no-metrics")
        (self.write("no-line", [1.0]) / "metrics.jsonl").write_text("")
        self.refused("finished no iteration", "no-line")
        (self.write("config", [1.0]) / "config.json").write_text("{")
        self.refused("config.json: this config is not JSON", "config")

    def test_damaged_lines_are_named(self):
        folder = self.write("a", [1.0, 2.0, 3.0])
        path = folder / "metrics.jsonl"
        lines = path.read_text().split("\n")
        for damaged in ("{", '{"loss": 1}', "[1]", "\x00\x00"):
            path.write_text("\n".join([lines[0], damaged, lines[2], ""]))
            self.refused("line 2 is not a line of metrics", "a")


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
        # Means over 50: 10, 20 (after 60), … rising by the step at a rate known beforehand.
        first = [0.0] * 50 + [50.0] * 10  # 0 then 10
        second = [20.0] * 50 + [70.0] * 10  # 20 then 30
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


class Groups(RunsTest):
    def labels(self):
        return [group.label for groups in cells(select([self.folder])).values() for group in groups]

    def test_runs_that_differ_by_seed_are_one_group(self):
        for seed in range(3):
            self.write(f"seed-{seed}", [1.0], seed=seed)
        ((group,),) = cells(select([self.folder])).values()
        self.assertEqual(group.seeds, [0, 1, 2])

    def test_labels_tell_methods_apart(self):
        self.write("a", [1.0], method="frozen")
        self.write("b", [1.0], guided=True)
        self.write("c", [1.0], method="backprop")
        self.write("d", [1.0], pairs="landmarks:64")
        self.write("e", [1.0])
        self.assertEqual(self.labels(), ["BP", "L_u", "L_u landmarks:64", "L_g", "frozen"])

    def test_equal_methods_are_told_apart_by_what_differs(self):
        self.write("a", [1.0], learning_rate=0.001)
        self.write("b", [1.0], learning_rate=0.01)
        self.assertEqual(sorted(self.labels()),
                         ["L_u (learning_rate 0.001)", "L_u (learning_rate 0.01)"])

    def test_what_cannot_change_a_result_is_not_in_the_hash(self):
        config = read_run(self.write("a", [1.0])).config
        same = {**config, "run": {**config["run"], "seed": 5, "threads": 8, "tensorboard": False}}
        other = {**config, "run": {**config["run"], "iterations": 2}}
        self.assertEqual(config_hash(config), config_hash(same))
        self.assertNotEqual(config_hash(config), config_hash(other))


class Reports(RunsTest):
    def text(self, *arguments):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            self.assertEqual(report.main([str(argument) for argument in arguments]), 0)
        return output.getvalue()

    def write_pair(self, good, control, seeds=4):
        random = np.random.default_rng(0)
        for seed in range(seeds):
            for name, mean, method in (("u", good, "lpdm"), ("f", control, "frozen")):
                self.write(f"{name}/seed-{seed}", [mean + random.normal(scale=5)] * 50, seed=seed,
                           method=method)

    def test_an_advantage_within_the_noise_is_said_first_with_the_seeds_it_takes(self):
        self.write_pair(101.0, 100.0)
        text = self.text(self.folder)
        self.assertTrue(text.startswith("Where LPDM is not shown to beat"), text)
        self.assertRegex(text, r"is within the noise; about \d+ seeds each would settle")

    def test_a_clear_advantage_needs_no_such_words(self):
        self.write_pair(200.0, 100.0)
        self.assertNotIn("not shown to beat", self.text(self.folder))
        (verdict,) = comparison.against_frozen(cells(select([self.folder])))
        self.assertEqual((verdict.kind, verdict.seeds_to_settle), ("better", None))

    def test_a_clear_loss_is_said(self):
        self.write_pair(100.0, 200.0)
        self.assertIn("is worse: -", self.text(self.folder))

    def test_one_seed_says_nothing_about_noise(self):
        self.write_pair(200.0, 100.0, seeds=1)
        self.assertIn("too few seeds", self.text(self.folder))

    def test_the_papers_number_stands_beside_ours(self):
        self.write("a", [480.0] * 60)
        line = next(line for line in self.text(self.folder).splitlines() if "L_u" in line)
        self.assertEqual(line.split()[3:7], ["1", "480.0*", "-", "489.5"])

    def test_json_has_no_number_that_json_has_not(self):
        self.write("a", [None, None])
        parsed = json.loads(self.text(self.folder, "--json"), parse_constant=self.fail)
        self.assertIsNone(parsed["rows"][0]["max_score"])

    def test_the_papers_table_has_every_cell_once(self):
        methods, algorithms = ("backprop", "lpdm", "guided"), ("reinforce", "reinforce_baseline",
                                                               "ppo")
        scores = [paper.score(environment, algorithm, method) for environment in paper.ITERATIONS
                  for algorithm in algorithms for method in methods]
        self.assertEqual((len(scores), scores.count(None)), (72, 0))
        self.assertIsNone(paper.score("Hopper-v4", "ppo", "frozen"))
        self.assertEqual(paper.iterations("Hopper-v4", "ppo"), 3000)
        self.assertEqual(paper.anchors("Acrobot-v1"), (-500.0, -77.0))

    def test_result_files_say_what_the_folders_say(self):
        random = np.random.default_rng(4)
        for method in ("lpdm", "frozen"):
            for seed in range(3):
                returns = (500 * random.random(133)).tolist()
                self.write(f"runs/{method}/seed-{seed}", returns, method=method, seed=seed,
                           environment="Hopper-v4", lengths=[1000] * 133)
        folder, saved = self.folder / "runs", self.folder / "results"
        self.text(folder, "--save", saved)
        self.assertEqual(len(list(saved.iterdir())), 2)
        self.assertLess(max(path.stat().st_size for path in saved.iterdir()), 2000)
        of_folders, of_results = (json.loads(self.text(path, "--json")) for path in (folder, saved))
        for ours, theirs in zip(of_folders["rows"], of_results["rows"]):
            self.assertAlmostEqual(ours.pop("max_score"), theirs.pop("max_score"), places=2)
            for key in ("interval", "spread", "standing_at_max"):
                np.testing.assert_allclose(ours.pop(key), theirs.pop(key), rtol=1e-4)
            self.assertEqual(ours, theirs)
        run = select([saved])[0]
        self.assertEqual(run.provenance["commit"], "abcdef")
        self.assertEqual(run.provenance["machine"], "Test, 1 threads")

    def test_another_slice_of_seeds_adds_to_a_result_file(self):
        saved = self.folder / "results"
        for slice_of_seeds in ((0, 1), (1, 2)):
            place = self.folder / f"slice-{slice_of_seeds[1]}"
            for seed in slice_of_seeds:
                write_run(place / f"seed-{seed}", [float(seed)], seed=seed)
            self.text(place, "--save", saved)
        self.assertEqual([run.seed for run in select([saved])], [0, 1, 2])

    def test_damaged_result_files_are_refused_in_one_sentence(self):
        results.save(cells(select([self.write("a", [1.0])])), self.folder / "results")
        (path,) = (self.folder / "results").iterdir()
        good = path.read_text()
        for text, part in ((good[:-20], "not JSON"), (good.replace('"version": 1', '"version": 9'),
                                                      "format version 9"),
                           (good.replace('"curve"', '"kurve"'), "damaged"),
                           (good.replace('"window": 50', '"window": 10'), "smoothed over 10"),
                           ("[]", "not a result file")):
            path.write_text(text)
            self.refused(part, path)


class Tables(RunsTest):
    def test_csv_has_a_line_per_iteration_and_every_number(self):
        self.write("a", [4.0, None], seed=3)
        out = self.folder / "out.csv"
        table_csv.write(cells(select([self.folder / "a"])), out)
        with open(out, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["return_mean"] for row in rows], ["4.0", ""])
        self.assertEqual([(row["seed"], row["method"], row["layer_1/loss"]) for row in rows], [("3", "L_u", "2.0"), ("3", "L_u", "4.0")])

    def test_csv_of_results_is_refused(self):
        results.save(cells(select([self.write("a", [1.0])])), self.folder / "results")
        with self.assertRaisesRegex(UsageError, "keeps no metrics"):
            table_csv.write(cells(select([self.folder / "results"])), self.folder / "out.csv")

    def test_summary_says_when_a_return_was_reached(self):
        run = read_run(self.write("a", [0.0] * 50 + [100.0] * 50))
        self.assertEqual(summary.first_reaching(run, 40.0), 70)
        self.assertEqual(summary.first_reaching(run, 0.0), 50)
        self.assertIsNone(summary.first_reaching(run, 101.0))
        text = summary.text(cells([run]), 40.0)
        self.assertEqual(text.splitlines()[1].split()[-4:], ["100.0", "70", "1,000", "75.0"])


if __name__ == "__main__":
    unittest.main()
