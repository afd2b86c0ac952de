"""The rows of a report: what each config reached, the paper's number, the frozen control."""

import math
from dataclasses import dataclass

import numpy as np

from lpdm_runs import paper, statistics
from lpdm_runs.curves import best, mean_curve
from lpdm_runs.groups import cell_title

THRESHOLD_STEP = 0.05  # of normalised scores
LEAST_THRESHOLD_END = 1.2


@dataclass
class Row:
    """One config. None: not known, as an interval of one seed or a number the paper has not."""

    environment: str
    algorithm: str
    method: str
    label: str
    config_hash: str
    seeds: list
    incomplete: int  # runs that have not made all their iterations
    iterations: int  # that all of them have made
    max_score: float
    interval: list  # [low, high] of max_score
    spread: float  # relative: standard deviation over the seeds at the maximum / |max_score|
    at_iteration: int  # of the maximum
    relative_iterations: float  # at_iteration / that of BP
    paper: float  # max score
    paper_iterations: int
    standing_at_max: float  # share of episodes in the window of the maximum that stood still
    standing_episodes: int  # in all iterations
    episodes: int
    own: list  # for each seed the first, the largest and the last value of its own curve


@dataclass
class Verdict:
    """A group beside another one, its control."""

    environment: str
    algorithm: str
    label: str
    difference: float  # of the max scores, group − control
    interval: list  # of it; None: fewer than two seeds on either side
    seeds_to_settle: int  # each; None: it is settled, or the spread is not known

    @property
    def kind(self):
        if self.interval is None:
            return "unknown"
        low, high = self.interval
        return "better" if low > 0 else "worse" if high < 0 else "noise"


def rows(cells):
    """One Row for each group of runs."""
    table = []
    for groups in cells.values():
        for group in groups:
            reference = _twin(group, groups, "backprop")
            table.append(row(group, _place(reference) if reference else None))
    return table


def _twin(group, groups, method):
    """The first of the groups with this method whose network begins alike; or None."""
    return next((other for other in groups
                 if other.method == method and other.network == group.network), None)


def _place(group):
    """The iteration of the maximum."""
    return int(group.grid[best(mean_curve(group.curves))[1]])


def row(group, reference=None):
    """The Row of a group; `reference`: the iteration of BP's maximum."""
    curves = group.curves
    score, place = best(mean_curve(curves))
    several = len(curves) > 1
    interval = statistics.interval(statistics.best_samples(curves)).tolist() if several else None
    there = curves[~np.isnan(curves[:, place]), place]
    spread = float(np.std(there, ddof=1) / abs(score)) if len(there) > 1 and score else None
    at_iteration = int(group.grid[place])
    return Row(
        environment=group.environment, algorithm=group.algorithm, method=group.method,
        label=group.label, config_hash=group.runs[0].config_hash, seeds=group.seeds,
        incomplete=sum(not run.complete for run in group.runs),
        iterations=min(run.iterations for run in group.runs),
        max_score=score, interval=interval, spread=spread, at_iteration=at_iteration,
        relative_iterations=at_iteration / reference if reference else None,
        paper=paper.score(group.environment, group.algorithm, group.method)
        if group.is_the_papers else None,
        paper_iterations=paper.iterations(group.environment, group.algorithm),
        standing_at_max=float(np.mean([run.standing[place] for run in group.runs])),
        standing_episodes=sum(run.standing_episodes for run in group.runs),
        episodes=sum(run.episodes for run in group.runs),
        own=[{"first": float(curve[0]), "max_score": best(curve)[0], "last": float(curve[-1])}
             for curve in (run.curve for run in group.runs)])


def against_frozen(cells):
    """A Verdict for each group whose hidden layers have learned by LPDM, where its cell has a
    control: layers of the same network, frozen as they were drawn."""
    verdicts = []
    for groups in cells.values():
        for group in groups:
            control = _twin(group, groups, "frozen")
            if control and group.method in ("lpdm", "guided", "transferred"):
                verdicts.append(compare(group, control))
    return verdicts


