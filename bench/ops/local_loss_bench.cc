// The local loss of one layer with its target, over all pairs and over the cheaper choices of
// pairs.
//
// The reference forms the whole N×N, so a benchmark of many rows is checked on its first ones.
#include <numeric>

#include "lpdm/config.h"
#include "op_bench.h"
#include "reference/local_loss.h"

namespace lpdm::bench {

namespace {

constexpr std::int64_t kDim = 17;
constexpr std::int64_t kOut = 256;
constexpr std::int64_t kCheckedRows = 200;
constexpr double kTolerance = 1e-4;  // of the gradient, as its sums cancel; the series of lowrank
                                     // is compared with the exact loss, and is off by its own error
constexpr double kLowRankTolerance = 0.1;

struct Variant {
  std::string name;
  std::int64_t n;
  LocalLossConfig options;
};

// A batch on the device, and its op.
class Problem {
 public:
  Problem(const Device& device, const Variant& variant, std::int64_t n)
      : backend_(device.backend),
        variant_(variant),
        x_(uniform_values(n * kDim, 1)),
        y_(uniform_values(n * kOut, 2)),
        values_(uniform_values(n, 3)),
        count_(device.upload(std::vector<std::int64_t>{n})),
        input_(device.upload(x_)),
        output_(device.upload(y_)),
        value_(device.upload(values_)),
        delta_(device.zeros<float>(n * kOut)),
        shift_(device.zeros<float>(n)),
        selected_(device.upload(landmarks(n))),
        selected_count_(device.upload(std::vector<std::int64_t>{selected_.size()})),
        scales_(device.zeros<TargetScales>(1)),
        statistics_(device.zeros<LocalLossStatistics>(1)),
        layer_{.out = kOut,
               .activation = Activation::kTanh,
               .output = output_.data(),
               .delta = delta_.data(),
               .delta_through_activation = false,
               .statistics = statistics_.data()} {}

  void compute() {
    const LocalLossConfig& options = variant_.options;
    PairwiseTarget target{.rows = {count_.data(), shift_.size()},
                          .dim = kDim,
                          .input = input_.data(),
                          .metric = options.metric,
                          .guide_base = options.guide_base,
                          .sparse = options.pairs.sparse,
                          .low_rank = options.pairs.low_rank};
    if (options.guided) {
      backend_.guided_shift({.rows = target.rows, .values = value_.data(), .shift = shift_.data()});
      target.shift = shift_.data();
    }
    if (selected_.size() > 0) {
      target.landmarks = selected_.data();
      target.landmark_count = selected_count_.data();
      target.landmark_capacity = selected_.size();
    }
    backend_.target_statistics({.target = target, .scales = scales_.data()});
    backend_.local_loss(
        {.target = target, .scales = scales_.data(), .layers = &layer_, .layer_count = 1});
  }
  void wait() { statistics_.read(); }

  double deviation_from_reference() {
    compute();
    const std::int64_t n = shift_.size();
    const reference::LocalLossResult expected = reference::local_loss(
        {.n = n,
         .dim = kDim,
         .out = kOut,
         .x = widen(x_),
         .y = widen(y_),
         .values = variant_.options.guided ? widen(values_) : std::vector<double>{},
         .landmarks = landmarks(n),
         .options = exact(variant_.options),
         .previous = std::nullopt});
    return deviation(delta_.read(), expected.grad_y);
  }

 private:
  static LocalLossConfig exact(LocalLossConfig options) {
    options.pairs.low_rank = 0;
    return options;
  }

  // Every n/M-th row.
  std::vector<std::int64_t> landmarks(std::int64_t n) const {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(variant_.options.pairs.landmarks));
    const auto count = static_cast<std::int64_t>(rows.size());
    for (std::int64_t k = 0; k < count; ++k) rows[static_cast<std::size_t>(k)] = k * n / count;
    return rows;
  }

  Backend& backend_;
  Variant variant_;
  std::vector<float> x_, y_, values_;
  DeviceArray<std::int64_t> count_;
  DeviceArray<float> input_, output_, value_, delta_, shift_;
  DeviceArray<std::int64_t> selected_, selected_count_;
  DeviceArray<TargetScales> scales_;
  DeviceArray<LocalLossStatistics> statistics_;
  LocalLossLayer layer_;
};

std::vector<Variant> variants() {
  LocalLossConfig all, guided, closest, landmarks16, landmarks64, landmarks256, low_rank;
  guided.guided = true;
  closest.pairs.sparse = SparsePairs::kClosest;
  landmarks16.pairs.landmarks = 16;
  landmarks64.pairs.landmarks = 64;
  landmarks256.pairs.landmarks = 256;
  low_rank.pairs.low_rank = 8;
  std::vector<Variant> result;
  for (const std::int64_t n : {500, 1000, 4096}) result.push_back({"all", n, all});
  result.push_back({"guided", 1000, guided});
  result.push_back({"closest", 1000, closest});
  for (const std::int64_t n : {1000, 16384}) {
    result.push_back({"landmarks:16", n, landmarks16});
    result.push_back({"landmarks:64", n, landmarks64});
    result.push_back({"landmarks:256", n, landmarks256});
  }
  result.push_back({"lowrank:8", 4096, low_rank});
  return result;
}

}  // namespace

void add_local_loss(const Device& device) {
  for (const Variant& variant : variants()) {
    add("local_loss/" + variant.name + "/" + std::to_string(variant.n),
        [=](benchmark::State& state) {
          Problem checked(device, variant, std::max(kCheckedRows, variant.options.pairs.landmarks));
          const bool series = variant.options.pairs.low_rank > 0;
          Problem problem(device, variant, variant.n);
          run(state, {.found = checked.deviation_from_reference(),
                      .tolerance = series ? kLowRankTolerance : kTolerance,
                      .op = [&] { problem.compute(); },
                      .wait = [&] { problem.wait(); }});
        });
  }
}

}  // namespace lpdm::bench
