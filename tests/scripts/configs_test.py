#!/usr/bin/env python3
"""Tests that the ready-made configs compare fairly: twins differ in what trains hidden layers."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SUFFIXES = ("-lpdm-guided", "-lpdm-landmarks", "-lpdm", "-backprop", "-frozen")
MAY_DIFFER = ("method", "guided", "pairs")


def read(path):
    first, _, rest = path.read_text().partition("\n")
    assert first.startswith("// "), f"{path.name} does not begin with a comment on what it shows"
    return json.loads(rest)


def without_method(config):
    hidden = {key: value for key, value in config["hidden"].items() if key not in MAY_DIFFER}
    return config | {"hidden": hidden}


class ConfigsTest(unittest.TestCase):
    def families(self):
        families = {}
        for path in sorted(CONFIGS.glob("*.json")):
            suffix = next((s for s in SUFFIXES if path.stem.endswith(s)), None)
            self.assertIsNotNone(suffix, f"{path.name} does not end with a known variant")
            families.setdefault(path.stem.removesuffix(suffix), {})[suffix] = read(path)
        return families

    def test_twins_differ_only_in_what_trains_the_hidden_layers(self):
        for name, family in self.families().items():
            for suffix, config in family.items():
                with self.subTest(config=name + suffix):
                    self.assertEqual(without_method(config), without_method(family["-lpdm"]))

    def test_every_comparison_has_its_controls(self):
        for name, family in self.families().items():
            with self.subTest(family=name):
                self.assertLessEqual({"-lpdm", "-backprop", "-frozen"}, family.keys())

    def test_variants_are_what_their_names_say(self):
        expected = {"-lpdm": ("lpdm", False, "all"), "-lpdm-guided": ("lpdm", True, "all"),
                    "-lpdm-landmarks": ("lpdm", False, "landmarks:64"),
                    "-backprop": ("backprop", False, "all"), "-frozen": ("frozen", False, "all")}
        for name, family in self.families().items():
            for suffix, config in family.items():
                with self.subTest(config=name + suffix):
                    values = tuple(config["hidden"][key] for key in MAY_DIFFER)
                    self.assertEqual(values, expected[suffix])


class PaperConfigsTest(unittest.TestCase):
    def test_they_are_what_the_table_gives(self):
        subprocess.run([sys.executable, CONFIGS / "paper/generate.py", "--check"], check=True)

    def test_cells_differ_only_in_what_trains_the_hidden_layers(self):
        for algorithm in ("reinforce", "reinforce_baseline", "ppo"):
            for path in sorted((CONFIGS / "paper" / algorithm).glob("*-lpdm.json")):
                for method in ("backprop", "lpdm-guided", "frozen"):
                    with self.subTest(config=path.name, method=method):
                        twin = path.with_name(path.name.replace("-lpdm.json", f"-{method}.json"))
                        self.assertEqual(without_method(read(twin)), without_method(read(path)))


if __name__ == "__main__":
    unittest.main()
