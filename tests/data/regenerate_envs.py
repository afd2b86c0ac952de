#!/usr/bin/env python3
"""Recomputes the recorded episodes of tests/data/envs with Gymnasium itself.

Needs the wheels gymnasium[mujoco] 1.2.0, mujoco 2.3.7 and numpy >= 2; nothing of the engine is
used. Initial states and actions stay as the files have them; everything that follows from them is
computed anew.

    regenerate_envs.py [FILE...]           rewrite observations, rewards, ends and final states
    regenerate_envs.py --check [FILE...]   compare instead; exit status 1 if any number differs
    regenerate_envs.py --record-options    write envs/options/*.json, episodes under other options
"""

import argparse
import json
import sys
from pathlib import Path

import gymnasium
import numpy as np

FOLDER = Path(__file__).resolve().parent / "envs"
REWARD_TOLERANCE = {"Pusher-v4": 1e-15, "Pusher-v5": 1e-15}  # the BLAS decides how norms round

# Arguments that differ from the defaults, so that each option is seen to act.
OPTION_CASES = {
    "ant_v4_contacts": ("Ant-v4", {
        "use_contact_forces": True, "contact_cost_weight": 0.01, "contact_force_range": [-0.5, 2.0],
        "exclude_current_positions_from_observation": False, "terminate_when_unhealthy": False,
        "healthy_reward": 0.5}),
    "ant_v5": ("Ant-v5", {
        "frame_skip": 3, "forward_reward_weight": 2.0, "ctrl_cost_weight": 0.3,
        "contact_cost_weight": 0.02, "main_body": 4, "healthy_z_range": [0.5, 0.9],
        "include_cfrc_ext_in_observation": False}),
    "cartpole": ("CartPole-v1", {"sutton_barto_reward": True}),
    "half_cheetah_v4": ("HalfCheetah-v4", {
        "forward_reward_weight": 0.7, "ctrl_cost_weight": 0.3,
        "exclude_current_positions_from_observation": False}),
    "half_cheetah_v5": ("HalfCheetah-v5", {"frame_skip": 2, "ctrl_cost_weight": 0.05}),
    "hopper_v4": ("Hopper-v4", {
        "terminate_when_unhealthy": False, "healthy_state_range": [-2.0, 2.0],
        "healthy_reward": 0.3, "exclude_current_positions_from_observation": False}),
    "hopper_v5": ("Hopper-v5", {
        "frame_skip": 2, "healthy_z_range": [1.0, 1.3], "healthy_angle_range": [-0.05, 0.1],
        "forward_reward_weight": 3.0, "ctrl_cost_weight": 0.01}),
    "inverted_pendulum_v5": ("InvertedPendulum-v5", {"frame_skip": 1}),
    "pusher_v5": ("Pusher-v5", {
        "frame_skip": 3, "reward_near_weight": 0.2, "reward_dist_weight": 1.7,
        "reward_control_weight": 0.3}),
    "walker2d_v4": ("Walker2d-v4", {
        "healthy_z_range": [1.1, 2.0], "healthy_angle_range": [-0.3, 0.3],
        "forward_reward_weight": 0.4}),
    "walker2d_v5": ("Walker2d-v5", {
        "terminate_when_unhealthy": False, "healthy_reward": 2.0, "ctrl_cost_weight": 0.2,
        "exclude_current_positions_from_observation": False}),
}
OPTION_CASE_STEPS = 25


def make(document):
    """The environment of a file, without any wrapper."""
    return gymnasium.make(document["env_id"], **document.get("options", {})).unwrapped


def start(env, init):
    """Puts the environment into the recorded state and returns the first observation."""
    env.reset(seed=0)
    if "qpos" in init:
        import mujoco
        mujoco.mj_resetData(env.model, env.data)
        env.set_state(np.array(init["qpos"]), np.array(init["qvel"]))
        return env._get_obs()
    env.state = np.array(init["state"])
    is_acrobot = hasattr(env, "_get_ob")
    return env._get_ob() if is_acrobot else env.state.astype(np.float32)


def state_of(env):
    if hasattr(env, "data"):
        return {"qpos": env.data.qpos.tolist(), "qvel": env.data.qvel.tolist()}
    return {"state": np.asarray(env.state, dtype=float).tolist()}


def action_at(actions, step, observation, space):
    """What the recorded source of actions does at a step, counted from 0."""
    discrete = isinstance(space, gymnasium.spaces.Discrete)
    if actions["kind"] == "explicit":
        value = actions["data"][step]
    elif actions["kind"] == "constant":
        value = actions["value"]
    else:
        value = 0.0
        for gain, entry in zip(actions["K"], observation, strict=True):
            value += gain * float(entry)
        if actions["kind"] == "bang_bang":
            return 1 if value > 0 else 0
        value = [min(max(value, actions["lo"]), actions["hi"])]
    return value if discrete else np.array(value, dtype=np.float32)


def play(env, episode, limit):
    """obs0, every step's row and the final state."""
    observation = start(env, episode["init"])
    first = np.asarray(observation, dtype=float).tolist()
    rows = []
    for step in range(min(limit, episode["num_steps"])):
        action = action_at(episode["actions"], step, observation, env.action_space)
        observation, reward, terminated, _, _ = env.step(action)
        rows.append([np.asarray(observation, dtype=float).tolist(), float(reward),
                     int(terminated), int(step + 1 >= limit)])
        if rows[-1][2] or rows[-1][3]:
            break
    return first, rows, state_of(env)


