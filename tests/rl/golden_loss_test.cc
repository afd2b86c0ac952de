// The goldens of tests/data/loss/local_loss.json: the float64 reference to 1e-10, the engine to
// float32's accuracy.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "io/json_text.h"
#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/error.h"
#include "reference/closeness.h"
#include "reference/local_loss.h"
#include "rl/loss_cases.h"
#include "test_backend.h"
#include "test_data.h"

namespace lpdm {
namespace {

using reference::all_close;
using reference::Values;

Json load(const std::string& name) {
  std::ifstream file(test_data_folder() + "/loss/" + name);
  return Json::parse(file);
}

// Their gradients hang on differences below float32's resolution of w, x or y.
bool ill_conditioned(const Json& golden) {
  return golden["name"] == "saturated" || golden["name"] == "tiny-inputs";
}

LocalLossConfig options_of(const Json& golden) {
  Json hidden;
  for (const char* key :
       {"guided", "metric", "scale", "norm", "max_gradient", "guide_base", "pairs"}) {
    hidden[key] = golden[key];
  }
  return parse_config(Json{{"hidden", hidden}}.dump()).hidden.loss;
}

reference::LocalLossInputs reference_inputs(const Json& golden, const Values& y) {
  return {.n = golden["n"],
          .dim = golden["dim_x"],
          .out = golden["dim_out"],
          .x = golden["x"],
          .y = y,
          .values = golden["guided"] ? golden["values"].get<Values>() : Values{},
          .landmarks = golden["landmark_rows"].is_null()
                           ? std::vector<std::int64_t>{}
                           : golden["landmark_rows"].get<std::vector<std::int64_t>>(),
          .options = options_of(golden),
          .previous = std::nullopt};
}

Values layer_input(const Json& golden) { return golden[golden["h"].is_null() ? "x" : "h"]; }

TEST(GoldenLoss, ReferenceReproducesThem) {
  int compared = 0;
  const Json goldens = load("local_loss.json");
  for (const Json& golden : goldens["cases"]) {
    SCOPED_TRACE(golden["name"].get<std::string>());
    const std::int64_t n = golden["n"];
    const Values h = layer_input(golden);
    const Values y = reference::dense_tanh(h, golden["w"], golden["b"], n);
    const auto result = reference::local_loss(reference_inputs(golden, y));
    const auto dense = reference::dense_tanh_gradients(result.grad_y, y, h, n);
    const double loss = golden["loss"];
    EXPECT_NEAR(result.loss, loss, 1e-10 * std::max(1.0, loss));
    EXPECT_TRUE(all_close(result.grad_y, golden["grad_y"], 1e-10, 1e-10));
    EXPECT_TRUE(all_close(dense.weight, golden["grad_w"], 1e-10, 1e-10));
    EXPECT_TRUE(all_close(dense.bias, golden["grad_b"], 1e-10, 1e-10));
    ++compared;
  }
  EXPECT_EQ(compared, 46);
}

TEST(GoldenLoss, EngineAgrees) {
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool);
  const Json goldens = load("local_loss.json");
  const Json results = run_loss_cases(goldens, "goldens", *backend);
  ASSERT_EQ(results["cases"].size(), goldens["cases"].size());
  int compared = 0;
  for (std::size_t k = 0; k < goldens["cases"].size(); ++k) {
    const Json& golden = goldens["cases"][k];
    const Json& result = results["cases"][k];
    SCOPED_TRACE(golden["name"].get<std::string>());
    EXPECT_EQ(result["name"], golden["name"]);
    if (ill_conditioned(golden)) continue;
    const double loss = golden["loss"];
    EXPECT_NEAR(result["loss"].get<double>(), loss, std::max(1e-5 * loss, 1e-6));
    EXPECT_TRUE(all_close(result["grad_y"].get<Values>(), golden["grad_y"], 1e-4, 1e-6));
    EXPECT_TRUE(all_close(result["grad_w"].get<Values>(), golden["grad_w"], 1e-4, 1e-6));
    EXPECT_TRUE(all_close(result["grad_b"].get<Values>(), golden["grad_b"], 1e-4, 1e-6));
    ++compared;
  }
  EXPECT_EQ(compared, 44);
}

// The engine's own float32 y of a case's layer.
std::vector<float> float32_outputs(const Json& golden, Backend& backend) {
  const std::int64_t n = golden["n"], in = golden["dim_in"], out = golden["dim_out"];
  const auto upload = [&](const Values& values) {
    DeviceArray<float> array(backend, static_cast<std::int64_t>(values.size()));
    array.write(std::vector<float>(values.begin(), values.end()));
    return array;
  };
  const auto h = upload(layer_input(golden)), w = upload(golden["w"]), b = upload(golden["b"]);
  DeviceArray<std::int64_t> count(backend, 1);
  count.write(std::vector<std::int64_t>{n});
  DeviceArray<float> y(backend, n * out);
  backend.dense_forward({.rows = {count.data(), n},
                         .in = in,
                         .out = out,
                         .input = h.data(),
                         .weight = w.data(),
                         .bias = b.data(),
                         .output = y.data()});
  return y.read();
}

TEST(GoldenLoss, IllConditionedCasesAgreeOnTheEnginesOwnOutputs) {
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool);
  const Json goldens = load("local_loss.json");
  const Json results = run_loss_cases(goldens, "goldens", *backend);
  int compared = 0;
  for (std::size_t k = 0; k < goldens["cases"].size(); ++k) {
    const Json& golden = goldens["cases"][k];
    if (!ill_conditioned(golden)) continue;
    SCOPED_TRACE(golden["name"].get<std::string>());
    const std::vector<float> y32 = float32_outputs(golden, *backend);
    const Values y(y32.begin(), y32.end());
    reference::LocalLossInputs inputs = reference_inputs(golden, y);
    for (double& x : inputs.x) x = static_cast<float>(x);
    const auto expected = reference::local_loss(inputs);
    const auto dense =
        reference::dense_tanh_gradients(expected.grad_y, y, layer_input(golden), inputs.n);
    const Json& result = results["cases"][k];
    EXPECT_NEAR(result["loss"].get<double>(), expected.loss, 1e-5 * expected.loss);
    EXPECT_TRUE(all_close(result["grad_y"].get<Values>(), expected.grad_y, 1e-4, 1e-6));
    EXPECT_TRUE(all_close(result["grad_w"].get<Values>(), dense.weight, 1e-4, 1e-6));
    // Σ_i ∂L/∂y_i = 0, so where all y are alike ∂L/∂b is what rounding leaves of terms that cancel:
    // it can be right only relative to those terms.
    double terms = 0.0;
    for (const double g : expected.grad_y) terms = std::max(terms, std::abs(g));
    EXPECT_TRUE(all_close(result["grad_b"].get<Values>(), dense.bias, 1e-4, 1e-6 * terms));
    ++compared;
  }
  EXPECT_EQ(compared, 2);
}

