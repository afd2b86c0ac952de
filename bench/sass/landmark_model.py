#!/usr/bin/env python3
"""ESTIMATES the time of one update over few landmarks beside backpropagation's, without a GPU.

No figure it prints was measured. Each kernel takes the longer of two times: that of its instructions
at the rate that all lanes can issue them, which is counted in its SASS (count.py) and the shape of
its grid; and that of the bytes that it has to read and write. Matrix products count as many
instructions as multiply-adds, bytes each operand once. To each kernel a gap is added. Instructions
that only some blocks or activations come to are counted for all, so the landmark kernels' share is
rather too large; what latency, bank conflicts and occupancy cost is in --efficiency alone, which
applies to all instructions alike.

    bench/sass/landmark_model.py
    bench/sass/landmark_model.py --efficiency .8 --landmarks 16 32 64 --detail
"""

import argparse
import collections
import pathlib
import re
import shutil
import tempfile

import count

BYTES = 4  # of a float
THREADS = 128
LANES = 128  # of a multiprocessor
SLICE = 128  # dimensions of a block in pass 2
QUAD, LANES_OF_WARP, WARPS = 4, 32, 4
GRADIENT_BLOCKS = 2  # of a multiprocessor

# What a kernel issues on each multiprocessor lane's share, and what it moves.
Kernel = collections.namedtuple("Kernel", "name instructions bytes")


def groups_of(landmarks):
    """The template argument of pass 1: groups of eight landmarks."""
    return next(groups for groups in (2, 4, 8) if landmarks <= 8 * groups)


def outside(lines, loop, end):
    """Instructions before `end` that are not in `loop`."""
    return len(count.instructions(lines[:end])) - len(count.instructions(lines[loop[0]:loop[1] + 1]))