def compare(group, control):
    """The Verdict on a group beside another one of its cell."""
    (score, place), (other, other_place) = map(statistics.score, (group.curves, control.curves))
    verdict = Verdict(group.environment, group.algorithm, group.label, score - other, None, None)
    if min(len(group.runs), len(control.runs)) < 2:
        return verdict
    samples = (statistics.best_samples(group.curves, stream=1)
               - statistics.best_samples(control.curves, stream=2))
    verdict.interval = statistics.interval(samples).tolist()
    if verdict.kind == "noise":
        verdict.seeds_to_settle = statistics.seeds_to_settle(
            group.curves[:, place], control.curves[:, other_place], verdict.difference)
    return verdict


def aggregates(cells):
    """Per algorithm and label: IQM with its interval, and the performance profile, of each run's
    own largest smoothed return, 0 and 1 being paper.anchors. Environments without are left out."""
    normalised = _normalised_scores(cells)
    found = []
    for (algorithm, method, label), by_environment in normalised.items():
        scores = list(by_environment.values())
        together = np.concatenate(scores)
        thresholds = _thresholds(normalised, algorithm)
        found.append({"algorithm": algorithm, "method": method, "label": label,
                      "environments": list(by_environment), "runs": len(together),
                      "iqm": statistics.iqm(together),
                      "interval": statistics.stratified_interval(scores, statistics.iqm).tolist()
                      if min(map(len, scores)) > 1 else None,
                      "thresholds": thresholds.tolist(),
                      "profile": statistics.profile(scores, thresholds).tolist()})
    return found


def _normalised_scores(cells):
    """{(algorithm, method, label): {environment: (seeds)}}"""
    scores = {}
    for groups in cells.values():
        for group in groups:
            anchors = paper.anchors(group.environment)
            if anchors is None or not len(group.scores()):
                continue
            low, high = anchors
            by_environment = scores.setdefault((group.algorithm, group.method, group.label), {})
            by_environment[group.environment] = (group.scores() - low) / (high - low)
    return scores


def _thresholds(normalised, algorithm):
    """From 0 to where no run of the algorithm is above."""
    largest = max(scores.max() for key, by_environment in normalised.items()
                  if key[0] == algorithm for scores in by_environment.values())
    steps = math.ceil(max(largest, LEAST_THRESHOLD_END) / THRESHOLD_STEP - 1e-9)
    return np.round(np.arange(steps + 1) * THRESHOLD_STEP, 2)


def interval_text(interval, digits=1):
    return "-" if interval is None else f"[{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"


def not_shown_better(verdicts):
    """Sentences on every cell where LPDM is not shown to beat the frozen control."""
    sentences = [_sentence(verdict) for verdict in verdicts if verdict.kind in ("worse", "noise")]
    too_few = {}
    for verdict in verdicts:
        if verdict.kind == "unknown":
            too_few.setdefault((verdict.environment, verdict.algorithm), []).append(verdict.label)
    return sentences + [f"{cell_title(cell)}: {', '.join(labels)}: too few seeds (two each at "
                        "least) to tell a difference from noise."
                        for cell, labels in too_few.items()]


def _sentence(verdict):
    where = f"{cell_title((verdict.environment, verdict.algorithm))}: {verdict.label}"
    difference = f"{verdict.difference:+.1f} against frozen"
    low, high = verdict.interval
    if verdict.kind == "worse":
        return f"{where} is worse: {difference} [{low:+.1f}, {high:+.1f}]."
    needed = (f"about {verdict.seeds_to_settle} seeds each would settle a difference of this size"
              if verdict.seeds_to_settle else "no number of seeds settles a difference of nothing")
    return f"{where} {difference} [{low:+.1f}, {high:+.1f}] is within the noise; {needed}."
