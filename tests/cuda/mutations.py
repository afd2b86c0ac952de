#!/usr/bin/env python3
"""Plants mistakes in copies of the kernels and shows that the tests notice every one of them.

Each mutation replaces a piece of a source file, builds that file anew, links it with the rest of
the kernels as the build has them, and runs the tests that it names. One that survives is a hole
in the tests, and one whose text is no longer there has to be brought up to date: both fail.

    tests/cuda/mutations.py --build build/release [--all] [--only NAME]
"""

import argparse
import collections
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# quick: among those that every run of the tests plants.
Mutation = collections.namedtuple("Mutation", "name file old new tests quick")
AWKWARD = "LocalLoss.MatchesTheReferenceOnAwkwardShapes"
OPTIONS = "LocalLoss.MatchesTheReferenceWithEveryOption"
TIES = "LocalLoss.SharesTheMaximumAmongManyTies:LocalLoss.TellsSaturated*"
LANDMARKS = "FewLandmarks.MatchTheReferenceOnAwkwardShapes"
ORDER = "FewLandmarks.GiveTheSameBitsInWhateverOrderThreadsRun"
SPARSE = "LocalLossVariants.RankTiesByColumn"
MUTATIONS = [
    Mutation("a wrong column index", "pairs/pair_gradient.cu",
             "s * kStageColumns + k, place", "s * kStageColumns + (k ^ 1), place", AWKWARD, True),
    Mutation("a missing barrier after the coefficients", "pairs/pair_gradient.cu",
             "    __syncthreads();\n    coefficient_sum += half_row_sum(shared);",
             "    coefficient_sum += half_row_sum(shared);", AWKWARD, True),
    Mutation("a dropped max term", "pairs/listed_maxima.cuh",
             "k < state.listed_count", "k < 0", AWKWARD, True),
    Mutation("the maximum's share among many ties dropped", "pairs/pair_gradient.cu",
             "coefficient += of_maximum", "coefficient += 0.0F * of_maximum", TIES, False),
    Mutation("a direction where values are equal", "pairs/pair_gradient.cu",
             "kEqual = 0.5F", "kEqual = 1.0F",
             "LocalLoss.TreatsTiesAndDuplicatesAsZeroDirection", False),
    Mutation("pairs beyond the last row", "pairs/target_tile.cuh",
             "columns_within(bounds, place, 0, bounds.columns)",
             "columns_within(bounds, place, 0, bounds.columns + 1)", AWKWARD, False),
    Mutation("the diagonal counted twice", "pairs/tile_walk.cuh",
             "masks.kept_by_row & masks.kept_by_column & above}",
             "(masks.kept_by_row & masks.kept_by_column & above) | diagonal}", OPTIONS, False),
    Mutation("mirror images forgotten", "pairs/pair_sums.cu",
             "return sums.times(2.0,", "return sums.times(1.0,",
             "LocalLoss.GradientIsOrthogonalToTheOutputs", True),
    Mutation("the last word forgotten", "pairs/pair_tile.cuh",
             "rows.depth - s * kStageWords", "rows.depth - 1 - s * kStageWords", AWKWARD, False),
    Mutation("a missing barrier between stages", "pairs/pair_tile.cuh",
             "if (more) tile::store_stage(next, (s + 1) % 2, stages);\n      __syncthreads();",
             "if (more) tile::store_stage(next, (s + 1) % 2, stages);", AWKWARD, False),
    Mutation("one buffer where two are needed", "pairs/pair_tile.cuh",
             "tile::store_stage(next, (s + 1) % 2, stages)", "tile::store_stage(next, s % 2, stages)",
             AWKWARD, False),
    Mutation("guidance of the other row forgotten", "pairs/target_tile.cuh",
             "__fadd_rn(row_shift, column_shift)",
             "__fadd_rn(row_shift, 0.0F * column_shift)", OPTIONS, False),
    Mutation("a rank limit that excludes itself", "pairs/target_tile.cuh",
             "column <= closest_column", "column < closest_column", SPARSE, False),
    Mutation("pairs of a row with itself kept", "pairs/target_tile.cuh",
             "masks.pair & ~diagonal_mask(domain, bounds)", "masks.pair", SPARSE, False),
    Mutation("the last block adds up what is not complete", "pairs/pair_sums.cu",
             "if (!is_last_block(&state->sum_blocks_done, blocks)) return;",
             "if (!is_last_block(&state->sum_blocks_done, (blocks + 1) / 2)) return;",
             "LocalLoss.GradientIsOrthogonalToTheOutputs:" + AWKWARD, False),
    Mutation("a value just below a landmark's taken for its equal", "pairs/landmark_order.cu",
             "(equal ? 1 : 0)", "(equal ? 0 : 0)",
             "LocalLoss.MatchesTheReferenceOnLandmarks", False),
    Mutation("kept distances of the mirror image missing", "pairs/stored_pairs.cuh",
             "if (is_inside(bounds, place, q, k)) {", "if (is_inside(bounds, place, k, q) && k < 4) {",
             "Arithmetics.GiveTheSameBits*:LocalLoss.MatchesTheReferenceOnLandmarks", False),
    Mutation("static shared memory forgotten", "common/launch.h",
             "attributes.sharedSizeBytes + bytes <=", "bytes <=", LANDMARKS, False),
    Mutation("a landmark taken for its neighbour in pass 1", "landmarks/landmark_distances.cuh",
             "return group * kOwn + c;", "return group * kOwn + (c ^ 1);", LANDMARKS, False),
    Mutation("a missing barrier between stages of pass 1", "landmarks/landmark_distances.cuh",
             "if (more) source.store(next, buffer ^ 1, stages);\n    __syncthreads();",
             "if (more) source.store(next, buffer ^ 1, stages);", LANDMARKS, False),
    Mutation("the last dimensions of landmarks' distances forgotten",
             "landmarks/landmark_distances.cuh",
             "k < quads - done; ++k", "k < quads - done - 1; ++k", LANDMARKS, False),
    Mutation("landmarks' rows counted twice", "landmarks/landmark_distances.cuh",
             "counts_[row] = 1.0F", "counts_[row] = 2.0F", LANDMARKS, False),
    Mutation("guidance forgotten in a landmark target's maximum", "landmarks/landmark_target.cu",
             "fmaxf(largest, target_entry(pairs, inputs, scales, m, row))",
             "fmaxf(largest, normalized(inputs[m * pairs.stride + row], scales, 0.0F, 0.0F))",
             LANDMARKS, False),
    Mutation("guidance of a landmark forgotten in the raw target's maximum",
             "landmarks/landmark_target.cu",
             "normalized(distances[r][c], scales, shifts[r], other)",
             "normalized(distances[r][c], scales, shifts[r], 0.0F * other)",
             "FewLandmarks.MatchTheReferenceInLargeBlocksWithEveryOption", False),
    Mutation("a landmark target that is not normalised in pass 1", "landmarks/landmark_sums.cu",
             "const TargetScales scales = *target.scales;",
             "const TargetScales scales = undivided(*target.scales);", LANDMARKS, False),
    Mutation("a landmark target that is not normalised in pass 2", "landmarks/landmark_gradient.cu",
             "rule(*state, *target.scales, kMetric)",
             "rule(*state, undivided(*target.scales), kMetric)", LANDMARKS, False),
    Mutation("guidance of a landmark forgotten in pass 2", "landmarks/landmark_gradient.cu",
             "shifts, memory.shifts[m]", "shifts, 0.0F * memory.shifts[m]", LANDMARKS, False),
    Mutation("guidance of rows forgotten in pass 1", "landmarks/landmark_sums.cu",
             "scales, shifts[r], other)", "scales, 0.0F * shifts[r], other)", LANDMARKS, False),
    Mutation("landmark sums complete before the last block", "landmarks/landmark_sums.cu",
             "!is_last_block(&state->sum_blocks_done, blocks)",
             "!is_last_block(&state->sum_blocks_done, (blocks + 1) / 2)",
             "FewLandmarks.MatchTheReferenceOverManyBlocks", False),
    Mutation("a pair of landmarks listed twice", "landmarks/landmark_maxima.cu",
             "&& landmark > row) return;", "&& landmark > row + 1000000) return;",
             "Landmarks.ShareTheMaximum", False),
    Mutation("coefficients of another row", "landmarks/landmark_gradient.cu",
             "const float c = coefficients[k];", "const float c = coefficients[k ^ 1];", LANDMARKS,
             True),
    Mutation("warps that add to one landmark at once", "landmarks/landmark_gradient.cu",
             "(phase + warp) % kWarps * quarter", "(phase + 0 * warp) % kWarps * quarter",
             ORDER, False),
    Mutation("a missing barrier between the phases of pass 2", "landmarks/landmark_gradient.cu",
             "add_landmark<Direction>(memory, m, lane, values, gradient);\n    }\n    __syncthreads();",
             "add_landmark<Direction>(memory, m, lane, values, gradient);\n    }", ORDER, True),
    Mutation("the plain step where it is not exact", "landmarks/landmark_tables.cuh",
             "exact = exact || needs_exact_step(values[k]);",
             "exact = exact && needs_exact_step(values[k]);",
             "FewLandmarks.TellNeighbouringFloatsApart", False),
    Mutation("a power of two's finer side forgotten", "landmarks/landmark_steps.cuh",
             "(bits & kMantissa) == 0 ? 1 : 0", "(bits & kMantissa) == 0 ? 0 : 0",
             "FewLandmarks.TellNeighbouringFloatsApart", False),
    Mutation("a coefficient over no distance", "landmarks/landmark_coefficients.cuh",
             "d.x > 0.0F ? c.x : 0.0F", "d.x >= 0.0F ? c.x : 0.0F",
             "FewLandmarks.MatchTheReferenceInLargeBlocksWithEveryOption", False),
    Mutation("the share of many ties dropped at landmarks", "landmarks/landmark_coefficients.cuh",
             "d == maximum ? of_maximum : 0.0F", "d == maximum ? 0.0F * of_maximum : 0.0F",
             "Landmarks.ShareTheMaximum", False),
    Mutation("a dropped max term of rows that are no landmarks", "landmarks/finish_landmarks.cu",
             "k < state->listed_count; k += kListBlocks", "k < 0; k += kListBlocks", LANDMARKS, True),
    Mutation("a group's parts of the landmarks' ends forgotten", "landmarks/finish_landmarks.cu",
             "group < kGroups; ++group", "group < kGroups - 1; ++group", "LargeDevice.*", False),
    Mutation("all but a group's first part of the landmarks' ends forgotten",
             "landmarks/finish_landmarks.cu", "part += kGroups", "part += 1000000", "LargeDevice.*",
             False),
    Mutation("rows beyond the last one that pass 2 reads", "landmarks/landmark_gradient.cu",
             "if (is_there) c = rule", "if (is_there || count > 0) c = rule",
             "FewLandmarks.AreThoseOfTheLatestUpdateAfterALongerOne", False),
    Mutation("a part of the landmarks' ends forgotten", "landmarks/finish_landmarks.cu",
             "part < ends.parts;", "part < ends.parts - 1;",
             "FewLandmarks.MatchTheReferenceOverManyBlocks", False),
    Mutation("rows copied with the wrong pitch", "landmarks/row_quads.cu",
             "from.data[k / dim * from.pitch + k % dim]", "from.data[k / dim * dim + k % dim]",
             LANDMARKS, False),
    Mutation("a packed copy that the next forward pass does not renew", "ops/dense.cu",
             "if (!op.compared) {", "if (!op.compared || find_packed_output(context, "
             "op.output, op.out, op.rows.capacity, output_arithmetic(context.arithmetic, op.activation))"
             ") {", "PackedOutputs.*", False),
    Mutation("an episode that goes on into the next one", "ops/generalized_advantage.cu",
             "decay = 0.0;", "decay = op.discount;", "*OpParity.GeneralizedAdvantage*", False),
    Mutation("a chunk of rows that starts from nothing", "ops/returns.cu",
             "const double before = carry(chunks)", "const double before = 0.0 * carry(chunks)",
             "*OpParity.ReturnsAndAdvantages*", False),
    Mutation("a landmark's place drawn from too few", "ops/landmarks.cu",
             "(number), row + 1)", "(number), row)", "*OpParity.LandmarkDraws*", False),
    Mutation("landmarks that all think they are the first", "pairs/pair_sides.cu",
             "static_cast<std::int32_t>(k)", "static_cast<std::int32_t>(0 * k)",
             "LocalLoss.MatchesTheReferenceOnLandmarks", False),
    Mutation("landmark pairs counted twice", "pairs/tile_walk.cuh",
             "{masks.kept_by_row & landmarks, masks.kept_by_row & ~landmarks}",
             "{0U * landmarks, masks.kept_by_row}",
             "LocalLoss.MatchesTheReferenceOnLandmarks", False),
]


