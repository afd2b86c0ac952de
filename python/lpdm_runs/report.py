"""lpdm report: scores of many runs beside the paper's."""

import argparse
import json
import math
from dataclasses import asdict
from pathlib import Path

from lpdm_runs import comparison, reproduction, results, variants
from lpdm_runs.comparison import interval_text
from lpdm_runs.curves import STEP, WINDOW
from lpdm_runs.groups import ALGORITHMS, cells
from lpdm_runs.selection import select, seeds_of, with_seeds
from lpdm_runs.statistics import LEVEL, SAMPLES
from lpdm_runs.tables import Table

SHOWN_THRESHOLDS = (0.25, 0.5, 0.75, 0.9, 1.0)


def main(arguments):
    options = parse_options(arguments)
    runs = select(options.runs)
    found = cells(with_seeds(runs, seeds_of(options.seeds)) if options.seeds else runs)
    if options.save:
        saved = results.save(found, options.save)
        if not options.json:
            print(f"{len(saved)} result files in {options.save}\n")
    parts = [variants.table(found), variants.MEANING] if options.variants else sections(found)
    print(as_json(found) if options.json else as_text(parts, options.markdown))
    return 0


def parse_options(arguments):
    parser = argparse.ArgumentParser(prog="lpdm report", allow_abbrev=False)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--seeds")
    parser.add_argument("--variants", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args(arguments)


def as_json(found):
    verdicts = [{**asdict(verdict), "kind": verdict.kind}
                for verdict in comparison.against_frozen(found)]
    table = comparison.rows(found)
    return json.dumps(_without_nan({
        "estimator": {"window": WINDOW, "step": STEP, "bootstrap_samples": SAMPLES,
                      "level": LEVEL},
        "rows": [asdict(row) for row in table],
        "against_frozen": verdicts,
        "against_paper": [{**asdict(claim), "kind": claim.kind,
                           "order_differs": claim.order_differs}
                          for claim in reproduction.claims(table)],
        "aggregates": comparison.aggregates(found)}))


def _without_nan(value):
    """Not-a-number, which JSON has not, as null."""
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def as_text(parts, markdown=False):
    """Paragraphs and tables as they are printed."""
    return "\n\n".join(part if not isinstance(part, Table) else
                       part.as_markdown() if markdown else part.as_text() for part in parts)


def sections(found):
    """Paragraphs and tables: first where LPDM does not beat its control, then the scores."""
    parts = []
    open_cases = comparison.not_shown_better(comparison.against_frozen(found))
    if open_cases:
        parts.append("Where LPDM is not shown to beat frozen random layers:\n"
                     + "\n".join("  " + case for case in open_cases))
    table = comparison.rows(found)
    parts.append(score_table(table))
    parts.append("Max score: the largest value of the mean curve over seeds, smoothed over "
                 f"{WINDOW} iterations, with a {LEVEL:.0%}\nbootstrap interval. Spread: standard deviation "
                 "over the seeds there, relative to it. At: its iteration, and relative to BP's.")
    if any(row.standing_episodes for row in table):
        parts.append("Standing: share of episodes that merely stood still (return 950 to 1010 at "
                     "full length), at the maximum / in all.")
    short = [row for row in table if row.paper_iterations and row.iterations < row.paper_iterations]
    if short:
        parts.append(f"{len(short)} of {len(table)} rows, marked *, have fewer iterations than the "
                     "paper's.")
    parts += reproduction.sentences(reproduction.claims(table))
    if aggregates := comparison.aggregates(found):
        parts.append("Over environments: interquartile mean of each run's best, 1 being the "
                     "paper's best in that environment,\nand the share of runs above a threshold "
                     "(performance profile):")
        parts.append(aggregate_table(aggregates))
    return parts


def score_table(table):
    standing = any(row.standing_episodes for row in table)
    paper = any(row.paper is not None for row in table)
    lines = [["environment", "algorithm", "method", "seeds", "max score", "interval"]
             + (["paper"] if paper else []) + ["spread", "at", "rel."]
             + (["standing"] if standing else [])]
    for row in table:
        seeds = str(len(row.seeds)) + (f" ({row.incomplete} incomplete)" if row.incomplete else "")
        short = row.paper_iterations and row.iterations < row.paper_iterations
        cells_of_row = [row.environment, ALGORITHMS.get(row.algorithm, row.algorithm), row.label,
                        seeds, f"{row.max_score:.1f}" + ("*" if short else ""),
                        interval_text(row.interval)]
        if paper:
            cells_of_row.append("-" if row.paper is None else f"{row.paper:.1f}")
        cells_of_row += ["-" if row.spread is None else f"{row.spread:.2f}", str(row.at_iteration),
                         "-" if row.relative_iterations is None
                         else f"{row.relative_iterations:.2f}"]
        if standing:
            cells_of_row.append(
                f"{row.standing_at_max:.0%} / {row.standing_episodes / max(row.episodes, 1):.0%}")
        lines.append(cells_of_row)
    return Table(lines, left=3)


def aggregate_table(aggregates):
    lines = [["algorithm", "method", "environments", "runs", "IQM", "interval"]
             + [f"> {threshold:g}" for threshold in SHOWN_THRESHOLDS]]
    for entry in aggregates:
        shares = dict(zip(entry["thresholds"], entry["profile"]))
        lines.append([ALGORITHMS.get(entry["algorithm"], entry["algorithm"]), entry["label"],
                      str(len(entry["environments"])), str(entry["runs"]), f"{entry['iqm']:.3f}",
                      interval_text(entry["interval"], 3)]
                     + [f"{shares[threshold]:.0%}" for threshold in SHOWN_THRESHOLDS])
    return Table(lines, left=2)
