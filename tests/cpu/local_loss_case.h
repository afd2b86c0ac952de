// Batches for tests of the local loss, run by the CPU backend and by the float64 reference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/ops.h"
#include "reference/local_loss.h"

namespace lpdm {

struct CaseLayer {
  std::int64_t out = 0;
  std::vector<float> y;  // (n, out)
};

// One layer, and any number above it.
struct Case {
  std::int64_t n = 0;
  std::int64_t dim = 4;
  std::int64_t out = 8;
  std::vector<float> x;
  std::vector<float> y;
  std::vector<float> values;
  std::vector<std::int64_t> landmarks;
  std::int64_t drawn_landmarks = 0;  // in place of `landmarks`: so many are drawn; 0: none are
  std::vector<std::int64_t> episode_ends = {};  // empty: pairs of the whole batch
  LocalLossConfig options;
  std::vector<CaseLayer> above;
  // The activation that the first layer's outputs went through: deltas include its derivative.
  std::optional<Activation> through;
  BackendOptions backend;
  // Numbers of rows, ascending: a follower is told of them, one after another, as rows are written.
  std::vector<std::int64_t> followed = {};
};

// Uniform in [-1, 1).
std::vector<float> uniform_values(std::int64_t size, std::uint32_t seed);
Case random_case(std::int64_t n, std::int64_t dim, std::int64_t out);
void add_layer(Case& c, std::int64_t out);
// So many rows of the batch, spread over it, in no order.
void choose_landmarks(Case& c, std::int64_t count);

struct Outcome {
  LocalLossStatistics statistics;
  std::vector<float> grad_y;
};

// Results by layer, of any backend.
std::vector<Outcome> run_layers_on(Backend& backend, const Case& c);
// Of the backend under test; `run` gives the first layer's.
std::vector<Outcome> run_layers(const Case& c, int threads = 1);
Outcome run(const Case& c, int threads = 1);

// To the last bit.
void expect_same(const std::vector<Outcome>& some, const std::vector<Outcome>& others);
// 1, 2 … n: for Case::followed.
std::vector<std::int64_t> each_row(std::int64_t n);

reference::LocalLossInputs reference_inputs(const Case& c);
std::vector<reference::LocalLossResult> expected(const Case& c);

// Losses to 1e-5, gradients to 1e-4 of their largest entry.
void expect_matches_reference(const Case& c, const std::string& name);

}  // namespace lpdm
