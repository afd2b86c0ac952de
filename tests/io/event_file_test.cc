// Event files: the bytes they are made of, and what is left of them when a run is resumed. That
// TensorBoard itself reads them is tested in tests/scripts/tensorboard_test.py.
#include "io/event_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/crc32c.h"
#include "io/event_record.h"
#include "io/protobuf_writer.h"
#include "io/temporary_folder.h"

namespace lpdm {
namespace {

using namespace std::string_literals;

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  return files;
}

int records_in(const std::filesystem::path& file) {
  const std::string bytes = file_text(file);
  int records = 0;
  std::string_view rest = bytes;
  while (const auto data = decode_record(rest)) {
    rest.remove_prefix(kRecordFrame + data->size());
    ++records;
  }
  EXPECT_TRUE(rest.empty());
  return records;
}

constexpr int kBegin = 2;  // records before the first step

std::filesystem::path write_steps(const std::filesystem::path& folder, int first, int last) {
  EventFile file(folder, first);
  for (int step = first; step <= last; ++step) {
    file.append(step, {.scalars = {{"return_mean", 0.5 * step}}, .histograms = {}});
  }
  return files_in(folder).front();
}

TEST(Crc32c, OfTheStandardExample) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

// From the encoding's documentation: field 1 = 150 is 08 96 01, field 2 = "testing" 12 07 ….
TEST(ProtobufWriter, WritesTheWireFormat) {
  ProtobufWriter inner;
  inner.add_integer(1, 150);
  EXPECT_EQ(inner.bytes(), "\x08\x96\x01");
  ProtobufWriter writer;
  writer.add_bytes(2, "testing");
  writer.add_message(3, inner);
  writer.add_float(4, 1.0F);
  writer.add_double(5, -2.0);
  writer.add_integers(6, std::vector<std::int64_t>{3, 270, 86942});
  EXPECT_EQ(writer.bytes(),
            "\x12\x07testing\x1a\x03\x08\x96\x01\x25\x00\x00\x80\x3f\x29\x00\x00\x00\x00\x00\x00"
            "\x00\xc0\x32\x06\x03\x8e\x02\x9e\xa7\x05"s);
}

TEST(ProtobufWriter, NegativeIntegersTakeTenBytes) {
  ProtobufWriter writer;
  writer.add_integer(1, -1);
  EXPECT_EQ(writer.bytes(), "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
}

TEST(EventRecord, IsReadBack) {
  const std::string bytes = encode_record("one") + encode_record("");
  const auto first = decode_record(bytes);
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, "one");
  EXPECT_EQ(decode_record(std::string_view(bytes).substr(kRecordFrame + 3)), "");
}

TEST(EventRecord, EveryDamagedOrMissingByteIsNoticed) {
  const std::string bytes = encode_record("some data");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_FALSE(decode_record(damaged)) << i;
    EXPECT_FALSE(decode_record(std::string_view(bytes).substr(0, i))) << i;
  }
}

TEST(Histogram, CountsWhatLiesOutsideInTheOutermostBins) {
  const std::vector<float> values{-2.0F, 0.0F, 0.25F, 0.5F, 1.0F, 9.0F};
  const Histogram histogram = make_histogram(values, 0.0, 1.0, 2);
  EXPECT_EQ(histogram.limits, (std::vector<double>{0.5, 1.0}));
  EXPECT_EQ(histogram.counts, (std::vector<double>{3.0, 3.0}));
  EXPECT_EQ(histogram.min, -2.0);
  EXPECT_EQ(histogram.max, 9.0);
  EXPECT_EQ(histogram.count, 6);
  EXPECT_EQ(histogram.sum, 8.75);
  EXPECT_EQ(histogram.sum_squares, 86.3125);
}

TEST(EventFile, KeepsTheStepsUpToTheCheckpoint) {
  const TemporaryFolder folder;
  const auto file = write_steps(folder.path(), 1, 300);
  keep_events(folder.path(), 300);
  EXPECT_EQ(records_in(file), kBegin + 300);
  keep_events(folder.path(), 200);
  EXPECT_EQ(records_in(file), kBegin + 200);
}

TEST(EventFile, AResumedRunBeginsAnotherFileThatTensorBoardReadsLater) {
  const TemporaryFolder folder;
  const auto first = write_steps(folder.path(), 1, 3);
  EventFile(folder.path(), 4);
  const auto files = files_in(folder.path());
  ASSERT_EQ(files.size(), 2U);
  for (const auto& file : files) EXPECT_GE(file, first);
}

TEST(EventFile, IsCutWhereItIsDamaged) {
  const TemporaryFolder folder;
  const auto file = write_steps(folder.path(), 1, 10);
  std::string bytes = file_text(file);
  const std::size_t record = (bytes.size() / 12);
  bytes[bytes.size() - record / 2] ^= 1;
  put_file(file, bytes + "half a rec");
  keep_events(folder.path(), 10);
  EXPECT_EQ(records_in(file), kBegin + 9);
}

}  // namespace
}  // namespace lpdm
