// Curves of one line of text.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lpdm {

// `values` from left to right in at most `width` characters, eight heights between their smallest
// and largest; each character is the mean of an equal share of them. What is not-a-number is left
// out; a share of nothing else is a space.
std::string sparkline(std::span<const double> values, std::size_t width);

}  // namespace lpdm
