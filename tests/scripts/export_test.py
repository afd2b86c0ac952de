"""Exported policies in the programs they are for: export_test.py LPDM POLICY_CASES

Trains a few iterations, exports in every format and compares what ONNX Runtime, a C compiler and a
plain reader of safetensors make of it with what lpdm itself says (POLICY_CASES, see
tests/tools/policy_cases.cc)."""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import test_wheels

test_wheels.need("numpy", "onnx", "onnxruntime")
import numpy as np
import onnx
import onnxruntime

PROGRAM, POLICY_CASES = sys.argv[1:]
TOLERANCE = 1e-5

RUNS = {
    "discrete": ["env.id=CartPole-v1"],
    "relu": ["env.id=Acrobot-v1", "network.activation=relu", "env.normalize_observations=true"],
    "continuous": ["env.id=Hopper-v4", "env.normalize_observations=true", "network.hidden=[17,9,5]"],
    "learned_std": ["env.id=InvertedPendulum-v4", "policy.std=learned", "algorithm.name=ppo",
                    "algorithm.ppo.horizon=64", "env.normalize_observations=true"],
}  # fmt: skip


def run(*command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


def close(actual, expected, what):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: {actual.shape} instead of {expected.shape}"
    error = np.max(np.abs(actual - expected) / (1 + np.abs(expected)))
    assert error <= TOLERANCE, f"{what}: differs by {error}"


def check_onnx(path, cases):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["environment"] == cases["environment"], facts
    assert facts["format"] == "lpdm-policy-1" and facts["lpdm_commit"], facts
    observations = np.asarray(cases["observations"], np.float32)
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(None, {"observation": observations})))
    alone = session.run(None, {"observation": observations[:1]})[0]
    expected = np.asarray(cases["outputs"])
    if cases["discrete"]:
        assert names == ["logits", "action"], names
        close(outputs["logits"], expected, "logits")
        np.testing.assert_array_equal(outputs["action"], np.argmax(outputs["logits"], 1))
    else:
        assert names == ["mean", "std"], names
        close(outputs["mean"], expected, "mean")
        close(outputs["std"], cases["std"], "std")
    close(alone, expected[:1], "one row")


def check_header(path, folder):
    program = folder / "policy_test"
    run("cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-DLPDM_POLICY_TEST_MAIN",
        "-x", "c", path, "-o", program, "-lm")  # fmt: skip
    run(program)
    # The test is able to fail.
    broken = folder / "broken.h"
    text = pathlib.Path(path).read_text()
    at = text.index("lpdm_policy_example_output")
    brace = text.index("{", at)
    broken.write_text(text[: brace + 1] + " 123.0f," + text[text.index(",", brace) + 1 :])
    run("cc", "-std=c99", "-DLPDM_POLICY_TEST_MAIN", "-x", "c", broken, "-o", program, "-lm")
    assert subprocess.run([program], capture_output=True).returncode == 1


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    types = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
    return header["__metadata__"], tensors


def check_safetensors(path, cases):
    facts, tensors = read_safetensors(path)
    activations = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}
    activation = activations[facts["activation"]]
    x = np.asarray(cases["observations"], np.float32).astype(np.float64)
    if "observation.shift" in tensors:
        limit = tensors["observation.limit"][0]
        x = np.clip((x - tensors["observation.shift"]) * tensors["observation.scale"], -limit, limit)
    hidden = sorted(name[:-7] for name in tensors if name.startswith("hidden.") and name.endswith(".weight"))
    for layer in hidden:
        x = activation(x @ tensors[layer + ".weight"].T + tensors[layer + ".bias"])
    x = x @ tensors["head.weight"].T + tensors["head.bias"]
    close(x, cases["outputs"], "safetensors")
    close(tensors["example.output"].shape, [len(cases["outputs"][0])], "example")
    assert ("std" in tensors) == (not cases["discrete"])


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "config.json").write_text('{"run": {"iterations": 3}, "network": {"hidden": [12, 20]}}')
        for kind, settings in RUNS.items():
            out = folder / kind
            overrides = [word for setting in settings for word in ("--set", setting)]
            run(PROGRAM, "train", folder / "config.json", "--out", out, *overrides)
            cases = json.loads(run(POLICY_CASES, out))
            for form in ("onnx", "header", "safetensors"):
                run(PROGRAM, "export", out, "--format", form)
            check_onnx(str(out / "policy.onnx"), cases)
            check_header(str(out / "policy.h"), folder)
            check_safetensors(out / "policy.safetensors", cases)
            elsewhere = folder / f"{kind}.bin"
            run(PROGRAM, "export", out, "--format", "onnx", "--out", elsewhere)
            assert elsewhere.read_bytes() == (out / "policy.onnx").read_bytes()


main()
