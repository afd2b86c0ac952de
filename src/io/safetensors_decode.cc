#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "io/files.h"
#include "io/json_text.h"
#include "io/safetensors_layout.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

// One array's header entry, its bytes at [begin, end) of the data.
struct Entry {
  std::string name;
  std::size_t dtype = 0;  // index into kDtypes
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

TensorValues empty_values(std::size_t dtype) {
  if (dtype == 0) return std::vector<float>();
  if (dtype == 1) return std::vector<double>();
  return std::vector<std::int64_t>();
}

// Reads a file's bytes; every method throws UsageError naming the source.
class Decoder {
 public:
  Decoder(std::string_view bytes, const std::string& source) : source_(source), data_(bytes) {}

  TensorFile decode() {
    const Json header = take_header();
    TensorFile file;
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadataKey) {
        file.metadata = read_metadata(value);
      } else {
        entries.push_back(read_entry(name, value));
      }
    }
    check_layout(entries);
    for (const Entry& entry : entries) file.tensors[entry.name] = read_tensor(entry);
    return file;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw UsageError(fmt::format("\"{}\" is not a usable safetensors file: {}", source_, reason));
  }

  // Splits the bytes: returns the header and leaves the arrays in data_.
  Json take_header() {
    std::uint64_t length = 0;
    if (data_.size() < kLengthBytes) fail("it ends within its first 8 bytes");
    std::memcpy(&length, data_.data(), kLengthBytes);
    data_.remove_prefix(kLengthBytes);
    if (length > kMaxHeaderBytes) {
      fail(fmt::format("its header claims {} bytes, at most {} are supported", length,
                       kMaxHeaderBytes));
    }
    if (length > data_.size()) {
      fail(fmt::format("its header claims {} bytes and {} follow", length, data_.size()));
    }
    const Json header = parse_json(data_.substr(0, length), source_ + "'s header");
    if (!header.is_object()) fail("its header is not a JSON object");
    data_.remove_prefix(length);
    return header;
  }

  std::map<std::string, std::string> read_metadata(const Json& value) const {
    if (!value.is_object()) fail("its __metadata__ is not an object");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail(fmt::format("its __metadata__ \"{}\" is not a string", key));
      metadata[key] = text.get<std::string>();
    }
    return metadata;
  }

  // A list of integers from 0 on.
  std::vector<std::int64_t> read_sizes(const Json& entry, const std::string& name,
                                       const char* field) const {
    const auto found = entry.find(field);
    std::vector<std::int64_t> sizes;
    bool valid = found != entry.end() && found->is_array();
    for (const Json& size : valid ? *found : Json::array()) {
      valid = valid && size.is_number_unsigned() &&
              std::in_range<std::int64_t>(size.get<std::uint64_t>());
      if (valid) sizes.push_back(size.get<std::int64_t>());
    }
    if (!valid) fail(fmt::format("array \"{}\" has no {} of whole numbers", name, field));
    return sizes;
  }

  Entry read_entry(const std::string& name, const Json& value) const {
    if (!value.is_object()) fail(fmt::format("its entry \"{}\" is not an object", name));
    Entry entry;
    entry.name = name;
    const auto dtype = value.find("dtype");
    const auto known = dtype == value.end() || !dtype->is_string()
                           ? kDtypes.end()
                           : std::ranges::find(kDtypes, dtype->get_ref<const std::string&>());
    if (known == kDtypes.end()) {
      fail(fmt::format("array \"{}\" has dtype {}, expected one of {}", name,
                       dtype == value.end() ? "none" : json_excerpt(*dtype),
                       fmt::join(kDtypes, ", ")));
    }
    entry.dtype = static_cast<std::size_t>(known - kDtypes.begin());
    entry.shape = read_sizes(value, name, "shape");
    const std::vector<std::int64_t> offsets = read_sizes(value, name, "data_offsets");
    if (offsets.size() != 2) fail(fmt::format("array \"{}\" needs two data_offsets", name));
    entry.begin = static_cast<std::uint64_t>(offsets[0]);
    entry.end = static_cast<std::uint64_t>(offsets[1]);
    check_extent(entry);
    return entry;
  }

  void check_extent(const Entry& entry) const {
    if (entry.begin > entry.end || entry.end > data_.size()) {
      fail(fmt::format("array \"{}\" lies at bytes {} to {} of the {} that there are", entry.name,
                       entry.begin, entry.end, data_.size()));
    }
    const auto count = element_count(entry.shape);
    const std::size_t bytes = element_bytes(empty_values(entry.dtype));
    if (!count || *count * bytes != entry.end - entry.begin) {
      fail(fmt::format("array \"{}\" of shape [{}] does not fill its {} bytes", entry.name,
                       fmt::join(entry.shape, ", "), entry.end - entry.begin));
    }
  }

  // The arrays must cover the data without gaps or overlaps.
  void check_layout(const std::vector<Entry>& entries) const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;
    for (const Entry& entry : entries) extents.emplace_back(entry.begin, entry.end);
    std::ranges::sort(extents);
    std::uint64_t covered = 0;
    for (const auto& [begin, end] : extents) {
      if (begin < covered) fail(fmt::format("its arrays overlap at byte {} of the data", begin));
      if (begin > covered) fail(fmt::format("byte {} of its data belongs to no array", covered));
      covered = end;
    }
    if (covered != data_.size()) {
      fail(fmt::format("{} bytes of its data belong to no array", data_.size() - covered));
    }
  }

  Tensor read_tensor(const Entry& entry) const {
    Tensor tensor{entry.shape, empty_values(entry.dtype)};
    const std::string_view bytes = data_.substr(entry.begin, entry.end - entry.begin);
    std::visit(
        [&](auto& values) {
          values.resize(bytes.size() / sizeof(values[0]));
          if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
        },
        tensor.values);
    return tensor;
  }

  const std::string& source_;
  std::string_view data_;
};

}  // namespace

TensorFile decode_safetensors(std::string_view bytes, const std::string& source) {
  return Decoder(bytes, source).decode();
}

TensorFile load_safetensors(const std::filesystem::path& path) {
  return decode_safetensors(read_file(path, "safetensors file", kMaxTensorFileBytes),
                            path.string());
}

}  // namespace lpdm
