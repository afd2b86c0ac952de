#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <string>

#include "export/formats.h"

namespace lpdm {
namespace {

constexpr std::size_t kNumbersPerLine = 8;

// A number as C reads it back unchanged.
template <class T>
std::string literal(T value) {
  constexpr bool kFloat = std::is_same_v<T, float>;
  std::string text = kFloat ? fmt::format("{:.9g}", value) : fmt::format("{:.17g}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return kFloat ? text + "f" : text;
}

template <class T>
std::string array(const std::string& name, std::span<const T> values) {
  std::string text =
      fmt::format("static const {} {}[{}] = {{", std::is_same_v<T, float> ? "float" : "double",
                  name, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += i % kNumbersPerLine == 0 ? "\n    " : " ";
    text += literal(values[i]) + ",";
  }
  return text + "\n};\n";
}

// "hidden.0" as part of a C name.
std::string identifier(std::string name) {
  std::ranges::replace_if(
      name, [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_');
  return name;
}

std::string data(const PolicySnapshot& snapshot) {
  std::string text;
  if (snapshot.scaling) {
    text += array<double>("lpdm_policy_shift", snapshot.scaling->shift);
    text += array<double>("lpdm_policy_scale", snapshot.scaling->scale);
  }
  for (const PolicySnapshot::Layer& layer : snapshot.layers) {
    const std::string name = "lpdm_policy_" + identifier(layer.name);
    text += fmt::format("/* ({}, {}), row by row */\n", layer.out, layer.in);
    text += array<float>(name + "_weight", layer.weight);
    text += array<float>(name + "_bias", layer.bias);
  }
  if (!snapshot.std.empty()) {
    text += array<float>("lpdm_policy_std_values", snapshot.std);
  }
  text += "/* an observation, and what the policy says to it */\n";
  text += array<float>("lpdm_policy_example_observation", snapshot.example_observation);
  text += array<float>("lpdm_policy_example_output", snapshot.example_output);
  return text;
}

std::string scaling_code(const PolicySnapshot& snapshot) {
  if (!snapshot.scaling) {
    return "  for (i = 0; i < LPDM_POLICY_OBSERVATION_SIZE; ++i) a[i] = observation[i];\n";
  }
  return fmt::format(
      "  for (i = 0; i < LPDM_POLICY_OBSERVATION_SIZE; ++i) {{\n"
      "    double x = ((double)observation[i] - lpdm_policy_shift[i]) * lpdm_policy_scale[i];\n"
      "    a[i] = (float)(x > {0} ? {0} : x < -{0} ? -{0} : x);\n"
      "  }}\n",
      literal(snapshot.scaling->limit));
}

// The calls of one layer after the other, between the buffers a and b.
std::string layers_code(const PolicySnapshot& snapshot) {
  std::string text;
  std::string from = "a", to = "b";
  for (const PolicySnapshot::Layer& layer : snapshot.layers) {
    const bool last = &layer == &snapshot.layers.back();
    const std::string name = "lpdm_policy_" + identifier(layer.name);
    text += fmt::format("  lpdm_policy_dense({0}_weight, {0}_bias, {1}, {2}, {3}, {4});\n", name,
                        layer.in, layer.out, from, last ? "output" : to);
    if (!last) {
      const char* value =
          layer.activation == Activation::kRelu ? "{0}[i] > 0.0f ? {0}[i] : 0.0f" : "tanhf({0}[i])";
      text += fmt::format("  for (i = 0; i < {}; ++i) {}[i] = {};\n", layer.out, to,
                          fmt::format(fmt::runtime(value), to));
    }
    std::swap(from, to);
  }
  return text;
}

std::int64_t widest(const PolicySnapshot& snapshot) {
  std::int64_t width = snapshot.observation_size;
  for (const PolicySnapshot::Layer& layer : snapshot.layers) width = std::max(width, layer.out);
  return width;
}

std::string functions(const PolicySnapshot& snapshot) {
  std::string text = R"(
/* y = W x + b */
static inline void lpdm_policy_dense(const float *weight, const float *bias, int in, int out,
                                     const float *x, float *y) {
  int i, j;
  for (i = 0; i < out; ++i) {
    float sum = bias[i];
    for (j = 0; j < in; ++j) sum += weight[(long)i * in + j] * x[j];
    y[i] = sum;
  }
}
)";
  text += fmt::format(
      "\n/* From an observation of the environment to the policy's {}. */\n"
      "static inline void lpdm_policy_forward(\n"
      "    const float observation[LPDM_POLICY_OBSERVATION_SIZE],\n"
      "    float output[LPDM_POLICY_ACTION_SIZE]) {{\n"
      "  float a[{}], b[{}];\n  int i;\n{}{}}}\n",
      snapshot.action.discrete ? "logits, one per action"
                               : "most likely action, before any clipping",
      widest(snapshot), widest(snapshot), scaling_code(snapshot), layers_code(snapshot));
  if (snapshot.action.discrete) {
    text += R"(
/* The most likely action for an output. */
static inline int lpdm_policy_action(const float output[LPDM_POLICY_ACTION_SIZE]) {
  int i, best = 0;
  for (i = 1; i < LPDM_POLICY_ACTION_SIZE; ++i) {
    if (output[i] > output[best]) best = i;
  }
  return best;
}
)";
  }
  if (!snapshot.std.empty()) {
    text += R"(
/* Standard deviations of the actions around their mean, LPDM_POLICY_ACTION_SIZE of them. */
static inline const float *lpdm_policy_std(void) { return lpdm_policy_std_values; }
)";
  }
  return text + R"(
/* Whether the forward function gives the example's output here; 1: yes. */
static inline int lpdm_policy_test(void) {
  float output[LPDM_POLICY_ACTION_SIZE];
  int i;
  lpdm_policy_forward(lpdm_policy_example_observation, output);
  for (i = 0; i < LPDM_POLICY_ACTION_SIZE; ++i) {
    float expected = lpdm_policy_example_output[i];
    if (!(fabsf(output[i] - expected) <= 1e-5f * (1.0f + fabsf(expected)))) return 0;
  }
  return 1;
}

#ifdef LPDM_POLICY_TEST_MAIN
#include <stdio.h>
int main(void) {
  int passed = lpdm_policy_test();
  puts(passed ? "the policy gives the example's output" : "the policy's output differs");
  return passed ? 0 : 1;
}
#endif
)";
}

// Facts as a comment, which a fact must not end.
std::string comment(const PolicySnapshot& snapshot) {
  std::string text = fmt::format(
      "/* Policy for {}, exported by lpdm.\n *\n"
      " * Test it with: cc -std=c99 -DLPDM_POLICY_TEST_MAIN -x c FILE -lm && ./a.out\n *\n",
      snapshot.environment);
  for (const auto& [name, value] : snapshot.facts) {
    text += fmt::format(" * {}: {}\n", name, value);
  }
  text += " */\n";
  for (std::size_t at = 3; (at = text.find("*/", at)) + 3 < text.size(); ++at) text[at] = '+';
  return text;
}

}  // namespace

std::string export_c_header(const PolicySnapshot& snapshot) {
  return fmt::format(
      "{}#ifndef LPDM_POLICY_H\n#define LPDM_POLICY_H\n\n#include <math.h>\n\n"
      "#define LPDM_POLICY_OBSERVATION_SIZE {}\n#define LPDM_POLICY_ACTION_SIZE {}\n\n{}{}\n"
      "#endif\n",
      comment(snapshot), snapshot.observation_size, snapshot.action.size, data(snapshot),
      functions(snapshot));
}

}  // namespace lpdm
