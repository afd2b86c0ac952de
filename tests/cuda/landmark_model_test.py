#!/usr/bin/env python3
"""The graph that bench/sass/landmark_model.py estimates is the one that an update records.

    landmark_model_test.py LPDM SHIM_LIBRARY

Records updates on the execution shim, by backpropagation and with landmarks, and compares how many
kernels each kernel has before it and after it, in the longest row of those that wait for each other.
And works out by hand how long a small graph takes.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/sass"))

import landmark_model
from kernel_graph import Kernel, KernelGraph

OPTIONS = types.SimpleNamespace(processors=4, clock=1e9, bandwidth=1e12, efficiency=1.0, gap=1e-6,
                                latency=1e-6, dim_x=11, hidden=[128, 256], outputs=3)


class FreeKernel:
    """Stands in for what is counted in SASS: costs change no graph."""

    def __getattr__(self, _):
        return lambda *_: 1


def places(after):
    """Of each kernel: how long the longest rows are that end with it and that begin with it."""
    before, beyond = [], [1] * len(after)
    for nodes in after:
        before.append(1 + max((before[node] for node in nodes), default=0))
    for node in reversed(range(len(after))):
        for other in after[node]:
            beyond[other] = max(beyond[other], 1 + beyond[node])
    return sorted(zip(before, beyond))


def recorded(lpdm, library, method, settings, folder):
    """What each node of the graph comes after."""
    graph = folder / "graph"
    environment = {**os.environ, "LPDM_CUDA_LIBRARY": library, "LPDM_SHIM_GRAPH": str(graph)}
    done = subprocess.run(
        [lpdm, "train", str(ROOT / f"configs/paper/reinforce/hopper-{method}.json"), "--device",
         "cuda", "--set", "run.iterations=8", "--set", "run.diagnostics_every=0", *settings, "--out",
         str(folder / "run")], env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return [[int(node) for node in line.split()[1:]] for line in graph.read_text().splitlines()]


def expect_same(title, modelled, found):
    assert places(modelled) == places(found), \
        f"{title}: the model's kernels (before, after) {places(modelled)}, recorded {places(found)}"


def expect_time(found, wanted):
    assert abs(found - wanted) < 1e-9 * wanted, f"{found} s, not {wanted} s"


def check_timeline():
    graph = KernelGraph(bandwidth=10.0, gap=1.0, latency=0.5)
    first = graph.add(Kernel("alone", seconds=3.0, width=1.0, bytes=20.0, reads=2))  # 1 .. 5
    expect_time(graph.total(), 5.0)
    whole = graph.add(Kernel("a whole GPU", 4.0, 1.0, 0.0, 0), first)  # from 6
    half = graph.add(Kernel("half of it", 2.0, .5, 0.0, 0), first)  # from 6
    # Together they ask for 1.5 GPUs: the short one ends at 9, the rest of the long one takes 2.
    assert [end for _, end in graph.timeline()] == [5.0, 11.0, 9.0], graph.timeline()
    graph.add(Kernel("after both", 0.0, 1.0, 50.0, 0), whole + half)  # 12 .. 17
    expect_time(graph.total(), 17.0)
    expect_time(graph.total_in_a_row(), 4 * 1.0 + 4.0 + 4.0 + 2.0 + 5.0)


def main():
    check_timeline()
    lpdm, library = sys.argv[1:]
    model = types.SimpleNamespace(options=OPTIONS, per_draw=1, distances=lambda *_: FreeKernel(),
                                  gradient=lambda *_: FreeKernel())
    for title, method, settings in (("backpropagation", "backprop", []),
                                    ("landmarks", "lpdm", ["--set", "hidden.pairs=landmarks:16"])):
        update = landmark_model.Update(model, 64)
        if method == "backprop":
            update.backpropagation()
        else:
            update.distance_matching(16)
        with tempfile.TemporaryDirectory() as folder:
            expect_same(title, update.graph.after,
                        recorded(lpdm, library, method, settings, pathlib.Path(folder)))


if __name__ == "__main__":
    main()