def recomputed(env, episode, limit):
    """The episode with everything that follows from its initial state and actions."""
    first, rows, final_state = play(env, episode, limit)
    kept = episode["step_index"]
    if isinstance(kept, str):  # "every step"
        kept = range(1, len(rows) + 1)
    terminated, truncated = rows[-1][2:]
    return {**episode, "num_steps": len(rows), "obs0": first, "final_state": final_state,
            "ends": "terminated" if terminated else "truncated" if truncated else
                    "stopped (no flag)",
            "return": sum(row[1] for row in rows),
            "steps": [rows[i - 1] for i in kept if i <= len(rows)]}


def differences(old, new, reward_tolerance):
    """The names of the fields that differ between two versions of an episode."""
    fields = [key for key in ("num_steps", "obs0", "final_state", "ends") if old[key] != new[key]]
    if [row[0] for row in old["steps"]] != [row[0] for row in new["steps"]]:
        fields.append("observations")
    if [row[2:] for row in old["steps"]] != [row[2:] for row in new["steps"]]:
        fields.append("flags")
    rewards = zip(old["steps"], new["steps"], strict=False)
    if any(abs(a[1] - b[1]) > reward_tolerance for a, b in rewards):
        fields.append("rewards")
    return fields


def process(path, check):
    """Recomputes one file; returns whether it already held these numbers."""
    document = json.loads(path.read_text())
    env = make(document)
    tolerance = REWARD_TOLERANCE.get(document["env_id"], 0.0)
    same = True
    for i, episode in enumerate(document["episodes"]):
        limit = episode["max_episode_steps"]
        new = recomputed(env, episode, limit)
        fields = differences(episode, new, tolerance)
        if fields:
            same = False
            print(f"{path.name}: episode {i + 1} (\"{episode['name']}\") differs in "
                  f"{', '.join(fields)}")
        document["episodes"][i] = new
    if not check:
        path.write_text(formatted(document))
    print(f"{path.name}: {len(document['episodes'])} episodes, "
          f"{'identical' if same else 'different'}")
    return same


def lines(mapping, indent):
    return [f"{indent}{json.dumps(key)}: {json.dumps(value)}" for key, value in mapping.items()]


def formatted_episode(episode):
    fields = {key: value for key, value in episode.items() if key != "steps"}
    rows = ",\n".join("    " + json.dumps(row, separators=(",", ":")) for row in episode["steps"])
    body = ",\n".join([*lines(fields, "   "), f'   "steps": [\n{rows}\n   ]'])
    return f"  {{\n{body}\n  }}"


def formatted(document):
    """JSON with a line for each field of the file and of its episodes, and for each step."""
    fields = {key: value for key, value in document.items() if key != "episodes"}
    episodes = ",\n".join(map(formatted_episode, document["episodes"]))
    body = ",\n".join([*lines(fields, " "), f' "episodes": [\n{episodes}\n ]'])
    return f"{{\n{body}\n}}\n"


def recorded_with(env_id, options, seed):
    """A file with one episode of random actions under the given options."""
    env = make({"env_id": env_id, "options": options})
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    init = state_of(env)
    space = env.action_space
    if isinstance(space, gymnasium.spaces.Discrete):
        data = rng.integers(space.n, size=OPTION_CASE_STEPS).tolist()
    else:
        uniform = rng.uniform(space.low, space.high, size=(OPTION_CASE_STEPS, *space.shape))
        data = uniform.astype(np.float32).tolist()
    limit = gymnasium.spec(env_id).max_episode_steps
    episode = {"name": "uniform actions", "max_episode_steps": limit, "init": init,
               "actions": {"kind": "explicit", "data": data}, "num_steps": OPTION_CASE_STEPS,
               "step_index": "every step, 1..num_steps"}
    return {"format": "golden-1", "env_id": env_id, "options": options,
            "gymnasium": gymnasium.__version__, "mujoco": mujoco_version(env),
            "numpy": np.__version__, "observation_space": {"shape": list(
                env.observation_space.shape)},
            "episodes": [recomputed(env, episode, limit)]}


def mujoco_version(env):
    if not hasattr(env, "data"):
        return None
    import mujoco
    return mujoco.__version__


def record_options():
    folder = FOLDER / "options"
    folder.mkdir(exist_ok=True)
    for seed, (name, (env_id, options)) in enumerate(OPTION_CASES.items()):
        (folder / f"{name}.json").write_text(formatted(recorded_with(env_id, options, seed)))
        print(f"options/{name}.json: written")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--record-options", action="store_true",
                        help="record the episodes under other options")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE",
                        help="all of tests/data/envs by default")
    arguments = parser.parse_args()
    if arguments.record_options:
        record_options()
        return
    files = arguments.files or sorted(FOLDER.rglob("*.json"))
    same = [process(path, arguments.check) for path in files]
    if arguments.check and not all(same):
        sys.exit("regenerate_envs.py: files differ from what Gymnasium computes here.")


if __name__ == "__main__":
    main()
