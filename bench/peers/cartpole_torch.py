#!/usr/bin/env python3
"""A whole training run, CartPole-v1 by REINFORCE and LPDM (L_u), in PyTorch + Gymnasium and in lpdm.

Both play one episode per update with a [128, 256] tanh network, sample actions, and learn from
normalised discounted returns; hidden layers by the local loss over all pairs, the head by the policy
gradient. Given are wall-clock seconds per environment step, updates included, and the best mean of
50 episodes, which says that both have learned. Before anything is timed, both programs' losses and
gradients are compared with tests/data/loss/local_loss.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gymnasium
import torch

from local_loss_torch import ROOT, input_target, layer_loss, machine, verify

CONFIG = ROOT / "configs" / "paper" / "reinforce" / "cartpole-lpdm.json"
WINDOW = 50  # episodes of the mean that is reported
LEARNED = 195.0  # a run whose best mean is below has not learned, so its time says nothing
ARITHMETICS = ("fp32", "fixed")  # backend.arithmetic of lpdm's runs
DISCOUNT, LEARNING_RATE, CLIP, HIDDEN = 0.99, 1e-3, 0.5, (128, 256)


class Policy:
    """The network, an optimiser per layer, and one update from one episode."""

    def __init__(self, inputs, actions):
        widths = [inputs, *HIDDEN, actions]
        self.layers = [torch.nn.Linear(i, o) for i, o in zip(widths, widths[1:])]
        self.optimizers = [torch.optim.Adam(layer.parameters(), lr=LEARNING_RATE)
                           for layer in self.layers]

    @torch.no_grad()
    def act(self, observation):
        h = torch.from_numpy(observation)
        for layer in self.layers[:-1]:
            h = torch.tanh(layer(h))
        return torch.distributions.Categorical(logits=self.layers[-1](h)).sample().item()

    def update(self, observations, actions, rewards):
        x = torch.stack([torch.from_numpy(o) for o in observations])
        h, target, loss = x, input_target(x), 0.0
        for layer in self.layers[:-1]:
            y = torch.tanh(layer(h))
            loss = loss + layer_loss(y, target, x.shape[1])
            h = y.detach()
        policy = torch.distributions.Categorical(logits=self.layers[-1](h))
        loss = loss - (policy.log_prob(torch.tensor(actions)) * returns_to_go(rewards)).mean()
        loss.backward()
        for layer, optimizer in zip(self.layers, self.optimizers):
            torch.nn.utils.clip_grad_norm_(layer.parameters(), CLIP)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)


def returns_to_go(rewards):
    """Discounted, then standardised over the episode."""
    total, returns = 0.0, []
    for reward in reversed(rewards):
        total = reward + DISCOUNT * total
        returns.append(total)
    returns = torch.tensor(returns[::-1])
    return (returns - returns.mean()) / (returns.std(correction=0) + 1e-8)


def play(environment, policy, seed):
    """One episode: observations, actions, rewards."""
    observations, actions, rewards = [], [], []
    observation, _ = environment.reset(seed=seed)
    ended = False
    while not ended:
        action = policy.act(observation)
        observations.append(observation)
        actions.append(action)
        observation, reward, terminated, truncated, _ = environment.step(action)
        rewards.append(reward)
        ended = terminated or truncated
    return observations, actions, rewards


def best_mean(returns):
    window = min(WINDOW, len(returns))
    return max(statistics.fmean(returns[i:i + window]) for i in range(len(returns) - window + 1))


def torch_run(episodes, seed):
    torch.manual_seed(seed)
    environment = gymnasium.make("CartPole-v1")
    policy = Policy(environment.observation_space.shape[0], int(environment.action_space.n))
    returns, steps = [], 0
    start = time.perf_counter()
    for episode in range(episodes):
        observations, actions, rewards = play(environment, policy, seed if episode == 0 else None)
        policy.update(observations, actions, rewards)
        steps += len(rewards)
        returns.append(sum(rewards))
    return {"seconds": time.perf_counter() - start, "steps": steps, "best_mean": best_mean(returns)}


def lpdm_run(binary, arithmetic, episodes, seed):
    """The command as a user gives it: its start, its files and its checkpoints are counted too."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [binary, "train", CONFIG, "--seed", str(seed), "--threads", "1", "--device", "cpu",
                   "--set", f"run.iterations={episodes}",
                   "--set", f"backend.arithmetic={arithmetic}", "--out", run]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {"seconds": seconds, "steps": rows[-1]["env_steps"],
            "best_mean": best_mean([row["return_mean"] for row in rows])}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=1, help="alternations, each with its seed")
    parser.add_argument("--binary", type=Path, default=ROOT / "build/release/tools/lpdm")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to FILE")
    return parser.parse_args()


def main():
    options = parse_options()
    if not options.binary.exists():
        sys.exit(f"cartpole_torch.py: there is no program {options.binary}; build it (cmake --build "
                 "--preset release) or name it with --binary.")
    torch.set_num_threads(1)
    verify(options.binary)
    rounds = []
    print(f"{'':12}{'seconds':>10}{'steps':>10}{'µs/step':>10}{'best mean':>11}")
    for seed in range(options.rounds):
        runs = {f"lpdm {arithmetic}": lpdm_run(options.binary, arithmetic, options.episodes, seed)
                for arithmetic in ARITHMETICS}
        runs["PyTorch"] = torch_run(options.episodes, seed)
        rounds.append(runs)
        for name, run in runs.items():
            print(f"{name:12}{run['seconds']:10.1f}{run['steps']:10}"
                  f"{run['seconds'] / run['steps'] * 1e6:10.1f}{run['best_mean']:11.1f}", flush=True)
            if options.episodes >= 1000 and run["best_mean"] < LEARNED:
                print(f"  {name} has not learned (best mean below {LEARNED:g}).")
    per_step = [{name: run["seconds"] / run["steps"] for name, run in runs.items()}
                for runs in rounds]
    for arithmetic in ARITHMETICS:
        ratios = [times["PyTorch"] / times[f"lpdm {arithmetic}"] for times in per_step]
        print(f"PyTorch + Gymnasium over lpdm {arithmetic}, per environment step: "
              f"{statistics.median(ratios):.1f} (median of {len(ratios)}, {min(ratios):.1f} to "
              f"{max(ratios):.1f})")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "episodes": options.episodes,
                                            "rounds": rounds}, indent=1) + "\n")


if __name__ == "__main__":
    main()