TEST(GoldenLoss, MalformedCasesAreRefusedWithTheirPlace) {
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool);
  Json cases = load("local_loss.json");
  const auto refused = [&](const std::string& expected) {
    try {
      run_loss_cases(cases, "f.json", *backend);
      ADD_FAILURE() << "accepted, expected " << expected;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  };
  Json& first = cases["cases"][0];
  const Json original = first;
  first.erase("x");
  refused("f.json: case 0: field 'x' is missing");
  first = original;
  first["x"].erase(0);
  refused("field 'x' has 35 elements, expected 36");
  first = original;
  first["scale"] = "owm";
  refused("owm");
  first = original;
  first["n"] = 0;
  refused("field 'n' is 0");
  first = original;
  first["landmark_rows"] = {3, 99};
  refused("landmark_rows must be distinct rows from 0 to 8");
  first["landmark_rows"] = {3, 5};
  first["pairs"] = "closest";
  refused("landmark_rows and sparse pairs exclude each other");
  first = original;
  first["pairs"] = "landmarks:3";
  refused("pairs landmarks:M leaves open which rows");
  first = original;
  first["target"] = "error_propagation";
  refused("target error_propagation needs the layers below");
  cases = Json::array();
  refused("expected an object with a list 'cases'");
}

}  // namespace
}  // namespace lpdm
