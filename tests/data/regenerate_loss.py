#!/usr/bin/env python3
"""Recomputes the expected numbers of tests/data/loss in float64, with numpy alone.

An independent implementation of docs/method.md: nothing of the engine is used, the gradients are
written out by hand, and N x N (x D) arrays are formed wherever that makes a formula plain.

    regenerate_loss.py           rewrite the outputs in both files
    regenerate_loss.py --check   compare with the files instead; exit status 1 beyond the tolerance
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent / "loss"
TOLERANCE = 1e-12  # of an array's largest magnitude, see deviation()
DEFAULTS = {
    "guided": False, "pairs": "all", "landmark_rows": None, "scale": "own", "norm": "frobenius",
    "max_gradient": "through", "metric": "l1", "guide_base": "normalized", "target": "input",
    "error_rule": "one_plus",
}


def distances(rows, metric):
    """All pairwise distances, (N, N), of rows (N, D)."""
    difference = rows[:, None, :] - rows[None, :, :]
    if metric == "l1":
        return np.abs(difference).sum(axis=2)
    return np.sqrt((difference**2).sum(axis=2))


def over_maximum(matrix):
    """Divides by the largest entry; a matrix without a positive entry stays as it is."""
    largest = matrix.max()
    return matrix / largest if largest > 0 else matrix


def landmark_mask(n, rows):
    """Pairs with at least one end in `rows`, (N, N); all pairs where rows is None."""
    if rows is None:
        return np.ones((n, n), dtype=bool)
    chosen = np.zeros(n, dtype=bool)
    chosen[rows] = True
    return chosen[:, None] | chosen[None, :]


def target_matrix(base_rows, kept, values, options, factor=None):
    """T (N, N), zero outside `kept`. factor: what error propagation multiplies the distances by."""
    distance = np.where(kept, distances(base_rows, options["metric"]), 0.0)
    if factor is not None:
        distance = distance * factor
    if not options["guided"]:
        return over_maximum(distance)
    pull = over_maximum(values - values.min())
    pull = (1.0 - pull) / 2.0
    base = over_maximum(distance) if options["guide_base"] == "normalized" else distance
    return over_maximum(np.where(kept, base + pull[:, None] + pull[None, :], 0.0))


def sparse_mask(target, pairs):
    """Per row, which of its other entries enter the error, by their rank in the target."""
    n = len(target)
    if pairs == "all":
        return np.ones((n, n), dtype=bool)
    mask = np.zeros((n, n), dtype=bool)
    for i in range(n):
        ranked = sorted((j for j in range(n) if j != i), key=lambda j: (target[i, j], j))
        half, quarter = (len(ranked) + 1) // 2, (len(ranked) + 3) // 4
        kept = {
            "closest": ranked[:half],
            "furthest": ranked[len(ranked) - half:],
            "closest_furthest": ranked[:quarter] + ranked[len(ranked) - quarter:],
        }[pairs]
        mask[i, kept] = True
    return mask


def scales(dim_target, dim_out, scale):
    return {"own": (1 / dim_target, 1 / dim_out), "cross": (1 / dim_out, 1 / dim_target),
            "none": (1.0, 1.0)}[scale]


def local_loss(y, target, kept, mask, s_target, s_output, options):
    """Returns the loss, its gradient by y (N, D), that gradient's magnitude and the error (N, N).

    kept: the entries that exist at all (landmarks), over which the maximum is taken;
    mask: the entries among them whose error counts (sparse pairs).
    The magnitude is what rounding is relative to: the gradient with every term taken positive,
    times the size of y over that of its distances, in which y's own rounding is amplified.
    """
    n = len(y)
    distance = np.where(kept, distances(y, options["metric"]), 0.0)
    largest = distance.max()
    relative = over_maximum(distance)
    error = np.where(kept & mask, s_target * target - s_output * relative, 0.0)
    squares = (error**2).sum()
    loss = np.sqrt(squares) if options["norm"] == "frobenius" else squares
    gradient, magnitude = np.zeros_like(y), np.zeros_like(y)
    if largest == 0 or loss == 0:
        return loss, gradient, magnitude, error

    by_relative = -s_output * error / loss if options["norm"] == "frobenius" else (
        -2 * s_output * error)
    by_distance, size = by_relative / largest, np.abs(by_relative) / largest
    if options["max_gradient"] == "through":
        at_maximum = kept & (distance == largest)
        share = (by_relative * relative).sum() / (largest * at_maximum.sum())
        by_distance = by_distance - np.where(at_maximum, share, 0.0)
        size = size + np.where(at_maximum, np.abs(share), 0.0)

    for i in range(n):
        for j in range(n):
            if distance[i, j] == 0:
                continue
            direction = np.sign(y[i] - y[j]) if options["metric"] == "l1" else (
                (y[i] - y[j]) / distance[i, j])
            gradient[i] += by_distance[i, j] * direction
            gradient[j] -= by_distance[i, j] * direction
            magnitude[i] += size[i, j] * np.abs(direction)
            magnitude[j] += size[i, j] * np.abs(direction)
    amplification = max(1.0, np.abs(y).sum(axis=1).max() / largest)
    return loss, gradient, magnitude * amplification, error


def through_tanh(gradient_y, y, h):
    """Gradients of W (out, in) and b (out) from that of y = tanh(h W^T + b)."""
    before = gradient_y * (1.0 - y**2)
    return before.T @ h, before.sum(axis=0)


def recompute_loss_case(case):
    """The outputs of one case of local_loss.json from its inputs, and the gradients' magnitudes."""
    options = {key: case.get(key, default) for key, default in DEFAULTS.items()}
    n, dim_x, dim_in, dim_out = (case[key] for key in ("n", "dim_x", "dim_in", "dim_out"))
    x = np.array(case["x"]).reshape(n, dim_x)
    h = x if case["h"] is None else np.array(case["h"]).reshape(n, dim_in)
    w, b = np.array(case["w"]).reshape(dim_out, dim_in), np.array(case["b"])
    values = None if case["values"] is None else np.array(case["values"])

    y = np.tanh(h @ w.T + b)
    kept = landmark_mask(n, options["landmark_rows"])
    target = target_matrix(x, kept, values, options)
    s_target, s_output = scales(dim_x, dim_out, options["scale"])
    loss, gradient_y, magnitude_y, _ = local_loss(
        y, target, kept, sparse_mask(target, options["pairs"]), s_target, s_output, options)
    gradient_w, gradient_b = through_tanh(gradient_y, y, h)
    magnitude_w, magnitude_b = through_tanh(magnitude_y, y, np.abs(h))
    outputs = {"target_max_entry": target.max(), "loss": loss, "grad_y": gradient_y.ravel(),
               "grad_w": gradient_w.ravel(), "grad_b": gradient_b}
    return outputs, {"/grad_y": magnitude_y, "/grad_w": magnitude_w, "/grad_b": magnitude_b}


