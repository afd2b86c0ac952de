"""lpdm plot: pictures of runs, one page of them, or their metrics as a table."""

import argparse
import sys
from pathlib import Path

from lpdm_runs import (comparison, distances, drawing_curves, drawing_diagnostics,
                       drawing_distances, drawing_profiles, page, summary, table_csv)
from lpdm_runs.drawing_style import new_figure, save
from lpdm_runs.errors import UsageError
from lpdm_runs.groups import cells
from lpdm_runs.replacing import replacing
from lpdm_runs.selection import select

FORMATS = (".png", ".svg", ".html", ".csv")
EXAMPLES = 6  # configs of a cell whose matrices are drawn


def main(arguments):
    options = parse_options(arguments)
    found = cells(select(options.runs))
    print(summary.table(found, options.threshold).as_text())
    matrices = {} if options.format == ".csv" else matrices_of(found, options)
    with replacing(options.out) as path:
        if options.format == ".csv":
            table_csv.write(found, path)
        elif options.format == ".html":
            page.write(found, matrices, path, options.threshold)
        else:
            draw(found, matrices, path, options)
    print(f"\n{options.out}")
    return 0


def parse_options(arguments):
    parser = argparse.ArgumentParser(prog="lpdm plot", allow_abbrev=False)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--html", action="store_true")
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--no-distances", action="store_true")
    options = parser.parse_args(arguments)
    options.format = options.out.suffix.lower()
    if options.html and options.format != ".html":
        raise UsageError(f"--html writes a page, and --out {options.out} does not end in .html; "
                         "leave one of them out.")
    if options.format not in FORMATS:
        raise UsageError(f'--out {options.out}: the extension "{options.out.suffix}" is not one '
                         f"of {', '.join(FORMATS)}; choose one of them.")
    return options


def matrices_of(found, options):
    """{cell: [(label, Distances)]} of the first run of each config."""
    if options.no_distances or (len(found) > 1 and options.format != ".html"):
        return {}
    matrices = {}
    for cell, groups in found.items():
        shown = []
        for group in [group for group in groups if group.runs[0].folder][:EXAMPLES]:
            computed, problem = distances.compute(group.runs[0])
            if problem:
                print(f"{group.runs[0].name}: no distance matrices: {problem}", file=sys.stderr)
            else:
                shown.append((f"{group.label}, seed {group.seeds[0]}", computed))
        if shown:
            matrices[cell] = shown
    return matrices


def draw(found, matrices, path, options):
    """One picture: the learning curves, and below them what one cell or several have besides."""
    sections = [(drawing_curves.size(found),
                 lambda part: drawing_curves.draw(part, found, options.threshold))]
    sections += of_one_cell(found, matrices) if len(found) == 1 else of_several(found)
    sizes = [size for size, _ in sections]
    figure = new_figure(max(width for width, _ in sizes), sum(height for _, height in sizes))
    parts = figure.subfigures(len(sections), 1, squeeze=False,
                              height_ratios=[height for _, height in sizes])
    for (part,), (_, paint) in zip(parts, sections):
        paint(part)
    metadata = {"Date": None} if options.format == ".svg" else None  # equal runs, equal files
    save(figure, path, metadata=metadata)


def of_one_cell(found, matrices):
    """Its layers' diagnostics and matrices: [(size, what draws it)]."""
    ((cell, groups),) = found.items()
    sections = []
    if known := drawing_diagnostics.available(groups):
        sections.append((drawing_diagnostics.size(known),
                         lambda part: drawing_diagnostics.draw(part, cell, known)))
    if cell in matrices:
        sections.append((drawing_distances.size(matrices[cell]),
                         lambda part: drawing_distances.draw(part, cell, matrices[cell])))
    return sections


def of_several(found):
    """The performance profiles of environments that have the paper's scores to go by."""
    print("Layer diagnostics and distances are drawn for one environment and algorithm at a "
          "time, or all of them with --html.", file=sys.stderr)
    aggregates = comparison.aggregates(found)
    if not aggregates:
        return []
    return [(drawing_profiles.size(aggregates),
             lambda part: drawing_profiles.draw(part, aggregates))]
