"""Small files that keep what a report says of runs: curves on the grid, and where they come from.

One file holds the runs of one config; saving more seeds adds to it.
"""

import json

import numpy as np

from lpdm_runs.curves import STEP, WINDOW
from lpdm_runs.errors import UsageError
from lpdm_runs.groups import Group
from lpdm_runs.replacing import replacing
from lpdm_runs.runs import Run, config_hash, read_json

FORMAT = "lpdm-results"
VERSION = 1
DIGITS = 6  # significant ones of a curve


def is_result_file(path):
    """Whether a file says that it is one; reads its beginning only."""
    if path.suffix != ".json":
        return False
    with open(path, errors="replace") as file:
        return f'"{FORMAT}"' in file.read(200)


def _rounded(values):
    return [None if np.isnan(value) else float(f"{value:.{DIGITS}g}") for value in values]


def _unrounded(values):
    return np.array([np.nan if value is None else value for value in values], float)


def _run_json(run):
    fields = {"seed": run.seed, "iterations": run.iterations, "complete": run.complete,
              "env_steps": run.env_steps, "episodes": run.episodes,
              "seconds": round(run.seconds, 1), "provenance": run.provenance,
              "standing_episodes": run.standing_episodes, "curve": _rounded(run.curve)}
    if run.standing_episodes:
        fields["standing"] = [round(float(share), 4) for share in run.standing]
    return fields


def _read_run(fields, config, path):
    curve = _unrounded(fields["curve"])
    config = {**config, "run": {**config["run"], "seed": fields["seed"]}}
    return Run(name=f"{path}#{fields['seed']}", config=config, seed=fields["seed"],
               iterations=fields["iterations"], env_steps=fields["env_steps"],
               episodes=fields["episodes"], seconds=fields["seconds"],
               complete=fields["complete"], curve=curve,
               standing=np.array(fields.get("standing", [0.0] * len(curve))),
               standing_episodes=fields["standing_episodes"], provenance=fields["provenance"])


def read_results(path):
    """The runs in a result file. Raises UsageError with a sentence where it is none."""
    content = read_json(path, "result file")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UsageError(f'"{path}" is not a result file of lpdm report --save.')
    if content.get("version") != VERSION:
        raise UsageError(f'"{path}" has format version {content.get("version")}, this program '
                         f"reads version {VERSION}; save it anew from the run folders.")
    if (content["window"], content["step"]) != (WINDOW, STEP):
        raise UsageError(f'"{path}" was smoothed over {content["window"]} iterations instead of '
                         f"{WINDOW}; save it anew from the run folders.")
    try:
        return [_read_run(fields, content["config"], path) for fields in content["runs"]]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f'"{path}" is damaged ({error}); save it anew from the run folders.') \
            from error


def file_name(group):
    pairs = "" if group.pairs == "all" else "-" + group.pairs.replace(":", "")
    return (f"{group.environment.lower()}-{group.algorithm}-{group.method}{pairs}-"
            f"{config_hash(group.config)[:8]}.json").replace("/", "-").replace(":", "-")


def save(cells, folder):
    """Writes one file per config into `folder` and returns their paths; runs that are there
    already under the same seed are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for groups in cells.values():
        for group in groups:
            path = folder / file_name(group)
            runs = {run.seed: run for run in (read_results(path) if path.exists() else [])}
            runs.update({run.seed: run for run in group.runs})
            _write(path, Group([runs[seed] for seed in sorted(runs)]))
            paths.append(path)
    return paths


def _write(path, group):
    config = {**group.config, "run": {**group.config["run"]}}
    del config["run"]["seed"]
    head = {"format": FORMAT, "version": VERSION, "config_hash": config_hash(group.config),
            "window": WINDOW, "step": STEP, "config": config}
    lines = ",\n".join(" " + json.dumps(_run_json(run)) for run in group.runs)
    text = json.dumps(head)[:-1] + ', "runs": [\n' + lines + "\n]}\n"
    with replacing(path) as temporary:
        temporary.write_text(text)
