#include "io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>

#include "io/temporary_folder.h"
#include "io/usage_error.h"

namespace lpdm {
namespace {

// A file by hand: `header` as it is, then `data`.
std::string file_bytes(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>((header.size() >> (8 * i)) & 0xFFu);
  }
  return bytes + header + data;
}

TensorFile example() {
  TensorFile file;
  file.metadata = {{"format", "lpdm"}, {"quote", "\"\u00e9\n"}};
  file.tensors["layer.0.weight"] = {{2, 3}, std::vector<float>{1, -2, 3, 0.5f, 1e-40f, 1e30f}};
  file.tensors["layer.0.bias"] = {{3}, std::vector<float>{1, 2, 3}};
  file.tensors["moments"] = {{2},
                             std::vector<double>{0.1, std::numeric_limits<double>::infinity()}};
  file.tensors["step"] = {{}, std::vector<std::int64_t>{-9'000'000'000}};
  file.tensors["empty"] = {{0, 7}, std::vector<float>{}};
  return file;
}

TEST(SafetensorsTest, BytesAreThoseOfTheFormat) {
  TensorFile file;
  file.tensors["a"] = {{2}, std::vector<float>{1.0f, -2.0f}};
  file.tensors["b"] = {{1}, std::vector<std::int64_t>{258}};
  const std::string header = R"({"b":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                             R"("a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  const std::string data("\x02\x01\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\xc0", 16);
  EXPECT_EQ(encode_safetensors(file), file_bytes(header + padding, data));
}

TEST(SafetensorsTest, RoundTrips) {
  const TensorFile file = example();
  const std::string bytes = encode_safetensors(file);
  EXPECT_EQ(decode_safetensors(bytes, "x"), file);
  EXPECT_EQ(encode_safetensors(decode_safetensors(bytes, "x")), bytes);
  EXPECT_EQ(decode_safetensors(encode_safetensors({}), "x"), TensorFile{});

  const TemporaryFolder folder;
  save_safetensors(folder / "x.safetensors", file);
  EXPECT_EQ(load_safetensors(folder / "x.safetensors"), file);
}

TEST(SafetensorsTest, RefusesToSaveWhatDoesNotFit) {
  const std::vector<float> two = {1, 2};
  EXPECT_THROW(encode_safetensors({{{"a", {{3}, two}}}, {}}), Error);
  EXPECT_THROW(encode_safetensors({{{"a", {{-1}, two}}}, {}}), Error);
  EXPECT_THROW(encode_safetensors({{{"a", {{0, -1}, std::vector<float>{}}}}, {}}), Error);
  EXPECT_THROW(encode_safetensors({{{"__metadata__", {{2}, two}}}, {}}), Error);
  EXPECT_THROW(encode_safetensors({{{"\xff", {{2}, two}}}, {}}), Error);
}

TEST(SafetensorsTest, TruncationAnywhereIsRefused) {
  const std::string bytes = encode_safetensors(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    expect_usage_error([&] { decode_safetensors(bytes.substr(0, size), "cut.safetensors"); },
                       {"cut.safetensors"});
  }
  expect_usage_error([&] { decode_safetensors(bytes + "x", "long"); }, {"long", "no array"});
}

TEST(SafetensorsTest, FlippedBitsAreReadOrRefusedNeverACrash) {
  const std::string bytes = encode_safetensors(example());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string damaged = bytes;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
    try {
      const TensorFile file = decode_safetensors(damaged, "x");
      EXPECT_EQ(decode_safetensors(encode_safetensors(file), "x").tensors.size(),
                file.tensors.size());
    } catch (const UsageError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 8u * 8u);  // the header's length at least
}

struct BadFile {
  const char* header;
  std::size_t data_bytes;
  const char* reason;
};

TEST(SafetensorsTest, NamesWhatIsWrong) {
  const std::vector<BadFile> files = {
      {R"([])", 0, "not a JSON object"},
      {R"({"a":)", 0, "line 1"},
      {R"({"a":{},"a":{}})", 0, "twice"},
      {"{\"\xff\":{}}", 0, "UTF-8"},
      {R"({"a":3})", 0, "not an object"},
      {R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "dtype none"},
      {R"({"a":{"dtype":3,"shape":[1],"data_offsets":[0,4]}})", 4, "dtype 3"},
      {R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", 4, "\"BF16\""},
      {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "shape"},
      {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "shape"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "shape"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "bytes 4 to 0"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "bytes 0 to 8"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "does not fill"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0,
       "does not fill"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,0]}})", 0, "shape"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "byte 0"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4, "overlap"},
      {R"({"__metadata__":{"a":1}})", 0, "not a string"},
      {R"({"__metadata__":3})", 0, "__metadata__"},
  };
  for (const BadFile& bad : files) {
    SCOPED_TRACE(bad.header);
    const std::string bytes = file_bytes(bad.header, std::string(bad.data_bytes, '\0'));
    expect_usage_error([&] { decode_safetensors(bytes, "bad.file"); }, {"bad.file", bad.reason});
  }
}

TEST(SafetensorsTest, RefusesAHugeHeader) {
  const std::string bytes("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10);
  expect_usage_error([&] { decode_safetensors(bytes, "x"); }, {"header claims"});
}

TEST(SafetensorsTest, MissingFile) {
  const TemporaryFolder folder;
  expect_usage_error([&] { load_safetensors(folder / "none"); }, {(folder / "none").string()});
}

}  // namespace
}  // namespace lpdm
