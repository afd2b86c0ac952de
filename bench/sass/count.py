#!/usr/bin/env python3
"""Counts the machine instructions per pair-dimension of the inner loops of the two passes.

One pair-dimension is one |y_id - y_jd| (forward) or one coefficient added (gradient). The kernels,
compiled anew or as a build has them, are disassembled; a loop is a backward branch, and of the loops
that hold a kernel's characteristic instruction the one with the most of them counts, without loops
inside it. Where the CUDA toolkit has no nvdisasm, tools/bootstrap.sh --ci fetches one.

    bench/sass/count.py                       # counts for sm_90, and compares with expected.json
    bench/sass/count.py --architectures 80 120
    bench/sass/count.py --build build/cuda    # for all architectures that the build has
    bench/sass/count.py --record              # writes what was counted into expected.json
"""

import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPECTED = pathlib.Path(__file__).with_name("expected.json")
TOLERANCE = 0.02  # instructions per pair-dimension; compilers move a few instructions about

# Of each kernel: its source, what its mangled name holds, the instruction that occurs once for
# every `pairs` pair-dimensions. It must not occur in the loop over the input's distances, which are
# float32 in all of them. (Where VABSDIFF is missing a maximum, a minimum and an addition do it.)
Kernel = collections.namedtuple("Kernel", "source name instruction pairs")
FP32 = r"FADD R\d+, R\d+, \|R\d+\||FADD R\d+, \|R\d+\|, R\d+"
VABSDIFF = r"VABSDIFF|VIMNMX\.U32 [^;]*!PT"
FFMA_SAT = r"FFMA\.SAT"
HALVES = r"\b(HADD2|HFMA2|HFMA2\.MMA) R\d+, (?!-?RZ)"  # two for two; those of RZ are moves
KERNELS = {
    "forward fp32": Kernel("pairs/pair_sums.cu", "Fp32L1ES3_Lb0E", FP32, 1),
    "forward fixed": Kernel("pairs/pair_sums.cu", "Fp32L1ENS0_5FixedELb0E", VABSDIFF, 1),
    "forward half2": Kernel("pairs/pair_sums.cu", "Fp32L1ENS0_5Half2ELb0E", HALVES, 1),
    "gradient": Kernel("pairs/pair_gradient.cu", "Fp32L1ES3_NS1_11L1DirectionELb0E", r"FADD\.SAT", 1),
    "landmarks:16 forward": Kernel("landmarks/landmark_sums.cu", "Fp32L1ELi2ELi8E", FP32, 1),
    "landmarks:64 forward": Kernel("landmarks/landmark_sums.cu", "Fp32L1ELi8ELi8E", FP32, 1),
    "landmarks:64, few rows": Kernel("landmarks/landmark_sums.cu", "Fp32L1ELi8ELi2E", FP32, 1),
    "landmarks gradient": Kernel("landmarks/landmark_gradient.cu", "MetricE0ELi16E", FFMA_SAT, 1),
    "its few rows": Kernel("landmarks/landmark_gradient.cu", "MetricE0ELi4E", FFMA_SAT, 1),
}


