#!/usr/bin/env python3
"""Tests of lpdm plot and lpdm report as commands, on runs that the program makes.

    plot_test.py PROGRAM
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from run_folders import write_run  # puts python/ on the path

from lpdm_runs import distances

PROGRAM = Path(sys.argv.pop(1))
CONFIG = '{"network": {"hidden": [12, 20]}, "run": {"iterations": 60, "threads": 1}}'


def run(*arguments, **environment):
    return subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, **environment}, check=False)


class PlotTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        for method in ("lpdm", "frozen"):
            (cls.folder / f"{method}.json").write_text(
                CONFIG.replace('"run"', f'"hidden": {{"method": "{method}"}}, "run"'))
        done = run("sweep", cls.folder / "lpdm.json", cls.folder / "frozen.json", "--seeds", "0-1",
                   "--out", cls.folder / "sweep")
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def plot(self, name, *arguments):
        out = self.folder / name
        done = run("plot", self.folder / "sweep", "--out", out, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return out, done.stdout

    def refused(self, status, part, *arguments, **environment):
        done = run(*arguments, **environment)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("lpdm: "), done.stderr)
        self.assertIn(part, done.stderr)

    def test_png_and_the_table_beside_it(self):
        out, printed = self.plot("x.png", "--threshold", "9")
        self.assertTrue(out.read_bytes().startswith(b"\x89PNG"))
        lines = printed.splitlines()
        self.assertIn("reached 9 at", lines[0])
        self.assertEqual([line.split()[2] for line in lines[1:3]], ["L_u", "frozen"])
        self.assertEqual(lines[-1], str(out))

    def test_svg_has_every_section_and_is_equal_for_equal_runs(self):
        out, _ = self.plot("x.svg")
        text = "".join(ElementTree.parse(out).getroot().itertext())
        for part in ("Learning curves", "Layer diagnostics", "Pairwise distances", "target T",
                     "distance / largest distance", "95 % bootstrap"):
            self.assertIn(part, text)
        again, _ = self.plot("again.svg")
        self.assertEqual(out.read_text(), again.read_text())

    def test_several_environments_have_curves_and_the_performance_profiles(self):
        for environment, goal in (("CartPole-v1", 400.0), ("Acrobot-v1", -100.0)):
            for method in ("lpdm", "backprop"):
                write_run(self.folder / "several" / f"{environment}-{method}", [goal] * 50,
                          environment=environment, method=method)
        out = self.folder / "several.svg"
        done = run("plot", self.folder / "several", "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("for one environment and algorithm at a time", done.stderr)
        text = "".join(ElementTree.parse(out).getroot().itertext())
        for part in ("CartPole-v1, REINFORCE", "Acrobot-v1, REINFORCE", "Performance profiles",
                     "2 runs"):
            self.assertIn(part, text)

    def test_without_distances(self):
        out, _ = self.plot("x.svg", "--no-distances")
        self.assertNotIn("Pairwise distances", out.read_text())

    def test_csv(self):
        out, _ = self.plot("x.csv")
        with open(out, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 4 * 60)
        metrics = self.folder / "sweep" / "lpdm" / "seed-1" / "metrics.jsonl"
        lines = [json.loads(line) for line in metrics.read_text().splitlines()]
        written = [row for row in rows if row["method"] == "L_u" and row["seed"] == "1"]
        self.assertEqual([float(row["return_mean"]) for row in written],
                         [line["return_mean"] for line in lines])
        self.assertEqual(float(written[10]["layer_2/loss"]), lines[10]["layers"][1]["loss"])

    def test_distances_are_those_of_the_engine(self):
        out = self.folder / "d.safetensors"
        done = run("distances", self.folder / "sweep/lpdm/seed-0", "--out", out, "--rows", "7")
        self.assertEqual(done.returncode, 0, done.stderr)
        read = distances.read(out)
        self.assertEqual([matrix.shape for matrix in [read.target, *read.layers]], [(7, 7)] * 3)
        self.assertAlmostEqual(float(read.target.max()), 1.0, places=5)
        self.assertEqual(read.facts["iteration"], "60")

    def test_results_are_drawn_like_runs(self):
        done = run("report", self.folder / "sweep", "--save", self.folder / "results")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("plot", self.folder / "results", "--out", self.folder / "r.svg")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("(2 seeds)", (self.folder / "r.svg").read_text())

    def test_what_is_wrong_is_said_in_one_sentence(self):
        sweep = self.folder / "sweep"
        self.refused(2, "does not exist", "plot", self.folder / "nothing")
        self.refused(2, "does not exist", "report", self.folder / "nothing")
        self.refused(2, 'extension ".pdf"', "plot", sweep, "--out", "x.pdf")
        self.refused(2, "does not end in .html", "plot", sweep, "--html", "--out", "x.png")
        self.refused(2, "RUN", "plot")
        self.refused(2, "cannot start", "report", sweep, LPDM_PYTHON="/nowhere/python3")
        self.refused(2, "has no numpy; install python3-matplotlib", "report", sweep,
                     LPDM_PYTHON=self.bare_python())

    def test_where_nothing_can_be_written_a_sentence_says_so(self):
        sweep = self.folder / "sweep"
        out = self.folder / "no" / "x.png"
        for command in (["plot", sweep, "--out", out, "--no-distances"],
                        ["report", sweep, "--save", "/dev/null/x"]):
            done = run(*command)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertTrue(done.stderr.startswith(f'lpdm: cannot use "{command[3]}": '),
                            done.stderr)

    def test_on_a_full_disk_an_earlier_file_stays(self):
        for name in ("full.svg", "full.html", "full.csv"):
            out = self.folder / name
            out.write_text("an earlier file")
            files = sorted(self.folder.iterdir())
            # No file may grow beyond 1 KB.
            done = subprocess.run(
                ["bash", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "bash", PROGRAM, "plot",
                 self.folder / "sweep", "--no-distances", "--out", out],
                capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f'cannot use "{out}": File too large', done.stderr)
            self.assertEqual(out.read_text(), "an earlier file")
            self.assertEqual(sorted(self.folder.iterdir()), files)

    def bare_python(self):
        """A Python without any packages."""
        script = self.folder / "bare-python"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
        script.chmod(0o755)
        return str(script)


if __name__ == "__main__":
    unittest.main()
