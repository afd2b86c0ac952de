#!/usr/bin/env python3
"""TensorBoard reads what a run has written: every number once, also after a resume.

    tensorboard_test.py PROGRAM
"""

import json
import math
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import test_wheels

test_wheels.need("tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402

PROGRAM = Path(sys.argv.pop(1))
CONFIG = """{"network": {"hidden": [12, 20]}, "algorithm": {"name": "ppo", "ppo": {"horizon": 64}},
 "run": {"iterations": 25, "checkpoint_every": 10, "eval_every": 7, "eval_episodes": 1,
 "threads": 1}}"""


def as_float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


class TensorBoardTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "config.json").write_text(CONFIG)
        self.run_folder = self.folder / "run"

    def train(self, *arguments):
        subprocess.run([PROGRAM, "train", *arguments, "--out", self.run_folder], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def events(self):
        accumulator = EventAccumulator(str(self.run_folder),
                                       size_guidance={"scalars": 0, "histograms": 0})
        accumulator.Reload()
        return accumulator

    def metrics(self):
        lines = (self.run_folder / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def expected(self):
        """{tag: {step: value}} of every number in metrics.jsonl."""
        tags = {}

        def add(tag, step, value):
            if isinstance(value, dict):
                for key, part in value.items():
                    add(f"{tag}/{key}", step, part)
            elif value is not None:
                tags.setdefault(tag, {})[step] = as_float32(value)

        for line in self.metrics():
            step = line.pop("iteration")
            for number, layer in enumerate(line.pop("layers"), start=1):
                add(f"layer_{number}", step, layer)
            for key, value in line.items():
                add(key, step, value)
        return tags

    def expect_equal(self):
        events = self.events()
        expected = self.expected()
        self.assertEqual(set(events.Tags()["scalars"]), set(expected))
        self.assertIn("evaluation/return_mean", expected)
        for tag, values in expected.items():
            read = events.Scalars(tag)
            self.assertEqual([event.step for event in read], sorted(values), tag)
            self.assertEqual({event.step: event.value for event in read}, values, tag)
        return events

    def test_scalars_are_the_metrics(self):
        self.train(self.folder / "config.json")
        self.expect_equal()

    def test_histograms_come_with_the_diagnostics(self):
        self.train(self.folder / "config.json")
        events = self.events()
        self.assertEqual(set(events.Tags()["histograms"]),
                         {"distances/input", "distances/layer_1", "distances/layer_2",
                          "activations/layer_1", "activations/layer_2"})
        rows, width = 64, 20
        for event in events.Histograms("activations/layer_2"):
            value = event.histogram_value
            self.assertEqual((value.num, sum(value.bucket)), (rows * width, rows * width))
            self.assertLessEqual(-1.0, value.min)
            self.assertLessEqual(value.max, 1.0)
        mean_abs = {event.step: event.value for event in events.Scalars("layer_1/mean_distance")}
        for event in events.Histograms("distances/layer_1"):
            value = event.histogram_value
            self.assertEqual(value.num, rows * (rows - 1) / 2)
            self.assertTrue(math.isclose(value.max, 1.0, rel_tol=1e-6))
            # The whole mini-batch is the sample; the metrics count the diagonal's zeros as well.
            self.assertAlmostEqual(value.sum * 2 / rows ** 2, mean_abs[event.step], places=5)
        self.assertEqual([event.step for event in events.Histograms("distances/input")],
                         [1, 11, 21])

    def test_a_resumed_run_has_every_step_once(self):
        self.train(self.folder / "config.json")
        (self.run_folder / "checkpoints" / "iteration-000000025.safetensors").unlink()
        events = next(self.run_folder.glob("events.out.tfevents.*"))
        with open(events, "ab") as file:
            file.write(b"half a record")
        self.train("--resume", "--set", "run.iterations=32")
        self.assertEqual(len(self.metrics()), 32)
        self.assertEqual(len(list(self.run_folder.glob("events.out.tfevents.*"))), 2)
        read = self.expect_equal()
        self.assertEqual([event.step for event in read.Histograms("distances/input")],
                         [1, 11, 21, 31])

    def test_they_can_be_left_out_and_taken_up_again(self):
        self.train(self.folder / "config.json", "--set", "run.tensorboard=false")
        self.assertEqual(list(self.run_folder.glob("events*")), [])
        self.train("--resume", "--set", "run.iterations=30", "--set", "run.tensorboard=true")
        steps = [event.step for event in self.events().Scalars("return_mean")]
        self.assertEqual(steps, [line["iteration"] for line in self.metrics()
                                 if line["iteration"] > 25 and line["return_mean"] is not None])


if __name__ == "__main__":
    unittest.main()