def find_tool(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/local/cuda/bin")
    carried = sorted((ROOT / ".deps").glob(f"disassembler-*/{name}"))
    return found or (str(carried[-1]) if carried else None)


def compile_cubin(options, architecture, source, folder):
    cubin = folder / f"{pathlib.Path(source).stem}.{architecture}.cubin"
    includes = [f"-I{ROOT / part}" for part in ("cuda", "include", "src")]
    subprocess.run([options.nvcc, "-std=c++20", "-O3", f"-arch=sm_{architecture}", "-cubin",
                    *includes, str(ROOT / "cuda" / source), "-o", str(cubin)], check=True)
    return cubin


def built_object(options, source):
    return options.build.resolve() / "cuda/CMakeFiles/lpdm_cuda.dir" / f"{source}.o"


def built_architectures(options, source):
    listed = subprocess.run([options.cuobjdump, "--list-elf", str(built_object(options, source))],
                            check=True, text=True, stdout=subprocess.PIPE).stdout
    return re.findall(r"\.sm_(\w+)\.cubin", listed)


def built_cubin(options, architecture, source, folder):
    """What the build's object file holds for the architecture."""
    part = folder / f"{pathlib.Path(source).stem}.{architecture}"
    part.mkdir()
    subprocess.run([options.cuobjdump, "-xelf", f"sm_{architecture}.",
                    str(built_object(options, source))], check=True, cwd=part,
                   stdout=subprocess.DEVNULL)
    cubins = sorted(part.glob("*.cubin"))
    assert len(cubins) == 1, f"{source} holds {len(cubins)} programs for sm_{architecture}"
    return cubins[0]


def disassemble(options, architecture, source, folder):
    make = built_cubin if options.build else compile_cubin
    return subprocess.run([options.nvdisasm, "-c", str(make(options, architecture, source, folder))],
                          check=True, text=True, stdout=subprocess.PIPE).stdout


def functions(listing):
    """Instruction lines and labels by mangled name."""
    lines = collections.defaultdict(list)
    name = None
    for line in listing.splitlines():
        section = re.match(r"//-+ \.text\.(\S+) -+", line)
        if section:
            name = section.group(1)
        elif name and (re.match(r"\s*\.L_x_\d+:", line) or re.search(r"/\*[0-9a-f]{4,}\*/", line)):
            lines[name].append(line.strip())
    return lines


def inner_loops(lines):
    """(first, last) of backward branches that hold no other."""
    labels = {line[:-1]: at for at, line in enumerate(lines) if line.endswith(":")}
    loops = []
    for at, line in enumerate(lines):
        branch = re.search(r"\bBRA\b.*`\((\.L_x_\d+)\)", line)
        if branch and labels.get(branch.group(1), at) < at:
            loops.append((labels[branch.group(1)], at))
    return loops


def instructions(lines):
    return [line for line in lines if "/*" in line and not line.endswith(":")]


def count(lines, kernel):
    """Instructions and pair-dimensions of the loop that holds the most of them, the shortest one."""
    loops = inner_loops(lines)
    best = None
    for first, last in loops:
        inside = [loop for loop in loops if first <= loop[0] and loop[1] <= last
                  and loop != (first, last)]
        body = instructions([line for at, line in enumerate(lines[first:last + 1], first)
                             if not any(a <= at <= b for a, b in inside)])
        pairs = kernel.pairs * sum(bool(re.search(kernel.instruction, line)) for line in body)
        spills = sum(bool(re.search(r"\b(LDL|STL)\b", line)) for line in body)
        found = {"instructions": len(body), "pair_dims": pairs, "spills": spills}
        if best is None or (-pairs, len(body)) < (-best["pair_dims"], best["instructions"]):
            best = found
    return best


def count_kernels(options, architecture, folder):
    """What was counted, by the kernels' titles."""
    sources = sorted({kernel.source for kernel in KERNELS.values()})
    listings = {source: functions(disassemble(options, architecture, source, folder))
                for source in sources}
    counts = {}
    for title, kernel in KERNELS.items():
        names = [name for name in listings[kernel.source] if kernel.name in name]
        assert len(names) == 1, f"{title}: {names}"
        found = count(listings[kernel.source][names[0]], kernel)
        assert found and found["pair_dims"] > 0, (
            f"sm_{architecture}, {title}: no inner loop was recognised")
        found["per_pair_dim"] = round(found["instructions"] / found["pair_dims"], 3)
        counts[title] = found
    return counts


def report(architecture, counts, known):
    """Prints the counts and returns the kernels that have become worse than what is known."""
    print(f"sm_{architecture}")
    worse = []
    for title, found in counts.items():
        bound = known.get(title, {})
        print(f"  {title:22} {found['instructions']:5} instructions for {found['pair_dims']:4} "
              f"pair-dimensions: {found['per_pair_dim']:.3f} (expected {bound.get('per_pair_dim')}), "
              f"{found['spills']} of them spills (expected {bound.get('spills')})")
        if bound and (found["per_pair_dim"] > bound["per_pair_dim"] + TOLERANCE
                      or found["spills"] > bound["spills"]):
            worse.append(f"{title} (sm_{architecture})")
    return worse


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", nargs="+", help="as in 80 90; those of the build, or 90")
    parser.add_argument("--nvcc", default=shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc")
    parser.add_argument("--nvdisasm", default=find_tool("nvdisasm"))
    parser.add_argument("--cuobjdump", default=find_tool("cuobjdump"))
    parser.add_argument("--build", type=pathlib.Path,
                        help="read this build's object files instead of compiling anew")
    parser.add_argument("--record", action="store_true", help="write the counts as the expected ones")
    arguments = parser.parse_args()
    readable = arguments.cuobjdump if arguments.build else pathlib.Path(arguments.nvcc).exists()
    if not readable or arguments.nvdisasm is None:
        print("skipped: nvcc or a disassembler is missing; tools/bootstrap.sh --ci fetches the latter")
        return 77
    architectures = arguments.architectures or (
        built_architectures(arguments, "pairs/pair_sums.cu") if arguments.build else ["90"])
    expected = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    worse = []
    for architecture in architectures:
        with tempfile.TemporaryDirectory() as folder:
            counts = count_kernels(arguments, architecture, pathlib.Path(folder))
        worse += report(architecture, counts, expected.get(f"sm_{architecture}", {}))
        if arguments.record:
            expected[f"sm_{architecture}"] = counts
    if arguments.record:
        EXPECTED.write_text(json.dumps(expected, indent=2) + "\n")
        return 0
    if worse:
        print("more instructions or spills than recorded: " + ", ".join(worse), file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
