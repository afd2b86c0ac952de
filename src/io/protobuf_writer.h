// Protocol Buffers' wire format, as far as writing messages needs it: event files, ONNX.
//
// A message is the bytes of its fields one after another. Repeated fields are added again and
// again; a field that has its default value may be left out, as the format has it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lpdm {

// Field numbers are those of the message's .proto file.
class ProtobufWriter {
 public:
  // int32, int64, uint32, uint64, bool, enum. Negative numbers as their 64-bit two's complement.
  void add_integer(int field, std::int64_t value);
  void add_float(int field, float value);
  void add_double(int field, double value);
  // string, bytes, and messages that are encoded already.
  void add_bytes(int field, std::string_view value);
  void add_message(int field, const ProtobufWriter& message) { add_bytes(field, message.bytes()); }

  // repeated fields of numbers, packed
  void add_integers(int field, std::span<const std::int64_t> values);
  void add_floats(int field, std::span<const float> values);
  void add_doubles(int field, std::span<const double> values);

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace lpdm
