"""The metrics of runs as one table, a line per run and iteration."""

import csv

from lpdm_runs.errors import UsageError
from lpdm_runs.groups import flatten
from lpdm_runs.runs import read_metrics

WHICH = ["run", "environment", "algorithm", "method", "config_hash", "seed"]


def write(cells, path):
    """Every number of metrics.jsonl under the name that TensorBoard shows: layer_1/loss."""
    runs = [(group, run) for groups in cells.values() for group in groups for run in group.runs]
    if from_results := [run.name for _, run in runs if run.folder is None]:
        raise UsageError(f'"{from_results[0]}" is a result, which keeps no metrics; name the '
                         "run's folder to write its table.")
    columns = {key: None for _, run in runs for row in _rows(run) for key in row}
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, [*WHICH, *columns], restval="")
        writer.writeheader()
        for group, run in runs:
            which = {"run": run.name, "environment": run.environment, "algorithm": run.algorithm,
                     "method": group.label, "config_hash": run.config_hash, "seed": run.seed}
            writer.writerows({**which, **row} for row in _rows(run))


def _rows(run):
    """Read again for each use: the metrics of a large sweep need not fit into memory."""
    return map(_flat, read_metrics(run.folder / "metrics.jsonl"))


def _flat(row):
    layers = {f"layer_{number}": layer for number, layer in enumerate(row["layers"], start=1)}
    return flatten({**{key: value for key, value in row.items() if key != "layers"}, **layers},
                   separator="/")