class Adam:
    """Adam with a gradient-norm clip over all its parameters, which it changes in place."""

    def __init__(self, parameters, rate, clip):
        self.parameters, self.rate, self.clip, self.steps = parameters, rate, clip, 0
        self.first = [np.zeros_like(p) for p in parameters]
        self.second = [np.zeros_like(p) for p in parameters]

    def step(self, gradients):
        self.steps += 1
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        factor = min(1.0, self.clip / (norm + 1e-6))
        for p, m, v, g in zip(self.parameters, self.first, self.second, gradients):
            g = g * factor
            m[:] = 0.9 * m + 0.1 * g
            v[:] = 0.999 * v + 0.001 * g**2
            m_hat, v_hat = m / (1 - 0.9**self.steps), v / (1 - 0.999**self.steps)
            p -= self.rate * m_hat / (np.sqrt(v_hat) + 1e-8)


def normalized_returns(rewards, discount):
    returns, running = np.zeros(len(rewards)), 0.0
    for t in range(len(rewards) - 1, -1, -1):
        running = rewards[t] + discount * running
        returns[t] = running
    return (returns - returns.mean()) / (returns.std() + 1e-8)


def policy_loss(output, actions, returns, std):
    """-mean(log pi * returns) and its gradient by the head output (N, A). std None: discrete."""
    n = len(output)
    if std is None:
        shifted = output - output.max(axis=1, keepdims=True)
        log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        taken = np.eye(output.shape[1])[actions.astype(int)]
        log_pi = (log_probability * taken).sum(axis=1)
        by_output = taken - np.exp(log_probability)
    else:
        z = (actions.reshape(output.shape) - output) / std
        log_pi = (-0.5 * z**2 - np.log(std) - 0.5 * np.log(2 * np.pi)).sum(axis=1)
        by_output = z / std
    return -(log_pi * returns).mean(), -by_output * returns[:, None] / n


def hidden_gradients(activations, values, options):
    """Local losses and [W, b] gradients of all hidden layers. activations: x, y_1, y_2, ..."""
    n = len(activations[0])
    kept = landmark_mask(n, options["landmark_rows"])
    x_target = target_matrix(activations[0], kept, values, options)
    mask = sparse_mask(x_target, options["pairs"])
    losses, gradients, error = [], [], None
    for layer in range(1, len(activations)):
        target, dim_target = x_target, activations[0].shape[1]
        if options["target"] == "error_propagation" and layer > 1:
            magnitude = over_maximum(np.abs(error))
            factor = 1.0 + magnitude if options["error_rule"] == "one_plus" else magnitude
            base_rows = activations[layer - 2]
            target, dim_target = target_matrix(base_rows, kept, values, options, factor), (
                base_rows.shape[1])
        y, h = activations[layer], activations[layer - 1]
        s_target, s_output = scales(dim_target, y.shape[1], options["scale"])
        loss, gradient_y, _, error = local_loss(y, target, kept, mask, s_target, s_output, options)
        losses.append(loss)
        gradients.append(list(through_tanh(gradient_y, y, h)))
    return losses, gradients


