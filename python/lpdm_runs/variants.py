"""Variants of a method side by side: a line for each, a column for each environment."""

from lpdm_runs import comparison
from lpdm_runs.comparison import interval_text
from lpdm_runs.groups import ALGORITHMS, METHODS
from lpdm_runs.tables import Table

MEANING = ("Max score with its interval, and the best iteration's number behind @. better, worse: "
           "than the method without the settings in\nbrackets, where that is there and the 95 % "
           "interval of the difference leaves out 0.")


def table(cells):
    """Variants have the same name in all environments (groups.py), and one line then."""
    lines, environments = {}, []
    for (environment, algorithm), groups in cells.items():
        if environment not in environments:
            environments.append(environment)
        for group in groups:
            lines.setdefault((algorithm, group.label), {})[environment] = (
                len(group.runs), _score(group, groups))
    rows = [["algorithm", "method", "seeds", *environments]]
    for (algorithm, label), found in lines.items():
        seeds = ", ".join(sorted({str(count) for count, _ in found.values()}, key=int))
        rows.append([ALGORITHMS.get(algorithm, algorithm), label, seeds,
                     *(found[name][1] if name in found else "-" for name in environments)])
    return Table(rows, left=2)


def _score(group, groups):
    row = comparison.row(group)
    text = f"{row.max_score:.1f} {interval_text(row.interval)} @{row.at_iteration}"
    plain = next((other for other in groups if other.label == METHODS.get(group.method)), None)
    if plain is None or plain is group:
        return text
    kind = comparison.compare(group, plain).kind
    return f"{text} {kind}" if kind in ("better", "worse") else text
