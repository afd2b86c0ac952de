#include "io/protobuf_writer.h"

#include <bit>

namespace lpdm {
namespace {

// How a field's value is laid out, the lowest three bits of its tag.
enum WireType : std::uint64_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

// Seven bits per byte, the lowest first; the highest bit says that more follow.
void append_varint(std::string& bytes, std::uint64_t value) {
  constexpr std::uint64_t kMore = 0x80;
  while (value >= kMore) {
    bytes.push_back(static_cast<char>((value & (kMore - 1)) | kMore));
    value >>= 7;
  }
  bytes.push_back(static_cast<char>(value));
}

void append_tag(std::string& bytes, int field, WireType type) {
  append_varint(bytes, static_cast<std::uint64_t>(field) << 3 | type);
}

template <class Word>
void append_little_endian(std::string& bytes, Word word) {
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    bytes.push_back(static_cast<char>(word >> (8 * i) & 0xff));
  }
}

void append_number(std::string& bytes, float value) {
  append_little_endian(bytes, std::bit_cast<std::uint32_t>(value));
}

void append_number(std::string& bytes, double value) {
  append_little_endian(bytes, std::bit_cast<std::uint64_t>(value));
}

template <class Number>
std::string packed(std::span<const Number> values) {
  std::string bytes;
  bytes.reserve(values.size_bytes());
  for (const Number value : values) append_number(bytes, value);
  return bytes;
}

}  // namespace

void ProtobufWriter::add_integer(int field, std::int64_t value) {
  append_tag(bytes_, field, kVarint);
  append_varint(bytes_, static_cast<std::uint64_t>(value));
}

void ProtobufWriter::add_float(int field, float value) {
  append_tag(bytes_, field, kFixed32);
  append_number(bytes_, value);
}

void ProtobufWriter::add_double(int field, double value) {
  append_tag(bytes_, field, kFixed64);
  append_number(bytes_, value);
}

void ProtobufWriter::add_bytes(int field, std::string_view value) {
  append_tag(bytes_, field, kLengthDelimited);
  append_varint(bytes_, value.size());
  bytes_ += value;
}

void ProtobufWriter::add_integers(int field, std::span<const std::int64_t> values) {
  std::string bytes;
  for (const std::int64_t value : values) append_varint(bytes, static_cast<std::uint64_t>(value));
  add_bytes(field, bytes);
}

void ProtobufWriter::add_floats(int field, std::span<const float> values) {
  add_bytes(field, packed(values));
}

void ProtobufWriter::add_doubles(int field, std::span<const double> values) {
  add_bytes(field, packed(values));
}

}  // namespace lpdm
