#include "io/json_text.h"

#include <fmt/format.h>

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxExcerpt = 120;  // characters

// Cuts `text` to kMaxExcerpt bytes without splitting a UTF-8 sequence.
std::string shortened(std::string text) {
  if (text.size() <= kMaxExcerpt) return text;
  std::size_t end = kMaxExcerpt;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  text.resize(end);
  return text + "...";
}

// Watches the parser's events for what the parser itself lets pass.
class Observer {
 public:
  explicit Observer(const std::string& source) : source_(source) {}

  void operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > kMaxDepth) {
      throw UsageError(fmt::format("{} nests values deeper than the {} levels that are supported",
                                   source_, kMaxDepth));
    }
    if (event == Event::object_start) {
      objects_.emplace_back();
    } else if (event == Event::object_end) {
      objects_.pop_back();
    } else if (event == Event::key) {
      on_key(parsed.get_ref<const std::string&>());
    }
  }

 private:
  struct Object {
    std::set<std::string> keys;
    std::string current;
  };

  void on_key(const std::string& key) {
    objects_.back().current = key;
    if (objects_.back().keys.insert(key).second) return;
    std::string path;
    for (const Object& object : objects_) path += (path.empty() ? "" : ".") + object.current;
    throw UsageError(
        fmt::format("{} gives the key \"{}\" twice, keep one of them", source_, shortened(path)));
  }

  const std::string& source_;
  std::vector<Object> objects_;  // the objects around the current position, outermost first
};

// "[json.exception.parse_error.101] parse error at line 1, ..." -> "line 1, ..."
std::string without_library_prefix(const std::string& what) {
  std::string text = what;
  if (const auto bracket = text.find("] "); bracket != std::string::npos) {
    text = text.substr(bracket + 2);
  }
  constexpr std::string_view kPrefix = "parse error at ";
  if (text.starts_with(kPrefix)) text = text.substr(kPrefix.size());
  return shortened(text);
}

}  // namespace

Json parse_json(std::string_view text, const std::string& source, JsonComments comments) {
  Observer observer(source);
  const auto callback = [&observer](int depth, Json::parse_event_t event, Json& parsed) {
    observer(depth, event, parsed);
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), callback, true,
                       comments == JsonComments::kAllowed);
  } catch (const Json::parse_error& error) {
    throw UsageError(
        fmt::format("{} is not valid JSON at {}", source, without_library_prefix(error.what())));
  } catch (const Json::exception& error) {
    throw UsageError(
        fmt::format("{} cannot be read: {}", source, without_library_prefix(error.what())));
  }
}

std::string json_excerpt(const Json& value) {
  return shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace lpdm
