#include "io/crc32c.h"

#include <array>

namespace lpdm {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // bits reversed: the lowest comes first

// The remainder of each byte value.
constexpr std::array<std::uint32_t, 256> make_remainders() {
  std::array<std::uint32_t, 256> remainders{};
  for (std::uint32_t byte = 0; byte < remainders.size(); ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    }
    remainders[byte] = remainder;
  }
  return remainders;
}

constexpr std::array<std::uint32_t, 256> kRemainders = make_remainders();

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t remainder = ~std::uint32_t{0};
  for (const char byte : bytes) {
    const auto index = (remainder ^ static_cast<unsigned char>(byte)) & 0xff;
    remainder = (remainder >> 8) ^ kRemainders[index];
  }
  return ~remainder;
}

}  // namespace lpdm
