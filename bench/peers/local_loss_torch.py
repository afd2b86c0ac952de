#!/usr/bin/env python3
"""One whole training update, by LPDM and by backprop, in PyTorch and in lpdm, side by side on CPU.

One update is the forward pass, the gradients of all layers and the head, the clip and Adam; the
batch is one episode's worth of rows with Gaussian actions. Rounds alternate between PyTorch and
`lpdm bench local-loss`, so that a change of the machine's speed falls on both. Before anything is
timed, both programs' losses and gradients are compared with tests/data/loss/local_loss.json.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "data" / "loss" / "local_loss.json"
GOLDEN_CASES = ("own-frobenius-through", "n3", "duplicates", "episode-37x17-128",
                "second-layer-33-128-32", "odd-129x3-5")
TOLERANCE = 1e-5  # float32, relative to an array's largest magnitude
LEARNING_RATE, CLIP, STD = 1e-3, 0.5, 0.5


def layer_loss(y, target, dim_target):
    """The local loss of one layer (docs/method.md), exactly what is timed below."""
    distance = torch.cdist(y, y, p=1)
    return (target / dim_target - distance / distance.max() / y.shape[1]).norm()


def input_target(x):
    distance = torch.cdist(x, x, p=1)
    return distance / distance.max()


def policy_loss(mean, actions, returns):
    log_pi = torch.distributions.Normal(mean, STD).log_prob(actions).sum(1)
    return -(log_pi * returns).mean()


class Learner:
    """A network and its optimisers: a group per layer if local (LPDM), else one (backprop)."""

    def __init__(self, widths, local, compiled):
        torch.manual_seed(0)
        self.layers = [torch.nn.Linear(i, o) for i, o in zip(widths, widths[1:])]
        groups = [list(layer.parameters()) for layer in self.layers]
        self.groups = groups if local else [[p for group in groups for p in group]]
        self.optimizers = [torch.optim.Adam(group, lr=LEARNING_RATE) for group in self.groups]
        losses = self.local_losses if local else self.end_to_end_loss
        self.losses = torch.compile(losses, dynamic=False) if compiled else losses

    def local_losses(self, x, actions, returns):
        target, total, h = input_target(x), 0.0, x
        for layer in self.layers[:-1]:
            y = torch.tanh(layer(h))
            total = total + layer_loss(y, target, x.shape[1])
            h = y.detach()
        return total + policy_loss(self.layers[-1](h), actions, returns)

    def end_to_end_loss(self, x, actions, returns):
        h = x
        for layer in self.layers[:-1]:
            h = torch.tanh(layer(h))
        return policy_loss(self.layers[-1](h), actions, returns)

    def update(self, batch):
        self.losses(*batch).backward()
        for group, optimizer in zip(self.groups, self.optimizers):
            torch.nn.utils.clip_grad_norm_(group, CLIP)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)


def relative_deviation(computed, expected):
    scale = max(map(abs, expected)) or 1.0
    return max(abs(c - e) for c, e in zip(computed, expected, strict=True)) / scale


def require_agreement(program, case, outputs):
    """Ends the program where they deviate."""
    for key in ("loss", "grad_w", "grad_b"):
        expected = case[key] if isinstance(case[key], list) else [case[key]]
        deviation = relative_deviation(outputs[key], expected)
        if not deviation <= TOLERANCE:
            sys.exit(f"local_loss_torch.py: {program}'s {key} of case '{case['name']}' deviates "
                     f"from {GOLDEN.name} by {deviation:.2g}, more than {TOLERANCE:g}; what it "
                     "computes cannot be compared.")


def torch_outputs(case):
    """On PyTorch's default device."""
    shape = (case["n"], case["dim_x"])
    x = torch.tensor(case["x"]).reshape(shape)
    h = x if case["h"] is None else torch.tensor(case["h"]).reshape(case["n"], case["dim_in"])
    w = torch.tensor(case["w"]).reshape(case["dim_out"], case["dim_in"]).requires_grad_()
    b = torch.tensor(case["b"]).requires_grad_()
    loss = layer_loss(torch.tanh(h @ w.T + b), input_target(x), case["dim_x"])
    loss.backward()
    return {"loss": [loss.item()], "grad_w": w.grad.flatten().tolist(), "grad_b": b.grad.tolist()}


def verify(binary, device="cpu"):
    """Ends the program unless PyTorch and lpdm (if there is a binary) reproduce the goldens there."""
    cases = {case["name"]: case for case in json.loads(GOLDEN.read_text())["cases"]}
    chosen = [cases[name] for name in GOLDEN_CASES]
    for case in chosen:
        with torch.device(device):
            outputs = torch_outputs(case)
        require_agreement("PyTorch", case, outputs)
    print(f"PyTorch reproduces {len(chosen)} golden cases to {TOLERANCE:g}.")
    if binary is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "cases.json", Path(folder) / "result.json"
        source.write_text(json.dumps({"about": "", "cases": chosen}))
        subprocess.run([binary, "loss", source, "--device", device, "--out", result], check=True,
                       stdout=subprocess.DEVNULL)
        outputs = json.loads(result.read_text())["cases"]
    for case, output in zip(chosen, outputs, strict=True):
        require_agreement("lpdm", case, output | {"loss": [output["loss"]]})
    print(f"lpdm reproduces {len(chosen)} golden cases to {TOLERANCE:g}.")


