// The safetensors file format: named arrays that many programs read without running any code.
//
// Layout: the header's length as 8 little-endian bytes, the header as JSON padded with spaces to a
// multiple of 8, then the arrays' little-endian bytes one after the other. Arrays are row-major.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lpdm {

// The element types that are supported: F32, F64 and I64.
using TensorValues =
    std::variant<std::vector<float>, std::vector<double>, std::vector<std::int64_t>>;

struct Tensor {
  std::vector<std::int64_t> shape;  // empty: one number
  TensorValues values;              // (product of shape)
  bool operator==(const Tensor&) const = default;
};

struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
  bool operator==(const TensorFile&) const = default;
};

// The file's bytes: equal contents give equal bytes. Throws Error if a shape does not fit its
// values or a name is not UTF-8.
std::string encode_safetensors(const TensorFile& file);
// What stands before the arrays' bytes, which do not depend on the metadata.
std::string encode_safetensors_header(const TensorFile& file);

// Throws UsageError naming `source` and what is wrong with it, for any bytes whatever.
TensorFile decode_safetensors(std::string_view bytes, const std::string& source);

// See write_file and read_file for their errors.
void save_safetensors(const std::filesystem::path& path, const TensorFile& file);
TensorFile load_safetensors(const std::filesystem::path& path);

}  // namespace lpdm
