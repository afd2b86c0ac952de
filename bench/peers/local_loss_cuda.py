#!/usr/bin/env python3
"""One whole training update on a GPU: PyTorch eager and compiled, and lpdm; cuVS's L1 distances.

The contenders are those of local_loss_torch.py, moved to the GPU and timed with CUDA events; before
that the losses and gradients of both programs are compared with the goldens there as well. Where
they deviate, that is said, the rest is measured all the same, and the exit status is 1. A
contender that runs out of memory says so and drops out. Where cuVS is installed, its pairwise L1
distances of (N, 128) alone are timed too: a part of one pass of lpdm's.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import local_loss_torch as peer
import torch


def seconds_of(run, repeats):
    """Median seconds of run(), by events; one unmeasured call first."""
    run()
    torch.cuda.synchronize()
    times = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.median(times)


def torch_seconds(options, n, local, compiled):
    """Or why there is no number: too little memory, or a compiler that torch.compile lacks."""
    torch._dynamo.reset()  # or it takes the second size for a variable one
    widths = [options.dim_x, *map(int, options.hidden.split(",")), options.actions]
    batch = [torch.randn(*shape, device="cuda")
             for shape in ((n, options.dim_x), (n, options.actions), (n,))]
    learner = peer.Learner(widths, local, compiled)
    for layer in learner.layers:
        layer.cuda()
    learner.optimizers = [torch.optim.Adam(list(group), lr=peer.LEARNING_RATE)
                          for group in learner.groups]
    try:
        return seconds_of(lambda: learner.update(batch), options.repeats)
    except torch.cuda.OutOfMemoryError:
        return "out of memory"
    except Exception as error:  # whatever the compiler raises
        if not compiled:
            raise
        return f"failed: {(str(error).splitlines() or [type(error).__name__])[0]}"
    finally:
        torch.cuda.empty_cache()


def lpdm_seconds(options, n):
    """By arithmetic and for backpropagation."""
    result = {}
    for arithmetic in options.arithmetics:
        command = [options.binary, "bench", "local-loss", "--n", str(n), "--dim-x",
                   str(options.dim_x), "--hidden", options.hidden, "--repeats",
                   str(options.repeats), "--device", "cuda", "--arithmetic", arithmetic, "--json"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            print(f"  lpdm, {arithmetic}: {run.stderr.strip()}")
            continue
        output = json.loads(run.stdout)
        result[f"lpdm {arithmetic} (LPDM)"] = output["lpdm_s"]
        result["lpdm (backprop)"] = output["bp_s"]
    return result


def cuvs_seconds(options, n):
    try:
        import cupy
        from cuvs.distance import pairwise_distance
    except ImportError:
        return {"cuVS (L1 of 128 columns)": "not installed"}
    rows = cupy.random.standard_normal((n, 128), dtype=cupy.float32)
    to = cupy.empty((n, n), dtype=cupy.float32)
    return {"cuVS (L1 of 128 columns)": seconds_of(
        lambda: pairwise_distance(rows, rows, out=to, metric="cityblock"), options.repeats)}


def measure(options, n):
    results = {}
    kinds = [("PyTorch eager", False)] + ([] if options.no_compile else [("torch.compile", True)])
    for kind, compiled in kinds:
        for name, local in (("LPDM", True), ("backprop", False)):
            results[f"{kind} ({name})"] = torch_seconds(options, n, local, compiled)
    results |= lpdm_seconds(options, n)
    results |= cuvs_seconds(options, n)
    return results


def verify(binary):
    try:
        peer.verify(binary, "cuda")
    except (SystemExit, subprocess.CalledProcessError) as problem:
        print(problem)
        return False
    return True


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[1000, 4096, 16384])
    parser.add_argument("--dim-x", type=int, default=17)
    parser.add_argument("--actions", type=int, default=6)
    parser.add_argument("--hidden", default="128,256")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--arithmetics", nargs="+", default=["fp32", "fixed", "half2"])
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--binary", type=Path, default=peer.ROOT / "build/release/tools/lpdm")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to FILE")
    return parser.parse_args()


def main():
    options = parse_options()
    if not torch.cuda.is_available():
        print("skipped: PyTorch finds no GPU here")
        return 77
    verified = verify(options.binary)
    about = peer.machine() | {"gpu": torch.cuda.get_device_name()}
    print(f"{about['gpu']}, torch {about['torch']}, commit {about['commit']}")
    results = {}
    for n in options.n:
        results[n] = measure(options, n)
        print(f"\nN = {n}: median seconds")
        for name, seconds in results[n].items():
            print(f"  {name:28}{seconds if isinstance(seconds, str) else f'{seconds:.4g}'}",
                  flush=True)
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "verified": verified,
                                            "results": results}, indent=1) + "\n")
    return 0 if verified else 1


if __name__ == "__main__":
    sys.exit(main())
