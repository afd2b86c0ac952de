#include "core/nearest_name.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace lpdm {
namespace {

TEST(NearestNameTest, FindsTheSmallestEditDistance) {
  const std::vector<std::string> known = {"discount", "count", "guided", "guide_base"};
  EXPECT_EQ(nearest_name("cuont", known), "count");
  EXPECT_EQ(nearest_name("guide", known), "guided");
  EXPECT_EQ(nearest_name("DISCOUNTS", known), "discount");
  EXPECT_EQ(nearest_name("guidebase", known), "guide_base");
}

TEST(NearestNameTest, TakesTheFirstOfEquallyNear) {
  const std::vector<std::string> known = {"ab", "ac"};
  EXPECT_EQ(nearest_name("a", known), "ab");
}

TEST(NearestNameTest, IsEmptyWithoutNames) { EXPECT_EQ(nearest_name("a", {}), ""); }

RC_GTEST_PROP(NearestNameTest, AKnownNameIsItsOwnNearest, (std::vector<std::string> known)) {
  RC_PRE(!known.empty());
  const std::string name = *rc::gen::elementOf(known);
  const auto lower = [](std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
  };
  RC_ASSERT(lower(nearest_name(name, known)) == lower(name));
}

}  // namespace
}  // namespace lpdm
