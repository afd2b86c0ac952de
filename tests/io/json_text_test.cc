#include "io/json_text.h"

#include <gtest/gtest.h>

#include "io/usage_error.h"

namespace lpdm {
namespace {

TEST(JsonTextTest, ReadsStrictJson) {
  const Json value = parse_json(R"({"b": [1, 2.5, "x"], "a": null})", "text");
  EXPECT_EQ(value["b"][1], 2.5);
  EXPECT_EQ(value.begin().key(), "b");  // order is kept
}

TEST(JsonTextTest, CommentsOnlyWhereAllowed) {
  EXPECT_EQ(parse_json("// one\n[1 /* two */]", "text", JsonComments::kAllowed), Json::array({1}));
  expect_usage_error([] { parse_json("// one\n[1]", "trace.json"); }, {"trace.json", "line 1"});
}

TEST(JsonTextTest, RefusesDuplicatesOfOneObjectOnly) {
  expect_usage_error([] { parse_json(R"([{"a": {"b": 1, "b": 2}}])", "text"); },
                     {"text", "\"a.b\"", "twice"});
  EXPECT_EQ(parse_json(R"([{"a": 1}, {"a": 1}])", "text").size(), 2u);
  EXPECT_EQ(parse_json(R"({"a": {"a": {"a": 1}}})", "text").size(), 1u);
}

TEST(JsonTextTest, LimitsDepth) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(parse_json(nested(60), "text").size(), 1u);
  expect_usage_error([&] { parse_json(nested(100), "text"); }, {"text", "deeper"});
}

TEST(JsonTextTest, ExcerptsAreShortAndNeverThrow) {
  EXPECT_EQ(json_excerpt(Json("a\nb")), "\"a\\nb\"");
  EXPECT_NO_THROW(json_excerpt(Json("\xff\xfe")));
  EXPECT_LT(json_excerpt(Json(std::string(1000, 'x'))).size(), 200u);
  std::string accents;
  for (int i = 0; i < 500; ++i) accents += "\u00e9";
  const std::string excerpt = json_excerpt(Json(accents));
  EXPECT_NO_THROW(Json(excerpt).dump()) << "cut within a character";
}

}  // namespace
}  // namespace lpdm
