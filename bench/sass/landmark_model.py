#!/usr/bin/env python3
"""ESTIMATES the time of one update over few landmarks beside backpropagation's, without a GPU.

No figure it prints was measured. The kernels of an update and what each of them waits for are those
of the graph that src/rl/reinforce_update.cc records, unguided and without a baseline; how long they
take, alone and side by side, is told in kernel_graph.py. A kernel's instructions are counted in its
SASS (landmark_kernels.py). Matrix products count as many as multiply-adds and fill the GPU, bytes
count once for each operand; a loop over reads counts one for as many as it is unrolled by. What bank
conflicts and occupancy cost is in --efficiency alone, which applies to all instructions alike.

    bench/sass/landmark_model.py
    bench/sass/landmark_model.py --efficiency .8 --landmarks 16 32 64
    bench/sass/landmark_model.py --rows 4096 --detail      # when each kernel runs
"""

import argparse
import functools
import pathlib
import shutil
import tempfile

import count
from kernel_graph import Kernel, KernelGraph
from landmark_kernels import LANES, QUAD, SLICE, DistanceKernel, GradientKernel

BYTES = 4  # of a float
UNROLLED = 8  # loops over parts of a sum
DRAWN, DRAW_WARPS = 1024, 8  # rows of a block of the draw, its warps


