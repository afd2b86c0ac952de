// Ranks within dimensions: batches that fit into one block's memory and larger ones, ties, zeros of
// either sign, rows beyond N.
#include "pairs/column_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "common/checks.h"
#include "cpu/local_loss_case.h"

namespace lpdm::cuda {
namespace {

template <class T>
class Array {
 public:
  explicit Array(std::int64_t size) {
    check(cudaMalloc(&data_, static_cast<std::size_t>(size) * sizeof(T)), "an allocation");
  }
  explicit Array(const std::vector<T>& values) : Array(static_cast<std::int64_t>(values.size())) {
    check(cudaMemcpy(data_, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
          "a copy");
  }
  ~Array() { cudaFree(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  const T* data() const { return data_; }

 private:
  T* data_ = nullptr;
};

void expect_ranks(std::int64_t n, std::int64_t capacity, std::int64_t dim) {
  SCOPED_TRACE(std::to_string(n) + " of " + std::to_string(capacity) + " rows");
  std::vector<float> values = uniform_values(n * dim, 4);
  for (std::int64_t row = 0; row < n; ++row) {
    if (row % 3 == 0) values[static_cast<std::size_t>(row * dim)] = row % 2 == 0 ? 0.0F : -0.0F;
  }
  Shared shared;
  shared.device.multiprocessors = 1;
  Context context(shared);
  const Array<float> on_device(values);
  const Array<std::int64_t> count(std::vector<std::int64_t>{n});
  const OrderedRows order = order_columns(context, {.count = count.data(), .capacity = capacity},
                                          on_device.data(), dim, Metric::kL1);
  std::vector<float> ranks(static_cast<std::size_t>(capacity * order.width));
  check(cudaStreamSynchronize(context.stream), "a test");
  check(
      cudaMemcpy(ranks.data(), order.values, ranks.size() * sizeof(float), cudaMemcpyDeviceToHost),
      "a copy");
  for (std::int64_t d = 0; d < dim; ++d) {
    std::vector<float> sorted;
    for (std::int64_t row = 0; row < n; ++row) {
      sorted.push_back(values[static_cast<std::size_t>(row * dim + d)]);
    }
    std::ranges::sort(sorted);
    for (std::int64_t row = 0; row < capacity; ++row) {
      const auto at = static_cast<std::size_t>(row * order.width + d);
      const auto below = row < n ? std::ranges::lower_bound(
                                       sorted, values[static_cast<std::size_t>(row * dim + d)]) -
                                       sorted.begin()
                                 : 0;
      ASSERT_EQ(ranks[at], static_cast<float>(below)) << "row " << row << ", dimension " << d;
    }
  }
}

TEST(ColumnOrder, RanksEqualValuesAlike) {
  expect_ranks(1, 1, 2);
  expect_ranks(77, 130, 3);
  expect_ranks(256, 256, 1);
}

TEST(ColumnOrder, SortsDeviceWideWhatIsTooLargeForABlock) { expect_ranks(8200, 8300, 2); }

}  // namespace
}  // namespace lpdm::cuda
