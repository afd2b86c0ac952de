"""What all pictures have in common: colours, fonts, axes."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

# Okabe and Ito's colours, which most colour-blind readers can tell apart.
METHOD_COLOURS = {"backprop": "#009E73", "lpdm": "#0072B2", "guided": "#D55E00",
                  "frozen": "#777777"}
FURTHER_COLOURS = ("#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
LINES = ("-", "--", "-.", ":")

SETTINGS = {
    "font.size": 9, "axes.titlesize": 10, "axes.labelsize": 9, "legend.fontsize": 8.5,
    "xtick.labelsize": 8, "ytick.labelsize": 8, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25, "grid.linewidth": 0.6,
    "axes.axisbelow": True, "legend.frameon": False, "figure.facecolor": "white",
    "svg.fonttype": "none", "svg.hashsalt": "lpdm",
}


def style(methods):
    """[(colour, line)] of lines by their methods, which keep their colours in all pictures."""
    styles, used, further = [], set(), 0
    for method in methods:
        colour = METHOD_COLOURS.get(method)
        if colour is None or colour in used:
            colour = FURTHER_COLOURS[further % len(FURTHER_COLOURS)]
            further += 1
        used.add(colour)
        styles.append((colour, LINES[len(styles) // 8 % len(LINES)]))
    return styles


def new_figure(width, height):
    """An empty figure; sizes in inches."""
    plt.rcParams.update(SETTINGS)
    return plt.figure(figsize=(width, height), layout="constrained")


def save(figure, path, dpi=150, **options):
    figure.savefig(path, dpi=dpi, **options)
    plt.close(figure)


def typeset(label):
    """A label with the losses as the paper writes them."""
    return label.replace("L_u", "$L_u$").replace("L_g", "$L_g$")


def thinned(points, most=600):
    """At most so many of the rows of an array, evenly spread: more would only fill the file."""
    return points[::max(1, -(-len(points) // most))]