class Update:
    """The kernels of one update of `rows` rows, in the order of the ops that enqueue them."""

    def __init__(self, model, rows):
        self.model, self.options, self.rows = model, model.options, rows
        self.graph = KernelGraph(self.options.bandwidth, self.options.gap, self.options.latency)
        self.layers = list(zip([self.options.dim_x, *self.options.hidden], self.options.hidden))
        self.head = (self.options.hidden[-1], self.options.outputs)

    def seconds(self, instructions):
        """Of one lane of each busy multiprocessor."""
        return instructions / (self.options.clock * self.options.efficiency)

    def kernel(self, name, instructions, floats, blocks, reads):
        """instructions: of the busiest multiprocessor's lanes."""
        processors = self.options.processors
        width = blocks / (-(-blocks // processors) * processors)
        return Kernel(name, self.seconds(instructions), width, BYTES * floats, reads)

    def product(self, name, inner, columns):
        """rows × inner × columns multiply-adds."""
        spread = self.rows * inner * columns / (LANES * self.options.processors)
        return Kernel(name, self.seconds(spread), 1.0, BYTES * self.rows * (inner + columns), 3)

    @staticmethod
    def moved(name, floats, reads=1):
        return Kernel(name, 0.0, 1.0, BYTES * floats, reads)

    def forward(self, layer, after):
        inner, out = layer
        return self.graph.chain([self.product("forward", inner, out),
                                 self.moved("bias, activation", 2 * self.rows * out)], after)

    def features(self):
        done = []
        for layer in self.layers:
            done = self.forward(layer, done)
        return done

    def returns(self):
        scan = [self.moved("returns", 2 * self.rows, 2)] * 2
        return self.graph.chain(scan + [self.moved("returns, normalised", 2 * self.rows, 2)] * 3)

    def weight_gradient(self, layer, after):
        inner, out = layer
        splits = min(64, -(-self.rows // 256))
        rows_of_lane = -(-self.rows // splits) // 8
        sums = self.graph.add(self.moved("bias gradient", self.rows * out,
                                         -(-rows_of_lane // UNROLLED)), after)
        product = self.graph.add(self.product("weight gradient", inner, out), after)
        return self.graph.add(self.moved("splits", splits * inner * out, -(-splits // UNROLLED)),
                              sums + product)

    def step(self, layers, after):
        parameters = sum((inner + 1) * out for inner, out in layers)
        return self.graph.chain([self.moved("gradient norm", parameters),
                                 self.moved("Adam", 7 * parameters, 2)], after)

    def policy_loss(self, after):
        return self.graph.chain([self.moved("policy loss", 2 * self.rows * self.head[1]),
                                 self.moved("its sum", 0)], after)

    def backpropagation(self):
        outputs = self.forward(self.head, self.features())
        loss = self.policy_loss(outputs + self.returns())
        done = self.weight_gradient(self.head, loss)
        delta, above = loss, self.head[1]
        for _, out in reversed(self.layers):
            delta = self.graph.chain([self.product("input gradient", above, out),
                                      self.moved("through activation", 3 * self.rows * out)], delta)
            above = out
        for layer in self.layers:
            done = done + self.weight_gradient(layer, delta)
        return self.step([*self.layers, self.head], done)

    def distances(self, kernel, landmarks):
        """Of all rows to the landmarks: "target" or "pass 1"."""
        large = self.model.distances(kernel, landmarks, False)
        few = 3 * large.blocks(self.rows) <= 2 * self.options.processors
        return self.model.distances(kernel, landmarks, True) if few else large

    def target(self, landmarks):
        """Draws the landmarks and forms the distances of the inputs."""
        model, rows, dim = self.model, self.rows, self.options.dim_x
        form = self.distances("target", landmarks)
        blocks = -(-rows // DRAWN)
        waves = -(-blocks // self.options.processors)
        kernels = [self.moved("first rows", 2 * landmarks),
                   self.kernel("draw", waves * model.per_draw * DRAW_WARPS, 0, blocks, 2)]
        if dim % QUAD:
            kernels.append(self.moved("rows in quads", 2 * rows * dim))
        return self.graph.chain(kernels + [
            self.moved("memset", 0),
            self.kernel("target", form.instructions(rows, dim, self.options.processors),
                        rows * (dim + landmarks), form.blocks(rows), 4)])

    def layer_loss(self, out, landmarks, after):
        rows, processors = self.rows, self.options.processors
        pairs, slices = rows * landmarks, -(-out // SLICE)
        sums = self.distances("pass 1", landmarks)
        gradient = self.model.gradient(rows, out)
        parts = gradient.parts(rows, out, processors)
        tiles = -(-gradient.tiles(rows) // parts)
        return self.graph.chain([
            self.moved("memset", 0),
            self.kernel("pass 1", sums.instructions(rows, out, processors),
                        rows * out + 2 * pairs, sums.blocks(rows), 5),
            self.moved("maxima", rows // 128, 3),
            self.kernel("pass 2", gradient.instructions(rows, out, landmarks, processors),
                        2 * rows * out + 2 * slices * pairs + parts * landmarks * out,
                        parts * slices, 1 + -(-landmarks // 16) + tiles),
            self.moved("finish", (parts + 1) * landmarks * out, 2 + -(-parts // (8 * UNROLLED)))],
            after)

    def distance_matching(self, landmarks):
        known = self.features() + self.returns() + self.target(landmarks)
        head = self.weight_gradient(self.head, self.policy_loss(self.forward(self.head, known)))
        self.step([self.head], head)
        losses = [self.layer_loss(out, landmarks, known) for _, out in self.layers]
        gradients = [self.weight_gradient(layer, sum(losses, [])) for layer in self.layers]
        for layer in self.layers:
            self.step([layer], sum(gradients, []))


class Model:
    def __init__(self, options, draw, sums, target, gradient):
        self.options = options
        self.sources = {"pass 1": (sums, "sum_landmark_pairs_kernel"),
                        "target": (target, "form_distances_kernel")}
        # Each thread draws for four rows, all of which are in there.
        (lines,) = [lines for name, lines in draw.items() if "take_places_kernel" in name]
        self.per_draw = len(count.instructions(lines)) * 32 / LANES  # lanes' time of a warp
        self.gradients = {few: GradientKernel(gradient, 4 if few else 16) for few in (False, True)}

    @functools.cache
    def distances(self, kernel, landmarks, few_rows):
        return DistanceKernel(*self.sources[kernel], landmarks, few_rows)

    def gradient(self, rows, out):
        few = 2 * self.gradients[False].tiles(rows) * -(-out // SLICE) <= self.options.processors
        return self.gradients[few]

    def backpropagation(self, rows):
        update = Update(self, rows)
        update.backpropagation()
        return update.graph

    def distance_matching(self, rows, landmarks):
        update = Update(self, rows)
        update.distance_matching(landmarks)
        return update.graph


def load(options, folder):
    def functions(source):
        return count.functions(count.disassemble(options, options.architecture, source, folder))
    return Model(options, functions("ops/landmarks.cu"), functions("landmarks/landmark_sums.cu"),
                 functions("landmarks/landmark_target.cu"),
                 functions("landmarks/landmark_gradient.cu"))


def print_timeline(title, graph):
    print(f"\n{title}: from, to [microseconds]")
    for (start, end), kernel in sorted(zip(graph.timeline(), graph.kernels)):
        print(f"  {1e6 * start:9.1f} {1e6 * end:9.1f}  {kernel.name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processors", type=int, default=132, help="multiprocessors (H200)")
    parser.add_argument("--clock", type=float, default=1.755e9, help="[Hz]")
    parser.add_argument("--bandwidth", type=float, default=4.8e12, help="[byte/s]")
    parser.add_argument("--efficiency", type=float, default=1.0, help="of issuing, products included")
    parser.add_argument("--gap", type=float, default=1e-6, help="between kernels of a graph [s]")
    parser.add_argument("--latency", type=float, default=.4e-6, help="of a read [s]")
    parser.add_argument("--dim-x", type=int, default=17)
    parser.add_argument("--hidden", type=lambda text: [int(part) for part in text.split(",")],
                        default=[128, 256])
    parser.add_argument("--outputs", type=int, default=6, help="of the head")
    parser.add_argument("--landmarks", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--rows", type=int, nargs="+", default=[2**k for k in range(10, 21)])
    parser.add_argument("--detail", action="store_true",
                        help="when each kernel runs, for the last rows")
    parser.add_argument("--architecture", default="90")
    parser.add_argument("--build", type=pathlib.Path, help="as of count.py")
    parser.add_argument("--nvcc", default=shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc")
    parser.add_argument("--nvdisasm", default=count.find_tool("nvdisasm"))
    parser.add_argument("--cuobjdump", default=count.find_tool("cuobjdump"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = load(options, pathlib.Path(folder))
    print("ESTIMATE from counted instructions and stated peaks; nothing here was measured on a GPU")
    print(f"{options.processors} multiprocessors at {options.clock / 1e9:g} GHz, "
          f"{options.bandwidth / 1e12:g} TB/s, efficiency {options.efficiency:g}, "
          f"{options.gap * 1e6:g} us between kernels, {options.latency * 1e6:g} us a read; "
          f"inputs {options.dim_x}, hidden {','.join(map(str, options.hidden))}, "
          f"head {options.outputs}, float32")
    print("ratio: to backpropagation; in brackets as if no two kernels ran at once")
    print(f"{'rows':>9} {'BP [ms]':>9}" + "".join(f"  {f'landmarks:{m} [ms] ratio':>30}"
                                                 for m in options.landmarks))
    for rows in options.rows:
        bp = model.backpropagation(rows)
        bp_seconds = bp.total()
        line = f"{rows:9} {1e3 * bp_seconds:9.4f}"
        for landmarks in options.landmarks:
            lpdm = model.distance_matching(rows, landmarks)
            seconds = lpdm.total()
            line += (f"{1e3 * seconds:18.4f} {seconds / bp_seconds:5.2f} "
                     f"({lpdm.total_in_a_row() / bp.total_in_a_row():.2f})")
        print(line)
    if options.detail:
        rows = options.rows[-1]
        print_timeline(f"backpropagation, {rows} rows", model.backpropagation(rows))
        for landmarks in options.landmarks:
            print_timeline(f"landmarks:{landmarks}, {rows} rows",
                           model.distance_matching(rows, landmarks))


if __name__ == "__main__":
    main()
