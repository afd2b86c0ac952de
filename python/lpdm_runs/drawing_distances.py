"""Heat maps of T and D̄_Y side by side: one row per config, one column per layer."""

from lpdm_runs.drawing_style import typeset
from lpdm_runs.groups import cell_title

COLOURS = "viridis"  # even in lightness, also for the colour-blind


def size(shown):
    """Width and height [inch] for [(label, Distances)]."""
    columns = 1 + max(len(distances.layers) for _, distances in shown)
    return 1.2 + 2.9 * columns, 0.9 + 2.9 * len(shown)


def draw(figure, cell, shown):
    columns = 1 + max(len(distances.layers) for _, distances in shown)
    panels = figure.subplots(len(shown), columns, squeeze=False)
    image = None
    for row, (label, distances) in zip(panels, shown):
        image = _draw_matrix(row[0], distances.target, distances)
        row[0].set_title("target T")
        row[0].set_ylabel(f"{typeset(label)}\nstep of the episode", fontweight="bold")
        for number, (panel, matrix) in enumerate(zip(row[1:], distances.layers), start=1):
            _draw_matrix(panel, matrix, distances)
            correlation = float(distances.facts[f"layer_{number}.correlation"])
            panel.set_title(f"$\\bar{{D}}_Y$ of layer {number}, correlation {correlation:.2f}")
        for panel in row[1 + len(distances.layers):]:
            panel.set_visible(False)
        facts = distances.facts
        row[-1].annotate(f"iteration {facts['iteration']}\nreturn {float(facts['return']):.0f}",
                         (1.03, 0.5), xycoords="axes fraction", rotation=90, va="center",
                         fontsize=8)
    for panel in panels[-1]:
        panel.set_xlabel("step of the episode")
    bar = figure.colorbar(image, ax=panels, shrink=0.8, aspect=30, pad=0.06)
    bar.set_label("distance / largest distance")
    figure.suptitle(f"Pairwise distances of one episode, {cell_title(cell)}", fontsize=10)


def _draw_matrix(panel, matrix, distances):
    length = int(distances.facts["length"])
    panel.grid(False)
    return panel.imshow(matrix, cmap=COLOURS, vmin=0.0, vmax=1.0, origin="upper",
                        extent=(0, length, length, 0), interpolation="nearest")