def run(command, **options):
    return subprocess.run(command, text=True, capture_output=True, check=False, **options)


def compile_command(build, source):
    """How the build compiles a kernel of the shim's library."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        command = entry["command"]
        if entry["file"] == str(source) and "lpdm_cuda_shim" in command:
            return shlex.split(command), entry["directory"]
    sys.exit(f"{build}/compile_commands.json does not build {source} for the execution shim; "
             "configure with LPDM_BUILD_TESTS=ON and build shim_tests")


def link_command(build):
    for line in run(["ninja", "-C", str(build), "-t", "commands", "shim_tests"]).stdout.splitlines():
        for part in line.split(" && "):
            if " -o tests/cuda/shim_tests " in part:
                return shlex.split(part)
    sys.exit(f"{build} does not say how shim_tests is linked; build it with Ninja first")


def kernel_sources():
    return sorted([*(ROOT / "cuda").glob("pairs/*.cu"), *(ROOT / "cuda").glob("landmarks/*.cu"),
                   *(ROOT / "cuda").glob("lowrank/*.cu"),
                   *(ROOT / "cuda" / "ops" / name for name in ("local_loss.cu",
                                                               "target_statistics.cu"))])


def depends_on(source, header, seen=None):
    """Whether a source includes a header of cuda/, itself or through others."""
    seen = set() if seen is None else seen
    for name in re.findall(r'#include "([^"]+)"', source.read_text()):
        included = ROOT / "cuda" / name
        if included == header:
            return True
        if included.exists() and included not in seen:
            seen.add(included)
            if depends_on(included, header, seen):
                return True
    return False


def build_mutant(mutation, build, folder):
    """The test program with the mistake in it."""
    original = ROOT / "cuda" / mutation.file
    text = original.read_text()
    if text.count(mutation.old) != 1:
        sys.exit(f"mutation '{mutation.name}': its text stands {text.count(mutation.old)} times in "
                 f"cuda/{mutation.file}, expected once; bring tests/cuda/mutations.py up to date")
    mutated = folder / "cuda" / mutation.file
    mutated.parent.mkdir(parents=True)
    mutated.write_text(text.replace(mutation.old, mutation.new))
    is_header = original.suffix in (".h", ".cuh")
    sources = ([s for s in kernel_sources() if depends_on(s, original)] if is_header
               else [original])
    objects = []
    for source in sources:
        command, directory = compile_command(build, source)
        output = folder / (source.name + ".o")
        command[command.index("-o") + 1] = str(output)
        if command[0].endswith("ccache"):
            command = command[1:]
        if is_header:
            command.insert(1, f"-I{folder / 'cuda'}")
        else:
            command = [str(mutated) if part == str(source) else part for part in command]
        result = run(command, cwd=directory)
        if result.returncode != 0:
            sys.exit(f"mutation '{mutation.name}' does not compile:\n{result.stderr}")
        objects.append(str(output))
    program = folder / "mutant"
    command = link_command(build)
    command[command.index("-o") + 1] = str(program)
    # Objects given first take precedence over those of the library.
    command[command.index("-o"):command.index("-o")] = objects
    result = run(command, cwd=build)
    if result.returncode != 0:
        sys.exit(f"mutation '{mutation.name}' does not link:\n{result.stderr}")
    return program


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--all", action="store_true", help="not only the quick ones")
    parser.add_argument("--only", help="the one of this name")
    arguments = parser.parse_args()
    chosen = [m for m in MUTATIONS
              if (m.name == arguments.only if arguments.only else arguments.all or m.quick)]
    if not chosen:
        sys.exit(f"no mutation is called '{arguments.only}'")
    survivors = []
    for mutation in chosen:
        with tempfile.TemporaryDirectory() as folder:
            program = build_mutant(mutation, arguments.build.resolve(), pathlib.Path(folder))
            try:
                result = run([str(program), f"--gtest_filter={mutation.tests}"], timeout=300)
                noticed = result.returncode != 0
            except subprocess.TimeoutExpired:
                noticed = True
        print(f"{'noticed ' if noticed else 'SURVIVED'}  {mutation.name}", flush=True)
        if not noticed:
            survivors.append(mutation.name)
    if survivors:
        print("the tests do not notice: " + "; ".join(survivors), file=sys.stderr)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