def time_updates(learner, batch, repeats):
    """Median seconds of one update."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        learner.update(batch)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def lpdm_seconds(binary, options, n):
    """By contender; backprop is the same in either arithmetic and the shorter of its times."""
    fp32, fixed = (lpdm_update(binary, options, n, arithmetic) for arithmetic in ("fp32", "fixed"))
    return {"lpdm (LPDM)": fp32["lpdm_s"], "lpdm fixed (LPDM)": fixed["lpdm_s"],
            "lpdm (backprop)": min(fp32["bp_s"], fixed["bp_s"])}


def lpdm_update(binary, options, n, arithmetic):
    command = [binary, "bench", "local-loss", "--n", str(n), "--dim-x", str(options.dim_x),
               "--hidden", options.hidden, "--repeats", str(options.repeats), "--device", "cpu",
               "--threads", str(options.threads), "--arithmetic", arithmetic, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def summarize(seconds):
    return {"median_s": statistics.median(seconds), "min_s": min(seconds), "max_s": max(seconds),
            "rounds_s": seconds}


def measure(binary, options, n):
    """Medians and spreads over rounds, by contender."""
    torch.manual_seed(1)
    batch = (torch.randn(n, options.dim_x), torch.randn(n, options.actions), torch.randn(n))
    widths = [options.dim_x, *map(int, options.hidden.split(",")), options.actions]
    kinds = [("PyTorch", False)] + ([("PyTorch compiled", True)] if options.compile else [])
    learners = {f"{kind} ({name})": Learner(widths, local, compiled) for kind, compiled in kinds
                for name, local in (("LPDM", True), ("backprop", False))}
    for learner in learners.values():
        learner.update(batch)  # allocations, thread pools and compilation happen here
    rounds = {}
    for _ in range(options.rounds):
        results = {name: time_updates(learner, batch, options.repeats)
                   for name, learner in learners.items()}
        if binary is not None:
            results |= lpdm_seconds(binary, options, n)
        for name, seconds in results.items():
            rounds.setdefault(name, []).append(seconds)
    return {name: summarize(seconds) for name, seconds in rounds.items()}


def print_table(n, contenders):
    reference = next((k for k in ("lpdm (LPDM)", "PyTorch (LPDM)") if k in contenders))
    print(f"\nN = {n}: seconds for one update, median over rounds [min, max]")
    print(f"  {'':28}{'median':>10}   {'spread':24}  × {reference}")
    for name, result in contenders.items():
        spread = f"[{result['min_s']:.3g}, {result['max_s']:.3g}]"
        ratio = result["median_s"] / contenders[reference]["median_s"]
        print(f"  {name:28}{result['median_s']:>10.4g}   {spread:24}  {ratio:.3g}")


def machine():
    """What the numbers depend on."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    wanted = ("avx2", "fma", "avx512f", "avx512bw", "avx512vl", "amx_tile", "asimd", "sve")
    return {"cpu": fields.get("model name", platform.machine()), "cpus": os.cpu_count(),
            "flags": [flag for flag in wanted if flag in flags],
            "python": platform.python_version(), "torch": torch.__version__,
            "torch_simd": torch.backends.cpu.get_cpu_capability(),
            "kernel": platform.release(), "commit": commit()}


def commit():
    """Of this checkout; None in a bundle, or where git is not installed."""
    try:
        done = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                              capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[1000], help="rows of the batch")
    parser.add_argument("--dim-x", type=int, default=17, help="width of an observation")
    parser.add_argument("--actions", type=int, default=6, help="width of the PyTorch head")
    parser.add_argument("--hidden", default="128,256", help="widths of the hidden layers")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5, help="alternations between programs")
    parser.add_argument("--repeats", type=int, default=3, help="updates per round and contender")
    parser.add_argument("--compile", action="store_true", help="time torch.compile as well")
    parser.add_argument("--binary", type=Path, default=ROOT / "build/release/tools/lpdm")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to FILE")
    return parser.parse_args()


def main():
    options = parse_options()
    torch.set_num_threads(options.threads)
    binary = options.binary if options.binary.exists() else None
    if binary is None:
        print(f"There is no {options.binary.name} program yet (cmake --build --preset release "
              "makes it); PyTorch is measured alone.")
    verify(binary)
    about = machine()
    print(f"{about['cpu']} ({' '.join(about['flags'])}), {options.threads} of {about['cpus']} "
          f"CPUs, torch {about['torch']} with {about['torch_simd']}, commit {about['commit']}")
    results = {}
    for n in options.n:
        results[n] = measure(binary, options, n)
        print_table(n, results[n])
    if options.json:
        settings = {key: getattr(options, key) for key in
                    ("dim_x", "actions", "hidden", "threads", "rounds", "repeats")}
        options.json.write_text(json.dumps(
            {"machine": about, "settings": settings, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