def backprop_gradients(gradient, layers, activations):
    """[W, b] gradients of all hidden layers. gradient: of the last hidden activation."""
    gradients = []
    for layer in range(len(layers) - 2, -1, -1):
        before = gradient * (1.0 - activations[layer + 1]**2)
        gradients.insert(0, [before.T @ activations[layer], before.sum(axis=0)])
        gradient = before @ layers[layer][0]
    return gradients


def recompute_update_case(case):
    """Returns, losses and final parameters of one case of updates.json."""
    options = DEFAULTS | case["options"]
    widths = [case["dim_x"], *case["hidden"], case["actions_dim"]]
    layers = [[np.array(w).reshape(widths[i + 1], widths[i]), np.array(b)]
              for i, (w, b) in enumerate(case["initial"])]
    rate, clip, method = case["learning_rate"], case["grad_clip"], case["method"]
    if method == "backprop":
        optimizers = [Adam([p for layer in layers for p in layer], rate, clip)]
    else:
        trained = layers if method == "lpdm" else layers[-1:]
        optimizers = [Adam(layer, rate, clip) for layer in trained]

    batches = []
    for batch in case["batches"]:
        x = np.array(batch["x"]).reshape(case["n"], case["dim_x"])
        returns = normalized_returns(np.array(batch["rewards"]), case["discount"])
        activations = [x]
        for w, b in layers[:-1]:
            activations.append(np.tanh(activations[-1] @ w.T + b))
        features = activations[-1]
        output = features @ layers[-1][0].T + layers[-1][1]
        loss, by_output = policy_loss(output, np.array(batch["actions"]), returns, case["std"])
        head = [by_output.T @ features, by_output.sum(axis=0)]
        losses, gradients = [], [head]
        if method == "lpdm":
            losses, hidden = hidden_gradients(activations, returns, options)
            gradients = hidden + [head]
        elif method == "backprop":
            hidden = backprop_gradients(by_output @ layers[-1][0], layers, activations)
            gradients = [[g for pair in hidden + [head] for g in pair]]
        for optimizer, group in zip(optimizers, gradients, strict=True):
            optimizer.step(group)
        batches.append({"returns": returns, "losses": np.array(losses + [loss])})
    return {"batches": batches, "final": [[w.ravel(), b] for w, b in layers]}, {}


def arrays(outputs, prefix=""):
    """Every number or array in nested outputs with its path."""
    if isinstance(outputs, dict):
        items = outputs.items()
    elif isinstance(outputs, list) and outputs and isinstance(outputs[0], (dict, list, np.ndarray)):
        items = enumerate(outputs)
    else:
        yield prefix, np.asarray(outputs, dtype=float)
        return
    for key, value in items:
        yield from arrays(value, f"{prefix}/{key}")


def deviation(computed, stored, magnitude):
    """Largest difference over the array's scale (absolute if that is 0).

    The scale is the largest stored magnitude, or that of the terms where they are known: a
    gradient whose terms cancel is only as exact as they are.
    """
    if computed.shape != stored.shape or not np.isfinite(computed).all():
        return np.inf
    if computed.size == 0:
        return 0.0
    return np.abs(computed - stored).max() / (np.abs(magnitude).max() or 1.0)


def check_case(case, outputs, magnitudes):
    """The worst deviation in a case and where it is."""
    worst = (0.0, "")
    for path, computed in arrays(outputs):
        stored = case
        for key in path.strip("/").split("/"):
            stored = stored[int(key)] if isinstance(stored, list) else stored[key]
        stored = np.asarray(stored, dtype=float)
        worst = max(worst, (deviation(computed, stored, magnitudes.get(path, stored)), path))
    return worst


def write_outputs(case, outputs):
    """Replaces a case's stored outputs, leaving the inputs and the order of keys as they are."""
    for key, value in outputs.items():
        if key == "batches":
            for batch, recomputed in zip(case["batches"], value, strict=True):
                write_outputs(batch, recomputed)
        elif key == "final":
            case[key] = [[w.tolist(), b.tolist()] for w, b in value]
        else:
            case[key] = value.tolist() if isinstance(value, np.ndarray) else float(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the two files are")
    arguments = parser.parse_args()

    failed = False
    for name, recompute in (("local_loss.json", recompute_loss_case),
                            ("updates.json", recompute_update_case)):
        path = arguments.folder / name
        document = json.loads(path.read_text())
        worst = (0.0, "", "")
        for case in document["cases"]:
            outputs, magnitudes = recompute(case)
            worst = max(worst, (*check_case(case, outputs, magnitudes), case["name"]))
            if not arguments.check:
                write_outputs(case, outputs)
        if not arguments.check:
            path.write_text(json.dumps(document))
        failed |= arguments.check and worst[0] > TOLERANCE
        where = f" in {worst[2]} at {worst[1]}" if worst[0] > 0 else ""
        print(f"{name}: {len(document['cases'])} cases, worst relative deviation "
              f"{worst[0]:.2g}{where}")
    if failed:
        sys.exit(f"regenerate_loss.py: a case deviates by more than {TOLERANCE:g}.")


if __name__ == "__main__":
    main()