class DistanceKernel:
    """Pass 1, or the target: a block for each block of rows."""

    def __init__(self, functions, kernel, landmarks, own_rows=None):
        self.groups = groups_of(landmarks)
        self.own_rows = own_rows or 8
        self.chunk = 8 if self.groups == 2 else 16
        (lines,) = [lines for name, lines in functions.items()
                    if f"{kernel}INS0_6Fp32L1ELi{self.groups}E" in name
                    and (own_rows is None or f"ELi{self.groups}ELi{own_rows}E" in name)]
        loops = count.inner_loops(lines)
        whole = max(loops, key=lambda loop: loop[1] - loop[0])
        inner = [loop for loop in loops if whole[0] <= loop[0] and loop[1] <= whole[1]
                 and loop != whole]
        (rest,) = inner  # dimensions that do not fill a chunk, four at a time
        self.per_quad = len(count.instructions(lines[rest[0]:rest[1] + 1]))
        self.per_chunk = len(count.instructions(lines[whole[0]:whole[1] + 1])) - self.per_quad
        # What comes after the block has been counted is one block's business.
        done = max(at for at, line in enumerate(lines) if "ATOMG.E.ADD" in line)
        self.once = outside(lines, whole, done)

    def blocks(self, rows):
        return -(-rows // (THREADS // self.groups * self.own_rows))

    def instructions(self, rows, dim, processors):
        """Issued by one multiprocessor, in warps' instructions per scheduler."""
        quads = -(-dim // 4)
        chunks, left = divmod(quads, self.chunk // 4)
        thread = self.once + chunks * self.per_chunk + left * self.per_quad
        return -(-self.blocks(rows) // processors) * thread * THREADS / LANES


class GradientKernel:
    """Pass 2: blocks that go from tile to tile."""

    def __init__(self, functions, warp_rows):
        self.warp_rows = warp_rows
        (lines,) = [lines for name, lines in functions.items()
                    if f"MetricE0ELi{warp_rows}E" in name]
        loops = count.inner_loops(lines)

        def body(loop):
            inside = [other for other in loops if loop[0] <= other[0] and other[1] <= loop[1]
                      and other != loop]
            return [line for at, line in enumerate(lines[loop[0]:loop[1] + 1], loop[0])
                    if not any(a <= at <= b for a, b in inside)]

        def counted(pattern, line_list):
            return sum(bool(re.search(pattern, line)) for line in line_list)

        bodies = {loop: count.instructions(body(loop)) for loop in loops}
        steps = [loop for loop in loops if counted(r"FFMA\.SAT", bodies[loop])]
        most = max(counted(r"FFMA\.SAT", bodies[loop]) for loop in steps)
        step = min((loop for loop in steps if counted(r"FFMA\.SAT", bodies[loop]) == most),
                   key=lambda loop: len(bodies[loop]))
        self.per_landmark = len(bodies[step]) * warp_rows * QUAD / most
        tile = max((loop for loop in loops if loop[0] <= step[0] and step[1] <= loop[1]
                    and not counted("BRA.DIV", [lines[loop[1]]])),
                   key=lambda loop: loop[1] - loop[0])
        coefficients = [loop for loop in loops if tile[0] <= loop[0] and loop[1] < step[0]
                        and counted(r"STS\.128", bodies[loop]) and counted("FSETP.GT", bodies[loop])]
        form = min(coefficients, key=lambda loop: len(bodies[loop]))
        self.per_quad = len(bodies[form]) / counted(r"STS\.128", bodies[form])
        self.per_tile = len(bodies[tile])
        # Filling the tables: three stores a landmark.
        self.per_table = min(3 * len(bodies[loop]) / counted(r"\bSTS\b", bodies[loop])
                             for loop in loops if loop[1] < tile[0]
                             and counted(r"\bSTS\b", bodies[loop]) >= 3
                             and counted("FFMA", bodies[loop]))
        self.once = len(count.instructions(lines)) - len(
            count.instructions(lines[tile[0]:tile[1] + 1]))

    def tiles(self, rows):
        return -(-rows // (WARPS * self.warp_rows))

    def parts(self, rows, out, processors):
        slices = -(-out // SLICE)
        return max(1, min(-(-GRADIENT_BLOCKS * processors // slices), self.tiles(rows)))

    def instructions(self, rows, out, landmarks, processors):
        slices, parts = -(-out // SLICE), self.parts(rows, out, processors)
        tiles = -(-self.tiles(rows) // parts)
        padded = -(-landmarks // WARPS) * WARPS
        tile = (self.per_tile + padded * self.per_landmark
                + -(-landmarks * self.warp_rows // (QUAD * LANES_OF_WARP)) * self.per_quad)
        block = self.once + landmarks * self.per_table + tiles * tile
        return -(-parts * slices // processors) * block * THREADS / LANES


class Model:
    def __init__(self, options, draw, sums, target, gradient):
        self.options = options
        # Each thread draws for a few rows, one after another or unrolled: all of it counts for each.
        (lines,) = [lines for name, lines in draw.items() if "take_places_kernel" in name]
        self.per_draw = len(count.instructions(lines))
        self.sources = sums, target
        self.gradients = {few: GradientKernel(gradient, 4 if few else 16) for few in (False, True)}

    def gradient(self, rows, out):
        few = 2 * self.gradients[False].tiles(rows) * -(-out // SLICE) <= self.options.processors
        return self.gradients[few]

    def product(self, name, rows, inner, columns, operands):
        """rows × inner × columns multiply-adds."""
        return Kernel(name, rows * inner * columns / (LANES * self.options.processors),
                      BYTES * operands)

    def moved(self, name, floats):
        return Kernel(name, 0.0, BYTES * floats)

    def forward(self, rows):
        kernels, below = [], self.options.dim_x
        for out in [*self.options.hidden, self.options.outputs]:
            kernels.append(self.product("forward", rows, below, out, rows * (below + out)))
            kernels.append(self.moved("bias, activation", 2 * rows * out))
            below = out
        return kernels

    def weight_gradient(self, rows, below, out):
        return [self.product("weight gradient", rows, below, out, rows * (below + out)),
                self.moved("bias gradient", rows * out), self.moved("splits", 64 * below * out)]

    def shared(self, rows):
        """What both have: the forward pass, the loss, every layer's weight gradient, clip and Adam."""
        kernels, below = self.forward(rows), self.options.dim_x
        kernels.append(self.moved("policy loss", 2 * rows * self.options.outputs))
        parameters = 0
        for out in [*self.options.hidden, self.options.outputs]:
            kernels += self.weight_gradient(rows, below, out)
            parameters += (below + 1) * out
            below = out
        return kernels + [self.moved("gradient norm", parameters), self.moved("Adam", 7 * parameters)]

    def backpropagation(self, rows):
        kernels, above = self.shared(rows), self.options.outputs
        for out in reversed(self.options.hidden):
            kernels.append(self.product("input gradient", rows, above, out, rows * (above + out)))
            kernels.append(self.moved("through activation", 3 * rows * out))
            above = out
        return kernels

    def landmarks(self, rows, landmarks):
        options, processors = self.options, self.options.processors
        sums, target = self.sources
        pairs, dim_x = rows * landmarks, options.dim_x
        find = DistanceKernel(target, "largest_kernel", landmarks)
        form = DistanceKernel(target, "form_target_kernel", landmarks)
        one = DistanceKernel(sums, "kernel", landmarks, 8)
        if 3 * one.blocks(rows) <= 2 * processors:
            one = DistanceKernel(sums, "kernel", landmarks, 2)
        kernels = [self.moved("first rows", 2 * landmarks),
                   Kernel("draw", rows * self.per_draw / (LANES * processors), 0)]
        if dim_x % QUAD:
            kernels += 2 * [self.moved("rows in quads", 2 * rows * dim_x)]
        kernels.append(Kernel("largest", find.instructions(rows, dim_x, processors),
                              BYTES * rows * dim_x))
        kernels.append(Kernel("target", form.instructions(rows, dim_x, processors),
                              BYTES * (rows * dim_x + pairs)))
        for out in options.hidden:
            gradient = self.gradient(rows, out)
            parts = gradient.parts(rows, out, processors)
            slices = -(-out // SLICE)
            kernels.append(Kernel("pass 1", one.instructions(rows, out, processors),
                                  BYTES * (rows * out + 2 * pairs)))
            kernels.append(self.moved("maxima", rows // 128))
            kernels.append(Kernel(
                "pass 2", gradient.instructions(rows, out, landmarks, processors),
                BYTES * (2 * rows * out + 2 * slices * pairs + parts * landmarks * out)))
            kernels.append(self.moved("finish", (parts + 1) * landmarks * out))
        return kernels

    def seconds(self, kernel):
        issued = kernel.instructions / (self.options.clock * self.options.efficiency)
        return max(issued, kernel.bytes / self.options.bandwidth) + self.options.gap

    def total(self, kernels):
        return sum(self.seconds(kernel) for kernel in kernels)


def load(options, folder):
    def functions(source):
        return count.functions(count.disassemble(options, options.architecture, source, folder))
    return Model(options, functions("ops/landmarks.cu"), functions("landmarks/landmark_sums.cu"),
                 functions("landmarks/landmark_target.cu"),
                 functions("landmarks/landmark_gradient.cu"))


def print_detail(model, rows, landmarks):
    print(f"\nrows {rows}, landmarks:{landmarks}, microseconds")
    for title, kernels in (("BP", model.backpropagation(rows)), ("LPDM", model.shared(rows)),
                           (None, model.landmarks(rows, landmarks))):
        times = collections.Counter()
        for kernel in kernels:
            times[kernel.name] += 1e6 * model.seconds(kernel)
        if title:
            print(f"  {title}")
        for name, time in times.items():
            print(f"    {name:20} {time:9.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processors", type=int, default=132, help="multiprocessors (H200)")
    parser.add_argument("--clock", type=float, default=1.755e9, help="[Hz]")
    parser.add_argument("--bandwidth", type=float, default=4.8e12, help="[byte/s]")
    parser.add_argument("--efficiency", type=float, default=1.0, help="of issuing, products included")
    parser.add_argument("--gap", type=float, default=1e-6, help="between kernels of a graph [s]")
    parser.add_argument("--dim-x", type=int, default=17)
    parser.add_argument("--hidden", type=lambda text: [int(part) for part in text.split(",")],
                        default=[128, 256])
    parser.add_argument("--outputs", type=int, default=6, help="of the head")
    parser.add_argument("--landmarks", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--rows", type=int, nargs="+", default=[2**k for k in range(12, 21)])
    parser.add_argument("--detail", action="store_true", help="each kernel, for the most rows")
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
          f"{options.gap * 1e6:g} us between kernels; inputs {options.dim_x}, hidden "
          f"{','.join(map(str, options.hidden))}, head {options.outputs}, float32")
    print(f"{'rows':>9} {'BP [ms]':>9}" + "".join(f"  landmarks:{m} [ms] ratio"
                                                 for m in options.landmarks))
    for rows in options.rows:
        bp = model.total(model.backpropagation(rows))
        line = f"{rows:9} {1e3 * bp:9.4f}"
        for landmarks in options.landmarks:
            lpdm = model.total(model.shared(rows) + model.landmarks(rows, landmarks))
            line += f"{1e3 * lpdm:{14 + len(str(landmarks))}.4f} {lpdm / bp:6.3f}"
        print(line)
    if options.detail:
        for landmarks in options.landmarks:
            print_detail(model, options.rows[-1], landmarks)


if __name__ == "__main__":
    main()
