"""What the kernels of few landmarks (cuda/landmarks) issue, counted in their SASS.

A block's instructions are those of its loops, as often as they run, and all others once: also those
that only some blocks or activations come to, so that the counts are rather too large.
"""

import re

import count

THREADS = 128  # of a block
LANES = 128  # of a multiprocessor
SLICE = 128  # dimensions of a block in pass 2
QUAD, LANES_OF_WARP, WARPS = 4, 32, 4
GRADIENT_BLOCKS = 2  # of a multiprocessor


def groups_of(landmarks):
    """The template argument of pass 1: groups of eight landmarks."""
    return next(groups for groups in (2, 4, 8) if landmarks <= 8 * groups)


def outside(lines, loop, end):
    """Instructions before `end` that are not in `loop`."""
    return len(count.instructions(lines[:end])) - len(count.instructions(lines[loop[0]:loop[1] + 1]))


class DistanceKernel:
    """Pass 1, or the target: a block for each block of rows."""

    def __init__(self, functions, kernel, landmarks, few_rows):
        self.groups = groups_of(landmarks)
        self.own_rows = 2 if few_rows else 8
        self.chunk = 32 if few_rows else 8 if self.groups == 2 else 16
        (lines,) = [lines for name, lines in functions.items()
                    if f"{kernel}INS0_6Fp32L1ELi{self.groups}ELi{self.own_rows}E" in name]
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
