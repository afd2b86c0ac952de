#!/usr/bin/env python3
"""Tests of lpdm report: what it says of made-up runs, the paper's table, result files."""

import contextlib
import io
import json
import unittest

import numpy as np
from run_folders import RunsTest, write_run

from lpdm_runs import comparison, paper, report, results
from lpdm_runs.errors import UsageError
from lpdm_runs.groups import cells
from lpdm_runs.selection import select


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

    def test_a_control_begins_with_the_same_network(self):
        for depth, control in ((2, 100.0), (4, 300.0)):
            for seed in range(3):
                for name, mean, method in (("u", 200.0, "lpdm"), ("f", control, "frozen")):
                    self.write(f"{name}{depth}/seed-{seed}", [mean + seed] * 50, seed=seed,
                               method=method, network={"hidden": [64] * depth})
        self.write("o/seed-0", [1.0] * 50, network={"hidden": [64] * 4, "init": "orthogonal"})
        kinds = {verdict.label: verdict.kind
                 for verdict in comparison.against_frozen(cells(select([self.folder])))}
        self.assertEqual(kinds, {"L_u (hidden 2 × 64)": "better", "L_u (hidden 4 × 64)": "worse"})

    def test_profiles_reach_beyond_the_best_run_and_their_grid_is_the_algorithms(self):
        for name, mean, method in (("u", 1500.0, "lpdm"), ("f", 250.0, "frozen")):
            self.write(name, [mean] * 50, method=method)
        learned, control = comparison.aggregates(cells(select([self.folder])))
        self.assertEqual((learned["method"], control["method"]), ("lpdm", "frozen"))
        best = paper.anchors("CartPole-v1")[1]
        self.assertEqual(learned["thresholds"], control["thresholds"])
        for entry, score in ((learned, 1500.0 / best), (control, 250.0 / best)):
            self.assertEqual(entry["profile"],
                             [float(score > threshold) for threshold in entry["thresholds"]])
        self.assertEqual((learned["profile"][-2], learned["profile"][-1]), (1.0, 0.0))

    def test_variants_have_a_line_and_environments_a_column(self):
        for environment in ("CartPole-v1", "Acrobot-v1"):
            for name, mean, settings in (("plain", 200.0, {}), ("none", 150.0, {"scale": "none"}),
                                         ("squared", 201.0, {"norm": "squared"})):
                for seed in range(4):
                    self.write(f"{environment}-{name}/seed-{seed}", [mean + seed] * 50, seed=seed,
                               environment=environment,
                               **{"scale": "own", "norm": "frobenius", **settings})
        self.write("bp", [9.0], method="backprop")
        head, *lines = self.text(self.folder, "--variants", "--seeds", "0-1,3").split("\n\n")[0] \
            .splitlines()
        self.assertEqual(head.split(), ["algorithm", "method", "seeds", "CartPole-v1",
                                        "Acrobot-v1"])
        columns = [[part.strip() for part in line.split("  ") if part.strip()] for line in lines]
        self.assertEqual(columns[0][1:], ["BP", "1", "9.0 - @1", "-"])
        self.assertEqual(columns[1][1:], ["L_u", "3"] + ["201.3 [200.0, 203.0] @50"] * 2)
        self.assertEqual(columns[2][1:],
                         ["L_u (scale none)", "3"] + ["151.3 [150.0, 153.0] @50 worse"] * 2)
        self.assertEqual(columns[3][1:],
                         ["L_u (norm squared)", "3"] + ["202.3 [201.0, 204.0] @50"] * 2)

    def test_tables_can_be_markdown(self):
        self.write("a", [480.0] * 60)
        text = self.text(self.folder, "--variants", "--markdown")
        self.assertEqual(text.splitlines()[:3], ["| algorithm | method | seeds | CartPole-v1 |",
                                                 "| --- | --- | ---: | ---: |",
                                                 "| REINFORCE | L_u | 1 | 480.0 - @50 |"])

    def test_cells_come_in_the_papers_order(self):
        for name, environment, algorithm in (("1", "Ant-v5", "reinforce"),
                                             ("2", "CartPole-v1", "ppo"),
                                             ("3", "Pusher-v4", "reinforce"),
                                             ("4", "CartPole-v1", "reinforce")):
            self.write(name, [1.0], environment=environment, algorithm=algorithm)
        self.assertEqual(list(cells(select([self.folder]))),
                         [("CartPole-v1", "reinforce"), ("Pusher-v4", "reinforce"),
                          ("Ant-v5", "reinforce"), ("CartPole-v1", "ppo")])

    def test_seeds_that_no_run_has_and_what_is_no_list_are_refused(self):
        self.write("a", [1.0])
        for seeds, part in (("5", "none of the runs"), ("1-", "range"), ("x", "range"),
                            ("0,2-1", "backwards")):
            with self.assertRaisesRegex(UsageError, part):
                report.main([str(self.folder), "--seeds", seeds])

    def test_the_papers_number_stands_beside_ours(self):
        self.write("a", [480.0] * 60)
        line = next(line for line in self.text(self.folder).splitlines() if "L_u" in line)
        self.assertEqual(line.split()[3:7], ["1", "480.0*", "-", "489.5"])

    def test_a_variant_has_no_number_of_the_papers(self):
        self.write("wide", [480.0] * 60, network={"hidden": [512]})
        self.write("none", [480.0] * 60, scale="none")
        self.write("closest", [480.0] * 60, pairs="closest")
        self.write("landmarks", [480.0] * 60, pairs="landmarks:64")
        rows = comparison.rows(cells(select([self.folder])))
        self.assertEqual({row.label: row.paper for row in rows},
                         {"L_u (scale none)": None, "L_u (hidden [512])": None,
                          "L_u closest": None, "L_u landmarks:64": 489.5})

    def write_cell(self, **returns):
        """Two seeds of each method of a cell, as long as the paper's; returns: (mean, apart)."""
        for method, (mean, apart) in returns.items():
            settings = {"guided": True} if method == "guided" else {"method": method}
            for seed in range(2):
                self.write(f"{method}/{seed}", [mean + apart * (seed - 0.5)] * 1500, seed=seed,
                           **settings)

    def test_scores_that_reach_the_papers_are_counted_and_those_short_of_it_named(self):
        self.write_cell(lpdm=(489.5, 0.0), guided=(483.7, 5.0))  # paper 489.5, 493.7
        text = self.text(self.folder)
        self.assertIn("1 reach it\nand 0 more lie", text)
        self.assertIn("CartPole-v1, REINFORCE: L_g 483.7 against 493.7, 2.8 spreads below.", text)
        self.assertNotIn("L_u 489.5 against", text)
        claims = json.loads(self.text(self.folder, "--json"))["against_paper"]
        self.assertEqual([claim["kind"] for claim in claims], ["reached", "short"])

    def test_a_score_less_than_a_spread_below_the_papers_is_within_it(self):
        self.write_cell(lpdm=(485.0, 8.0), guided=(487.0, 8.0))  # 4.5 and 6.7 below, spread 5.66
        text = self.text(self.folder)
        self.assertIn("0 reach it\nand 1 more lie within one spread of it.", text)
        self.assertIn("L_g 487.0 against 493.7, 1.2 spreads below.", text)

    def test_a_single_seed_has_no_spread_to_lie_within(self):
        self.write("a", [489.0] * 1500)
        self.assertIn("L_u 489.0 against 489.5, 0.5 below, of unknown spread.",
                      self.text(self.folder))

    def test_a_spread_of_nothing_is_said_to_be_that(self):
        self.write_cell(lpdm=(480.0, 0.0))
        self.assertIn("9.5 below, all seeds alike.", self.text(self.folder))

    def test_a_maximum_at_which_one_seed_ended_no_episode_has_no_spread(self):
        self.write("a", [480.0] * 1500)
        self.write("b", [None] * 1499 + [470.0], seed=1)
        self.assertIn("480.0 against 489.5, 9.5 below, of unknown spread.", self.text(self.folder))

    def test_runs_shorter_than_the_papers_are_not_held_against_it(self):
        self.write("a", [100.0] * 1499)
        self.assertNotIn("spread of it", self.text(self.folder))

    def test_an_order_unlike_the_papers_is_named(self):
        for environment, losing in (("Acrobot-v1", True), ("CartPole-v1", False)):
            for method, score in (("lpdm", -90.0), ("backprop", -80.0)):
                self.write(f"{environment}/{method}", [score] * 1500, method=method,
                           environment=environment)
            # The paper has backpropagation ahead on CartPole.
            self.assertEqual(f"{environment}, REINFORCE: L_u -90.0 against -80.0 (paper "
                             in self.text(self.folder), losing)
        self.assertIn("(paper -98.1 against -154.0).", self.text(self.folder))

    def test_of_two_configs_of_backpropagation_neither_is_the_one(self):
        self.write("u", [400.0] * 1500, environment="Acrobot-v1")
        for rate in (0.1, 0.2):
            self.write(f"b{rate}", [450.0] * 1500, environment="Acrobot-v1", method="backprop",
                       learning_rate=rate, head=rate)
        self.assertNotIn("behind it here", self.text(self.folder))
        self.assertIn("behind it here", self.text(self.folder / "u", self.folder / "b0.1"))

    def test_backpropagation_for_a_shorter_time_is_not_what_lpdm_is_behind(self):
        self.write("u", [-90.0] * 1500, environment="Acrobot-v1")
        self.write("b", [-80.0] * 1400, environment="Acrobot-v1", method="backprop")
        self.assertNotIn("behind it here", self.text(self.folder))

    def test_json_has_no_number_that_json_has_not(self):
        self.write("a", [None, None])
        parsed = json.loads(self.text(self.folder, "--json"), parse_constant=self.fail)
        self.assertIsNone(parsed["rows"][0]["max_score"])

    def test_json_has_the_first_largest_and_last_value_of_each_seed(self):
        self.write("a", [1.0] * 50 + [3.0] * 50 + [2.0] * 50, seed=0)
        self.write("b", [None] * 150, seed=1)
        (row,) = json.loads(self.text(self.folder, "--json"))["rows"]
        self.assertEqual(row["own"], [{"first": 1.0, "max_score": 3.0, "last": 2.0},
                                      {"first": None, "max_score": None, "last": None}])

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
            for run, saved_run in zip(ours.pop("own"), theirs.pop("own"), strict=True):
                self.assertEqual(list(run), ["first", "max_score", "last"])
                np.testing.assert_allclose(list(run.values()), list(saved_run.values()), rtol=1e-4)
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


if __name__ == "__main__":
    unittest.main()
