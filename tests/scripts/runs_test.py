#!/usr/bin/env python3
"""Tests of python/lpdm_runs: reading runs, telling groups apart, tables."""

import csv
import json
import unittest
from pathlib import Path

from run_folders import UNUSUAL, RunsTest

from lpdm_runs import results, summary, table_csv
from lpdm_runs.errors import UsageError
from lpdm_runs.groups import cells
from lpdm_runs.runs import config_hash, read_run
from lpdm_runs.selection import select


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

    def test_what_most_have_is_not_named(self):
        for name, settings in (("base", {}), ("slow", {"rate": 0.1}), ("errors", {"target": "e"}),
                               ("both", {"target": "e", "rule": "product"})):
            self.write(name, [1.0], **{"rate": 1.0, "target": "input", "rule": "plus", **settings})
        self.write("last", [1.0], rate=1.0, target="input", rule="plus", norm="squared")
        self.assertEqual(sorted(self.labels()),
                         ["L_u", "L_u (norm squared)", "L_u (rate 0.1)",
                          "L_u (rule product, target e)", "L_u (target e)"])

    def test_configs_that_differ_by_a_missing_setting_have_different_labels(self):
        self.write("old", [1.0])
        self.write("new", [1.0], error_rule=None)
        self.assertEqual(len(set(self.labels())), 2)

    def test_what_cannot_change_a_result_is_not_in_the_hash(self):
        config = read_run(self.write("a", [1.0])).config
        same = {**config, "run": {**config["run"], "seed": 5, "threads": 8, "tensorboard": False}}
        other = {**config, "run": {**config["run"], "iterations": 2}}
        self.assertEqual(config_hash(config), config_hash(same))
        self.assertNotEqual(config_hash(config), config_hash(other))

    def test_settings_that_a_method_makes_no_use_of_are_not_in_the_hash(self):
        kept = {"lpdm": set(UNUSUAL), "backprop": {"learning_rate"}, "frozen": set()}
        for method, important in kept.items():
            config = read_run(self.write(method, [1.0], method=method)).config
            changing = {key for key, value in UNUSUAL.items() if config_hash(config) != config_hash(
                {**config, "hidden": {**config["hidden"], key: value}})}
            self.assertEqual(changing, important, method)

    def test_frozen_layers_are_not_named_by_a_rate_that_they_have_not(self):
        for name, rate, network in (("a", 0.1, {"init": "torch"}), ("b", 0.2, {"init": "torch"}),
                                    ("c", 0.2, {"init": "orthogonal"})):
            self.write(name, [1.0], method="frozen", learning_rate=rate, head=0.2, network=network,
                       seed=ord(name))
        self.assertEqual(self.labels(), ["frozen", "frozen (init orthogonal)"])

    def test_a_setting_that_older_programs_lacked_is_in_the_hash_if_it_does_something_else(self):
        config = read_run(self.write("a", [1.0])).config
        newer = {**config, "backend": {"arithmetic": "fp32"},
                 "hidden": {**config["hidden"], "memory_mb": 0}}
        self.assertEqual(config_hash(config), config_hash(newer))
        newer["backend"] = {"arithmetic": "fixed"}
        self.assertNotEqual(config_hash(config), config_hash(newer))

    def test_a_variant_has_the_same_name_where_rates_differ(self):
        for environment, rate in (("CartPole-v1", 1e-3), ("Acrobot-v1", 2e-3)):
            for name, hidden in (("all", rate), ("slow", rate / 10),
                                 ("scaled", f"scaled:{rate:g}")):
                self.write(f"{environment}-{name}", [1.0], environment=environment,
                           learning_rate=hidden, head=rate)
        labels = self.labels()
        self.assertEqual(labels[:3], ["L_u", "L_u (learning_rate 0.1 × head's)",
                                      "L_u (learning_rate scaled:1 × head's)"])
        self.assertEqual(labels[3:], labels[:3])

    def test_settings_of_two_sections_that_end_alike_are_named_in_full(self):
        for head, hidden in ((0.1, 0.1), (0.1, 0.01), (0.1, 0.02), (0.3, 0.3), (0.3, 0.03)):
            self.write(f"{head}-{hidden}", [1.0], learning_rate=hidden, head=head)
        self.assertEqual(sorted(self.labels()),
                         ["L_u", "L_u (head.learning_rate 0.3, hidden.learning_rate 0.1 × head's)",
                          "L_u (learning_rate 0.1 × head's)", "L_u (learning_rate 0.2 × head's)",
                          "L_u (learning_rate 0.3)"])

    def test_depth_is_named_in_short(self):
        for depth in (2, 16):
            self.write(f"{depth}", [1.0], network={"hidden": [64] * depth})
        self.write("paper", [1.0], network={"hidden": [128, 256]})
        self.assertEqual(self.labels(), ["L_u", "L_u (hidden 2 × 64)", "L_u (hidden 16 × 64)"])

    def test_transferred_layers_are_named_by_their_source_wherever_it_lies(self):
        for seed in (0, 1):
            self.write(f"run/seed-{seed}", [1.0], seed=seed, method="frozen",
                       network={"init_from": f"/home/x/runs/hopper/hopper-lpdm/seed-{seed}"})
        self.write("run/other", [1.0], method="frozen",
                   network={"init_from": "/home/x/runs/hopper/hopper-lpdm/seed-7"})
        self.write("run/mine", [1.0], method="frozen", network={"init_from": "/home/x/mine"})
        self.write("run/fresh", [1.0], method="frozen")
        self.assertEqual(sorted(self.labels()),
                         ["frozen", "frozen from hopper-lpdm", "frozen from hopper-lpdm/seed-7",
                          "frozen from mine"])
        saved = results.save(cells(select([self.folder / "run"])), self.folder / "results")
        self.assertFalse([path for path in saved if "/home" in path.read_text()])


class Tables(RunsTest):
    def test_csv_has_a_line_per_iteration_and_every_number(self):
        self.write("a", [4.0, None], seed=3)
        out = self.folder / "out.csv"
        table_csv.write(cells(select([self.folder / "a"])), out)
        with open(out, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["return_mean"] for row in rows], ["4.0", ""])
        self.assertEqual([(row["seed"], row["method"], row["layer_1/loss"]) for row in rows],
                         [("3", "L_u", "2.0"), ("3", "L_u", "4.0")])

    def test_csv_of_results_is_refused(self):
        results.save(cells(select([self.write("a", [1.0])])), self.folder / "results")
        with self.assertRaisesRegex(UsageError, "keeps no metrics"):
            table_csv.write(cells(select([self.folder / "results"])), self.folder / "out.csv")

    def test_summary_says_when_a_return_was_reached(self):
        run = read_run(self.write("a", [0.0] * 50 + [100.0] * 50))
        self.assertEqual(summary.first_reaching(run, 40.0), 70)
        self.assertEqual(summary.first_reaching(run, 0.0), 50)
        self.assertIsNone(summary.first_reaching(run, 101.0))
        text = summary.table(cells([run]), 40.0).as_text()
        self.assertEqual(text.splitlines()[1].split()[-4:], ["100.0", "70", "1,000", "75.0"])


if __name__ == "__main__":
    unittest.main()
