"""The matrices T and D̄_Y of an episode, which the program computes from a run's checkpoint."""

import json
import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROWS = 300  # steps of the episode at most


@dataclass
class Distances:
    """target: (N, N), T; layers: per hidden layer (N, N), D̄_Y."""

    target: np.ndarray
    layers: list
    facts: dict  # what the file says of them: iteration, length, return, layer_1.correlation, …


def compute(run):
    """Of one run folder; None, and the program's sentence, where it cannot be done."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "distances.safetensors"
        done = subprocess.run([os.environ["LPDM_PROGRAM"], "distances", run.folder, "--out", out,
                               "--rows", str(ROWS)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None, (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return read(out), None


def read(path):
    """A file of lpdm distances."""
    content = path.read_bytes()
    (size,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + size])
    facts = header.pop("__metadata__")
    matrices = {name: np.frombuffer(content[8 + size:][slice(*entry["data_offsets"])], "<f4")
                .reshape(entry["shape"]) for name, entry in header.items()}
    layers = [matrices[f"layer_{number}"] for number in range(1, len(matrices))]
    return Distances(matrices["target"], layers, facts)
