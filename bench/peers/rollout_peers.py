#!/usr/bin/env python3
"""Environment steps per second of lpdm, EnvPool and Gymnasium, side by side on this machine.

Every contender steps the same number of environments with actions that were drawn beforehand,
uniformly within the action space, and restarts episodes as they end. Rounds alternate between the
contenders, so that a change of the machine's speed falls on all of them. Threads count for lpdm
and EnvPool; Gymnasium's SyncVectorEnv steps its environments one after the other.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import numpy

try:
    import envpool
except ImportError as error:  # there is no wheel for every platform
    envpool, ENVPOOL_MISSING = None, str(error)

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("CartPole-v1", "Acrobot-v1", "InvertedPendulum-v4", "Pusher-v4", "Hopper-v4",
                "Walker2d-v4", "HalfCheetah-v4", "Ant-v4")
FLOORS = {"Hopper-v4", "Walker2d-v4", "HalfCheetah-v4", "Ant-v4"}
ENVPOOL_FLOOR, BARE_FLOOR, CARTPOLE_FLOOR = 1.3, 0.95, 20e6
TABLE_STEPS = 64  # different rows of actions


def action_table(space, envs):
    """(TABLE_STEPS, envs, ...) actions of one environment's space."""
    random = numpy.random.default_rng(1)
    shape = (TABLE_STEPS, envs)
    if isinstance(space, gymnasium.spaces.Discrete):
        return random.integers(space.n, size=shape).astype(numpy.int32)
    return random.uniform(space.low, space.high, size=shape + space.shape)


class PythonContender:
    """A vector environment with Gymnasium's interface."""

    def __init__(self, vector, space, envs, dtype=None):
        self.vector, self.envs = vector, envs
        self.actions = action_table(space, envs)
        if dtype is not None and self.actions.dtype == numpy.float64:
            self.actions = self.actions.astype(dtype)
        self.vector.reset()
        self.calls = 0

    def steps_per_s(self, seconds):
        """Steps for at least so many seconds; the calls that only reset an environment, those after
        the end of an episode, are no steps."""
        start, steps, elapsed = time.perf_counter(), 0, 0.0
        while elapsed < seconds:
            for _ in range(8):
                actions = self.actions[self.calls % TABLE_STEPS]
                _, _, terminated, truncated, _ = self.vector.step(actions)
                steps += self.envs - numpy.count_nonzero(terminated | truncated)
                self.calls += 1
            elapsed = time.perf_counter() - start
        return {"steps_per_s": steps / elapsed}


def make_envpool(env_id, options):
    vector = envpool.make(env_id, env_type="gymnasium", num_envs=options.envs,
                          num_threads=options.threads)
    return PythonContender(vector, vector.action_space, options.envs)


def make_gymnasium(env_id, options):
    envs = [lambda: gymnasium.make(env_id)] * options.envs
    vector = gymnasium.vector.SyncVectorEnv(envs)
    return PythonContender(vector, vector.single_action_space, options.envs, numpy.float32)


class Lpdm:
    """`lpdm bench rollout`, which verifies its rollout and times itself."""

    def __init__(self, env_id, options):
        self.command = [options.binary, "bench", "rollout", "--env", env_id, "--envs",
                        str(options.envs), "--threads", str(options.threads), "--repeats", "1",
                        "--json"]

    def steps_per_s(self, _seconds):
        output = subprocess.run(self.command, check=True, capture_output=True, text=True).stdout
        return json.loads(output)


def contenders(env_id, options):
    yield "lpdm", Lpdm(env_id, options)
    if envpool is not None and env_id in envpool.list_all_envs():
        yield "EnvPool", make_envpool(env_id, options)
    try:
        yield "Gymnasium", make_gymnasium(env_id, options)
    except gymnasium.error.DependencyNotInstalled as error:
        print(f"Gymnasium has no {env_id} here: {error}", file=sys.stderr)


def measure(env_id, options):
    """Every round's figures by contender."""
    rounds = {}
    players = dict(contenders(env_id, options))
    for number in range(-1, options.rounds):  # the first one warms up
        for name, player in players.items():
            figures = player.steps_per_s(options.seconds if number >= 0 else 0.1)
            if number >= 0:
                rounds.setdefault(name, []).append(figures)
    return rounds


