#!/usr/bin/env python3
"""The graph that bench/sass/landmark_model.py estimates is the one that an update records.

    landmark_model_test.py LPDM SHIM_LIBRARY

Records updates on the execution shim and compares: as many kernels, and as many in the longest row
of kernels that wait for each other, by backpropagation and with landmarks.
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

OPTIONS = types.SimpleNamespace(processors=4, clock=1e9, bandwidth=1e12, efficiency=1.0, gap=1e-6,
                                dim_x=11, hidden=[128, 256], outputs=3)


class FreeKernel:
    """Stands in for what is counted in SASS: costs change no graph."""

    def __init__(self, *_):
        pass

    def __getattr__(self, _):
        return lambda *_: 1


def longest(after):
    depths = []
    for nodes in after:
        depths.append(1 + max((depths[node] for node in nodes), default=0))
    return max(depths)


def recorded(lpdm, library, method, settings, folder):
    """What each node of the graph comes after."""
    graph = folder / "graph"
    environment = {**os.environ, "LPDM_CUDA_LIBRARY": library, "LPDM_SHIM_GRAPH": str(graph)}
    subprocess.run([lpdm, "train", str(ROOT / f"configs/paper/reinforce/hopper-{method}.json"),
                    "--device", "cuda", "--set", "run.iterations=8", "--set",
                    "run.diagnostics_every=0", *settings, "--out", str(folder / "run")],
                   check=True, env=environment, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return [[int(node) for node in line.split()[1:]] for line in graph.read_text().splitlines()]


def expect_same(title, modelled, found):
    for what, of in (("kernels", len), ("in a row", longest)):
        assert of(modelled) == of(found), \
            f"{title}: {of(modelled)} {what} in the model, {of(found)} in the recorded update"


def main():
    lpdm, library = sys.argv[1:]
    landmark_model.DistanceKernel = FreeKernel
    model = types.SimpleNamespace(options=OPTIONS, per_draw=1, target=None, sums=None,
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
