#!/usr/bin/env python3
"""Tests of tools/plot_runs.py on small hand-made runs."""

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import plot_runs  # noqa: E402


def write_run(folder, returns, hidden):
    folder.mkdir()
    config = {"env": {"id": "CartPole-v1"}, "hidden": hidden}
    (folder / "config.json").write_text(json.dumps(config))
    rows = [{"iteration": i + 1, "env_steps": 10 * (i + 1), "return_mean": value,
             "rollout_seconds": 0.25, "update_seconds": 0.5} for i, value in enumerate(returns)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


class PlotRunsTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def run_main(self, *arguments):
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            status = plot_runs.main([str(argument) for argument in arguments])
        return status, output.getvalue(), errors.getvalue()

    def test_moving_mean_uses_full_windows(self):
        self.assertEqual(plot_runs.moving_mean([1, 2, 3, 10], 2), [1.5, 2.5, 6.5])

    def test_moving_mean_of_fewer_values_than_the_window_is_their_mean(self):
        self.assertEqual(plot_runs.moving_mean([1, 2, 6], 50), [3.0])

    def test_iterations_without_a_finished_episode_are_left_out(self):
        run = plot_runs.read_run(write_run(self.folder / "a", [4, None, 8], {"method": "lpdm"}))
        self.assertEqual((run.iterations, run.returns), ([1, 3], [4, 8]))
        self.assertEqual((run.env_steps, run.seconds), (30, 2.25))

    def test_first_reaching_counts_iterations_not_values(self):
        run = plot_runs.read_run(write_run(self.folder / "a", [0, None, 10, 20], {}))
        self.assertEqual(plot_runs.first_reaching(run, 2, 15), 4)
        self.assertEqual(plot_runs.first_reaching(run, 2, 5), 3)
        self.assertIsNone(plot_runs.first_reaching(run, 2, 16))

    def test_labels_tell_twins_apart(self):
        configs = [{"method": "lpdm"}, {"method": "lpdm", "guided": True},
                   {"method": "lpdm", "pairs": "landmarks:64"}, {"method": "backprop"},
                   {"method": "frozen"}]
        labels = [plot_runs.method_label({"hidden": hidden}) for hidden in configs]
        self.assertEqual(labels, ["LPDM", "LPDM guided", "LPDM (landmarks:64)", "backprop",
                                  "frozen layers"])

    def test_table_and_picture(self):
        first = write_run(self.folder / "a", [100, 300, 500], {"method": "lpdm"})
        second = write_run(self.folder / "b", [1, 2, 3], {"method": "backprop"})
        picture = self.folder / "curves.png"
        status, output, _ = self.run_main(first, second, "--window", 2, "--threshold", 400,
                                          "--out", picture)
        self.assertEqual(status, 0)
        rows = [[cell for cell in line.split("  ") if cell] for line in output.splitlines()]
        self.assertEqual([cell.strip() for cell in rows[1]], ["LPDM", "400.0", "3", "30", "2.2"])
        self.assertEqual([cell.strip() for cell in rows[2]],
                         ["backprop", "2.5", "not reached", "30", "2.2"])
        self.assertTrue(picture.read_bytes().startswith(b"\x89PNG"))

    def test_missing_run_is_one_sentence(self):
        status, output, errors = self.run_main(self.folder / "nothing")
        self.assertEqual((status, output, errors.count("\n")), (1, "", 1))
        self.assertIn("nothing", errors)

    def test_foreign_file_is_one_sentence(self):
        run = write_run(self.folder / "a", [1.0], {})
        (run / "metrics.jsonl").write_text('{"loss": 1}\n')
        status, _, errors = self.run_main(run)
        self.assertEqual((status, errors.count("\n")), (1, 1))
        self.assertIn("return_mean", errors)


if __name__ == "__main__":
    unittest.main()
