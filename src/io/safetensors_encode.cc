#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "io/files.h"
#include "io/json_text.h"
#include "io/safetensors_layout.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr std::size_t kAlignment = 8;  // of the first array within the file

// Wide elements first, so that each array starts at a multiple of its element's size; then by name.
std::vector<const std::pair<const std::string, Tensor>*> in_file_order(const TensorFile& file) {
  std::vector<const std::pair<const std::string, Tensor>*> order;
  for (const auto& named : file.tensors) order.push_back(&named);
  std::ranges::stable_sort(order, std::greater<>(),
                           [](const auto* named) { return element_bytes(named->second.values); });
  return order;
}

Json metadata_to_json(const std::map<std::string, std::string>& metadata) {
  Json object = Json::object();
  for (const auto& [key, value] : metadata) object[key] = value;
  return object;
}

std::string header_text(const TensorFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header[kMetadataKey] = metadata_to_json(file.metadata);
  std::uint64_t begin = 0;
  for (const auto* named : in_file_order(file)) {
    const auto& [name, tensor] = *named;
    const std::size_t size = std::visit([](const auto& v) { return v.size(); }, tensor.values);
    if (element_count(tensor.shape) != size || name == kMetadataKey) {
      throw Error(fmt::format("array \"{}\" of shape [{}] cannot be saved with {} values", name,
                              fmt::join(tensor.shape, ", "), size));
    }
    const std::uint64_t end = begin + size * element_bytes(tensor.values);
    header[name] = {{"dtype", kDtypes[tensor.values.index()]},
                    {"shape", tensor.shape},
                    {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception&) {
    throw Error("an array's name or the metadata cannot be saved, it is not UTF-8");
  }
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

}  // namespace

std::string encode_safetensors_header(const TensorFile& file) {
  const std::string text = header_text(file);
  const std::uint64_t length = text.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  return bytes + text;
}

std::string encode_safetensors(const TensorFile& file) {
  std::string bytes = encode_safetensors_header(file);
  for (const auto* named : in_file_order(file)) {
    std::visit(
        [&](const auto& values) {
          bytes.append(reinterpret_cast<const char*>(values.data()),
                       values.size() * sizeof(values[0]));
        },
        named->second.values);
  }
  return bytes;
}

void save_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  write_file(path, encode_safetensors(file));
}

}  // namespace lpdm
