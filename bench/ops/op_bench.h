// What the benchmarks of single ops share: the device they run on, its arrays, and checked results.
//
// Every benchmark computes once and compares with float64 before it is timed; one that deviates
// ends with an error instead of a time.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lpdm/backend.h"

namespace lpdm::bench {

// Where the ops run; set once from the command line, before the benchmarks are registered.
struct Device {
  Backend& backend;

  template <class T>
  DeviceArray<T> upload(const std::vector<T>& values) const {
    DeviceArray<T> array(backend, static_cast<std::int64_t>(values.size()));
    array.write(values);
    return array;
  }
  template <class T>
  DeviceArray<T> zeros(std::int64_t size) const {
    return DeviceArray<T>(backend, size);
  }
};

// Uniform in [-1, 1).
std::vector<float> uniform_values(std::int64_t size, std::uint32_t seed);
std::vector<double> widen(const std::vector<float>& values);

// The largest deviation, relative to the largest expected magnitude.
double deviation(std::span<const float> computed, std::span<const double> expected);

// Times `op`, whose result `wait` waits for, unless `found` is above `tolerance`.
struct Timed {
  double found = 0.0;
  double tolerance = 0.0;
  std::function<void()> op;
  std::function<void()> wait;
};
void run(benchmark::State& state, const Timed& timed);

// Registers with five repetitions, of which median and spread are reported.
void add(const std::string& name, std::function<void(benchmark::State&)> body);

void add_dense(const Device& device);
void add_local_loss(const Device& device);
void add_learning(const Device& device);
void add_inference(const Device& device);

}  // namespace lpdm::bench
