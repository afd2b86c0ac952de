"""The paper's Table 2 (arXiv:2507.11367): the largest value of the mean curve over 20 runs."""

ITERATIONS = {"CartPole-v1": 1500, "Acrobot-v1": 1500, "InvertedPendulum-v4": 1500,
              "Pusher-v4": 3000, "Hopper-v4": 5000, "Walker2d-v4": 5000, "HalfCheetah-v4": 5000,
              "Ant-v4": 5000}
LONGEST_PPO = 3000

_METHODS = ("backprop", "lpdm", "guided")
_SCORES = {
    "CartPole-v1": {"reinforce": (499.3, 489.5, 493.7),
                    "reinforce_baseline": (492.6, 492.3, 490.6), "ppo": (474.5, 474.9, 484.7)},
    "Acrobot-v1": {"reinforce": (-154.0, -98.1, -98.5),
                   "reinforce_baseline": (-190.3, -132.8, -114.5), "ppo": (-98.3, -98.5, -77.0)},
    "InvertedPendulum-v4": {"reinforce": (993.7, 975.8, 979.6),
                            "reinforce_baseline": (993.0, 991.7, 990.0),
                            "ppo": (961.2, 963.8, 969.7)},
    "Pusher-v4": {"reinforce": (-53.4, -49.6, -50.2),
                  "reinforce_baseline": (-47.0, -46.6, -46.9), "ppo": (-40.0, -40.8, -40.7)},
    "Hopper-v4": {"reinforce": (331.5, 423.2, 474.8),
                  "reinforce_baseline": (397.1, 642.5, 734.6), "ppo": (814.0, 980.0, 838.6)},
    "Walker2d-v4": {"reinforce": (251.3, 364.1, 356.2),
                    "reinforce_baseline": (295.5, 416.0, 461.5), "ppo": (518.4, 741.0, 676.1)},
    "HalfCheetah-v4": {"reinforce": (993.5, 1276.3, 1251.8),
                       "reinforce_baseline": (1609.8, 1542.0, 1593.2),
                       "ppo": (2021.4, 1851.0, 1998.1)},
    "Ant-v4": {"reinforce": (570.7, 754.4, 776.6), "reinforce_baseline": (524.4, 828.7, 825.3),
               "ppo": (775.2, 857.3, 844.2)},
}

# What is 0 and what is 1 where scores of several environments are put together: a return that
# means nothing was learnt (Acrobot's and Pusher's are negative), and the paper's best one.
FLOORS = {"Acrobot-v1": -500.0, "Pusher-v4": -60.0}


def score(environment, algorithm, method):
    """The paper's number for a cell of its table; none where it has none."""
    row = _SCORES.get(environment, {}).get(algorithm)
    return row[_METHODS.index(method)] if row and method in _METHODS else None


def iterations(environment, algorithm):
    """How many iterations the paper's runs made; none for an environment it does not have."""
    made = ITERATIONS.get(environment)
    return min(made, LONGEST_PPO) if made and algorithm == "ppo" else made


def anchors(environment):
    """(return that counts as 0, return that counts as 1); none for an environment it lacks."""
    row = _SCORES.get(environment)
    if row is None:
        return None
    return FLOORS.get(environment, 0.0), max(max(cell) for cell in row.values())
