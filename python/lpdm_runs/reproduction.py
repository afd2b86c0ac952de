"""Whether LPDM does here what the paper says of it, cell by cell of its table."""

import math
from dataclasses import dataclass

from lpdm_runs import paper
from lpdm_runs.groups import cell_title


@dataclass
class Claim:
    """A max score of L_u or L_g, the paper's, and backpropagation's in either; None: not known."""

    environment: str
    algorithm: str
    label: str
    score: float
    paper: float
    spread: float  # standard deviation over the seeds at the maximum
    backprop: float
    paper_backprop: float

    @property
    def kind(self):
        """reached, within one spread of the paper's score, or short of it."""
        below = self.paper - self.score
        if below <= 0:
            return "reached"
        return "within" if self.spread is not None and below <= self.spread else "short"

    @property
    def order_differs(self):
        """Whether LPDM is ahead of backpropagation in the paper and behind it here."""
        return self.backprop is not None and self.paper > self.paper_backprop and \
            self.score < self.backprop


def claims(rows):
    """A Claim for each Row (comparison) of L_u or L_g that has a number of the paper's and was
    trained for as long."""
    backprop = _backprop_scores(rows)
    return [Claim(row.environment, row.algorithm, row.label, row.max_score, row.paper,
                  None if row.spread is None else row.spread * abs(row.max_score),
                  backprop.get((row.environment, row.algorithm)),
                  paper.score(row.environment, row.algorithm, "backprop"))
            for row in rows if row.method in ("lpdm", "guided") and _as_in_the_paper(row)]


def _backprop_scores(rows):
    """{(environment, algorithm): max score}; of several configs none is known to be the one."""
    scores = {}
    for row in rows:
        if row.method == "backprop" and _as_in_the_paper(row):
            scores.setdefault((row.environment, row.algorithm), []).append(row.max_score)
    return {cell: of_cell[0] for cell, of_cell in scores.items() if len(of_cell) == 1}


def _as_in_the_paper(row):
    return row.paper is not None and row.iterations >= row.paper_iterations and \
        not math.isnan(row.max_score)


def sentences(found):
    """Paragraphs on how many claims hold and which do not; none without claims."""
    if not found:
        return []
    kinds = [claim.kind for claim in found]
    text = (f"Scores of LPDM with one of the paper's beside them: {len(found)}. Of these "
            f"{kinds.count('reached')} reach it\nand {kinds.count('within')} more lie within one "
            "spread of it.")
    short = [_shortfall(claim) for claim in found if claim.kind == "short"]
    behind = [_order(claim) for claim in found if claim.order_differs]
    parts = [_listed(text + (" Short of it:" if short else ""), short)]
    if behind:
        parts.append(_listed("Ahead of backpropagation in the paper and behind it here:", behind))
    return parts


def _listed(title, lines):
    return "\n".join([title] + ["  " + line for line in lines])


def _where(claim):
    return f"{cell_title((claim.environment, claim.algorithm))}: {claim.label} {claim.score:.1f}"


def _shortfall(claim):
    below = claim.paper - claim.score
    if claim.spread is None:
        by = f"{below:.1f} below, of unknown spread"
    elif claim.spread == 0.0:
        by = f"{below:.1f} below, all seeds alike"
    else:
        by = f"{below / claim.spread:.1f} spreads below"
    return f"{_where(claim)} against {claim.paper:.1f}, {by}."


def _order(claim):
    return (f"{_where(claim)} against {claim.backprop:.1f} "
            f"(paper {claim.paper:.1f} against {claim.paper_backprop:.1f}).")
