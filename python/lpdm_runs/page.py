"""One page with everything about a set of runs: no scripts, nothing from the network."""

import base64
import html
import io

from lpdm_runs import (comparison, drawing_curves, drawing_diagnostics, drawing_distances,
                       drawing_profiles, report, summary)
from lpdm_runs.drawing_style import new_figure, save
from lpdm_runs.groups import cell_title, flatten
from lpdm_runs.tables import Table

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
pre { font-size: 12.5px; background: #f6f6f4; padding: .8rem 1rem; overflow-x: auto; }
figure { margin: 1rem 0; } figure svg, figure img { max-width: 100%; height: auto; }
p { white-space: pre-line; max-width: 50rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem 1.2rem .25rem 0; border-bottom: 1px solid #ddd;
  vertical-align: top; white-space: nowrap; }
th { border-bottom-color: #999; } tr:hover td { background: #f6f6f4; }
.number { text-align: right; }
summary { cursor: pointer; padding: .15rem 0; }
"""


def write(found, matrices, path, threshold=None):
    """found: cells of groups; matrices: {cell: [(label, Distances)]}."""
    environments = ", ".join(dict.fromkeys(environment for environment, _ in found))
    title = f"lpdm runs: {environments}"
    parts = [f"<h1>{html.escape(title)}</h1>", summary.table(found, threshold).as_html(),
             "<h2>Learning curves</h2>",
             _svg(drawing_curves.size(found),
                  lambda figure: drawing_curves.draw(figure, found, threshold))]
    for cell, groups in found.items():
        parts += _cell(cell, groups, matrices.get(cell))
    parts += ["<h2>Scores</h2>", *_report(found)]
    if aggregates := comparison.aggregates(found):
        parts.append(_svg(drawing_profiles.size(aggregates),
                          lambda figure: drawing_profiles.draw(figure, aggregates)))
    parts += ["<h2>Runs</h2>", _runs(found), "<h2>Configs</h2>", *_configs(found)]
    # An empty icon keeps browsers from asking for one.
    path.write_text('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
                    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
                    '<link rel="icon" href="data:,">\n'
                    f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style></head>\n<body>\n"
                    + "\n".join(parts) + "\n</body></html>\n", encoding="utf-8")


def _cell(cell, groups, shown):
    known = drawing_diagnostics.available(groups)
    if not known and not shown:
        return []
    parts = [f"<h2>{html.escape(cell_title(cell))}</h2>"]
    if known:
        parts.append(_svg(drawing_diagnostics.size(known),
                          lambda figure: drawing_diagnostics.draw(figure, cell, known)))
    if shown:
        parts.append(_png(drawing_distances.size(shown),
                          lambda figure: drawing_distances.draw(figure, cell, shown)))
    return parts


def _report(found):
    return [part.as_html() if isinstance(part, Table) else f"<p>{html.escape(part)}</p>"
            for part in report.sections(found)]


def _svg(size, draw):
    figure = new_figure(*size)
    draw(figure)
    buffer = io.StringIO()
    save(figure, buffer, format="svg", metadata={"Date": None})
    picture = buffer.getvalue()
    return f"<figure>{picture[picture.index('<svg'):]}</figure>"


def _png(size, draw):
    """For matrices: as pixels they are smaller than as vectors."""
    figure = new_figure(*size)
    draw(figure)
    buffer = io.BytesIO()
    save(figure, buffer, format="png", dpi=100)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<figure><img alt="Pairwise distances" src="data:image/png;base64,{data}"></figure>'


def _runs(found):
    rows = [["run", "method", "seed", "iterations", "device", "machine", "commit"]]
    for groups in found.values():
        for group in groups:
            for run in group.runs:
                made = run.provenance
                rows.append([run.name, group.label, str(run.seed),
                             f"{run.iterations}" + ("" if run.complete else " (incomplete)"),
                             made.get("device", "-"), made.get("machine", "-"),
                             _short(made.get("commit", "-"))])
    return Table(rows, left=len(rows[0])).as_html()


def _short(commit):
    """The first digits, and whether there were changes on top."""
    return commit[:10] + ("-dirty" if commit.endswith("-dirty") else "")


def _configs(found):
    for cell, groups in found.items():
        for group in groups:
            settings = "\n".join(f"{key} = {value}" for key, value in flatten(group.config).items()
                                 if key != "run.seed")
            yield (f"<details><summary>{html.escape(cell_title(cell))}: "
                   f"{html.escape(group.label)} ({group.runs[0].config_hash})</summary>"
                   f"<pre>{html.escape(settings)}</pre></details>")
