#!/usr/bin/env python3
"""Settings that the reports take for unused by a method (lpdm_runs.runs.UNUSED) change nothing that
the program learns by it.

    unused_settings_test.py PROGRAM
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from run_folders import UNUSUAL

from lpdm_runs.runs import UNUSED

PROGRAM = Path(sys.argv.pop(1))
REINFORCE = {"algorithm": {"name": "reinforce"}, "run": {"iterations": 6, "threads": 1}}
# Every mini-batch is smaller than the buffer, so that hidden.batch tells them apart.
PPO = {"algorithm": {"name": "ppo", "ppo": {"horizon": 64, "epochs": 2, "minibatch": 16}},
       "run": {"iterations": 3, "threads": 1}}


def learnt(base, **hidden):
    """(return, policy loss) of each iteration."""
    config = {**base, "env": {"id": "CartPole-v1"}, "network": {"hidden": [16, 16]},
              "head": {"learning_rate": 0.01}, "hidden": {"learning_rate": 0.01, **hidden}}
    with tempfile.TemporaryDirectory() as folder:
        file, run = Path(folder) / "config.json", Path(folder) / "run"
        file.write_text(json.dumps(config))
        subprocess.run([PROGRAM, "train", file, "--device", "cpu", "--out", run], check=True,
                       capture_output=True)
        lines = (run / "metrics.jsonl").read_text().splitlines()
    return [(line["return_mean"], line["policy_loss"]) for line in map(json.loads, lines)]


class UnusedSettings(unittest.TestCase):
    def algorithms(self, key):
        # PPO refuses blocks of episodes; mini-batches are PPO's alone.
        return [PPO] if key == "batch" else [REINFORCE] if key == "block" else [REINFORCE, PPO]

    def test_they_change_nothing(self):
        for method, unused in UNUSED.items():
            usual = {id(base): learnt(base, method=method) for base in (REINFORCE, PPO)}
            for key in sorted(unused):
                for base in self.algorithms(key):
                    with self.subTest(method=method, key=key, algorithm=base["algorithm"]["name"]):
                        self.assertEqual(learnt(base, method=method, **{key: UNUSUAL[key]}),
                                         usual[id(base)])

    def test_used_ones_do(self):
        """So the comparison above can fail."""
        for method, key, base in (("backprop", "learning_rate", REINFORCE),
                                  ("lpdm", "scale", REINFORCE), ("lpdm", "grad_clip", REINFORCE),
                                  ("lpdm", "batch", PPO)):
            with self.subTest(method=method, key=key):
                self.assertNotEqual(learnt(base, method=method, **{key: UNUSUAL[key]}),
                                    learnt(base, method=method))


if __name__ == "__main__":
    unittest.main()
