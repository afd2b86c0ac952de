// Kernels in the shapes that they have on a GPU of many multiprocessors, which the shim plays.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include "cpu/local_loss_case.h"

namespace lpdm {
namespace {

class LargeDevice : public ::testing::Test {
 protected:
  LargeDevice() { shim::set_multiprocessors(40); }
  ~LargeDevice() override { shim::set_multiprocessors(4); }
};

// So many blocks add to the landmarks that each thread has several of their sums to add up.
TEST_F(LargeDevice, AddsUpTheEndsOfLandmarksOverManyBlocks) {
  for (const std::int64_t landmarks : {16, 64}) {
    Case c = random_case(700, 3, 40);
    choose_landmarks(c, landmarks);
    expect_matches_reference(c, std::to_string(landmarks) + " landmarks");
  }
}

}  // namespace
}  // namespace lpdm
