// Any bytes as a checkpoint: they are refused with one sentence, or read as tensors that can be
// written again, and as the state of a run of the shape that the corpus has.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/fuzz_target.h"
#include "io/checkpoint_reader.h"
#include "io/checksum.h"
#include "io/safetensors.h"

namespace {

// PPO on InvertedPendulum-v4 with network.hidden [2], as tests/fuzz/corpus/make_checkpoints.sh has
// it.
const lpdm::CheckpointShape& corpus_shape() {
  static const lpdm::CheckpointShape shape{
      .layers = {{"hidden.0", 4, 2}, {"head", 2, 1}, {"value", 2, 1}},
      .log_std = 1,
      .observations = 4,
      .rewards = true,
      .environments = 2};
  return shape;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  lpdm::accept_or_refuse([&] {
    const lpdm::TensorFile file = lpdm::decode_safetensors(bytes, "x.safetensors");
    const std::string written = lpdm::encode_safetensors(file);
    lpdm::require(lpdm::encode_safetensors(lpdm::decode_safetensors(written, "y")) == written);
  });
  lpdm::accept_or_refuse([&] { lpdm::decode_with_checksum(bytes, "x.safetensors"); });
  lpdm::accept_or_refuse([&] {
    const lpdm::TensorFile file = lpdm::decode_safetensors(bytes, "x.safetensors");
    const lpdm::CheckpointState state =
        lpdm::read_checkpoint(file, "x.safetensors", corpus_shape());
    lpdm::require(state.layers.size() == 3 && state.progress.iteration >= 0);
  });
  return 0;
}