def summarize(rounds):
    result = {}
    for name, figures in rounds.items():
        speeds = [f["steps_per_s"] for f in figures]
        result[name] = {"steps_per_s": statistics.median(speeds), "min": min(speeds),
                        "max": max(speeds), "rounds": speeds}
    ratios = [f["ratio_to_bare"] for f in rounds["lpdm"] if f["ratio_to_bare"] is not None]
    result["lpdm"]["ratio_to_bare"] = statistics.median(ratios) if ratios else None
    for name in result.keys() - {"lpdm"}:
        result["lpdm"][f"ratio_to_{name}"] = statistics.median(
            own["steps_per_s"] / other["steps_per_s"]
            for own, other in zip(rounds["lpdm"], rounds[name], strict=True))
    return result


def spread(figures):
    return f"{figures['steps_per_s']:.4g} [{figures['min']:.3g}, {figures['max']:.3g}]"


def print_row(env_id, result):
    own = result["lpdm"]
    cells = [f"{env_id:20}", f"{spread(own):30}"]
    for name in ("EnvPool", "Gymnasium"):
        cells.append(f"{spread(result[name]):30}" if name in result else f"{'-':30}")
    for key in ("ratio_to_EnvPool", "ratio_to_Gymnasium", "ratio_to_bare"):
        value = own.get(key)
        cells.append(f"{'-' if value is None else format(value, '.3g'):>9}")
    print(" ".join(cells), flush=True)


def missed_floors(results, threads):
    """What falls short of the project's floors."""
    for env_id, result in results.items():
        own = result["lpdm"]
        ratio = own.get("ratio_to_EnvPool")
        if env_id in FLOORS and ratio is not None and ratio < ENVPOOL_FLOOR:
            yield f"{env_id}: {ratio:.3g} of EnvPool's speed, floor {ENVPOOL_FLOOR}"
        if threads == 1 and own["ratio_to_bare"] is not None and own["ratio_to_bare"] < BARE_FLOOR:
            yield f"{env_id}: {own['ratio_to_bare']:.3g} of a bare loop, floor {BARE_FLOOR}"
        if env_id == "CartPole-v1" and own["steps_per_s"] < CARTPOLE_FLOOR * threads:
            yield f"{env_id}: {own['steps_per_s']:.3g} steps/s, floor {CARTPOLE_FLOOR:.3g} a thread"


def machine():
    """What the numbers depend on."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True, check=False)
    installed = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
    versions = {name: installed[name] for name in ("gymnasium", "mujoco", "numpy", "envpool")
                if name in installed}
    return {"cpu": fields.get("model name", platform.machine()), "cpus": os.cpu_count(),
            "load": os.getloadavg(), "kernel": platform.release(),
            "python": platform.python_version(), "versions": versions,
            "commit": commit.stdout.strip() or None}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", nargs="+", default=ENVIRONMENTS, metavar="ID")
    parser.add_argument("--envs", type=int, default=64, help="environments stepped together")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5, help="alternations between programs")
    parser.add_argument("--seconds", type=float, default=2.0, help="per round and Python contender")
    parser.add_argument("--binary", type=Path, default=ROOT / "build/release/tools/lpdm")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to FILE")
    return parser.parse_args()


def main():
    options = parse_options()
    gymnasium.logger.min_level = gymnasium.logger.ERROR  # v4 is what is wanted, old or not
    if not options.binary.exists():
        sys.exit(f"rollout_peers.py: there is no {options.binary} yet; cmake --build --preset "
                 "release makes it.")
    if envpool is None:
        print(f"EnvPool is not installed ({ENVPOOL_MISSING}); it is left out.")
    about = machine()
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    print(f"{about['cpu']}, {options.threads} of {about['cpus']} CPUs, load {about['load'][0]:.1f}; "
          f"{versions}; commit {about['commit']}")
    print(f"{options.envs} environments, steps/s: median over {options.rounds} rounds [min, max]; "
          "× is lpdm's speed over the other's, per thread for the bare loop of mj_step")
    print(f"{'':20} {'lpdm':30} {'EnvPool':30} {'Gymnasium':30} {'× EnvPool':>9} {'× Gymn.':>9} "
          f"{'× bare':>9}")
    results = {}
    for env_id in options.env:
        results[env_id] = summarize(measure(env_id, options))
        print_row(env_id, results[env_id])
    missed = list(missed_floors(results, options.threads))
    print("\n".join(["", "Below the floors:", *missed]) if missed else "\nAll floors are met.")
    if options.json:
        settings = {key: getattr(options, key) for key in ("envs", "threads", "rounds", "seconds")}
        options.json.write_text(json.dumps(
            {"machine": about, "settings": settings, "results": results, "missed": missed},
            indent=1) + "\n")


if __name__ == "__main__":
    main()
