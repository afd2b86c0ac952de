"""Which runs a path means: a run folder, a folder with runs somewhere below it, a result file."""

from pathlib import Path

from lpdm_runs.errors import UsageError
from lpdm_runs.results import is_result_file, read_results
from lpdm_runs.runs import is_run, read_run

DEPTH = 4  # folders below the one that is named: sweeps keep their runs two below


def select(paths):
    """All runs that `paths` mean, each once, in their order. Raises UsageError with a sentence."""
    runs, seen = [], set()
    for path in map(Path, paths):
        for found in _runs_at(path):
            if found.name not in seen:
                seen.add(found.name)
                runs.append(found)
    return runs


def seeds_of(text):
    """The seeds of a list as lpdm sweep takes it: 0-4,7."""
    seeds = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f'--seeds: "{part}" is neither a seed nor a range of seeds; give a '
                             "list such as 0-4,7.")
        if int(last or first) < int(first):
            raise UsageError(f'--seeds: the range "{part}" runs backwards; give it as '
                             f"{last}-{first}.")
        seeds.update(range(int(first), int(last or first) + 1))
    return seeds


def with_seeds(runs, seeds):
    """Those of the runs that have one of these seeds."""
    kept = [run for run in runs if run.seed in seeds]
    if not kept:
        raise UsageError("--seeds: none of the runs has such a seed; leave it out to see them all.")
    return kept


def _runs_at(path):
    if not path.exists():
        raise UsageError(f'"{path}" does not exist; name a run folder, a folder of runs, or a '
                         "result file of lpdm report --save.")
    if path.is_file():
        if path.suffix != ".json":
            raise UsageError(f'"{path}" is neither a folder nor a result file of '
                             "lpdm report --save; name the folder of a run.")
        return read_results(path)
    if is_run(path):
        return [read_run(path)]
    runs = []
    for place in _below(path, DEPTH):
        if place.is_dir():
            runs.append(read_run(place))
        else:
            runs.extend(read_results(place))
    if not runs:
        raise UsageError(f'"{path}" holds no runs and no result files; name a folder that '
                         "lpdm train or lpdm sweep has written.")
    return runs


def _below(folder, depth):
    """Run folders and result files below `folder`, in the order of their names."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if is_run(entry):
                yield entry
            elif depth > 1:
                yield from _below(entry, depth - 1)
        elif is_result_file(entry):
            yield entry
