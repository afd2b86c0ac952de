"""Small hand-made runs for the tests of python/lpdm_runs."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
from lpdm_runs.errors import UsageError  # noqa: E402
from lpdm_runs.selection import select  # noqa: E402

# Settings of hidden layers, each with a value that is not usual.
UNUSUAL = {"guided": True, "metric": "l2", "scale": "none", "norm": "squared",
           "max_gradient": "constant", "guide_base": "raw", "pairs": "landmarks:64",
           "target": "error_propagation", "error_rule": "product", "block": "episode",
           "batch": "buffer", "memory_mb": 5, "grad_clip": 0.001, "learning_rate": 0.1}


def write_run(folder, returns, environment="CartPole-v1", seed=0, iterations=None, lengths=None,
              algorithm="reinforce", network=None, head=None, **hidden):
    """A run folder with these returns, one per iteration, and metrics of one hidden layer.
    network: of its settings those that are not usual here; head: its learning rate."""
    folder.mkdir(parents=True)
    hidden = {"method": "lpdm", "guided": False, "pairs": "all", **hidden}
    config = {"env": {"id": environment, "max_episode_steps": 0}, "algorithm": {"name": algorithm},
              "network": {"hidden": [128, 256], **(network or {})}, "hidden": hidden,
              "run": {"iterations": iterations or len(returns), "seed": seed, "threads": 1}}
    if head is not None:
        config["head"] = {"learning_rate": head}
    (folder / "config.json").write_text(json.dumps(config))
    lengths = lengths or [10] * len(returns)
    rows = [{"iteration": i, "env_steps": 10 * i, "episodes": 0 if value is None else 1,
             "return_mean": value, "length_mean": length, "rollout_seconds": 0.25,
             "update_seconds": 0.5, "policy_loss": 0.125 * i,
             "layers": [{"loss": 2.0 * i, "correlation": 0.5, "mean_distance": 0.25,
                         "saturated": 0.0, "gradient_norm": None}]}
            for i, (value, length) in enumerate(zip(returns, lengths), start=1)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = {"commit": "abcdef", "device": "CPU", "machine": "Test, 1 threads",
               "last_mean_50": None}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


class RunsTest(unittest.TestCase):
    """A test with a folder of its own, for the runs it makes."""
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
