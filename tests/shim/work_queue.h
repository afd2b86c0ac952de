// What streams have been asked to do: queues that are worked off when somebody waits.
//
// Which stream goes on next is drawn, as far as events leave a choice, so that work whose order
// nobody demanded runs in any order. While a stream is captured its work becomes nodes of a graph.
// All functions belong to runtime.cc and runtime_graph.cc, under one lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "shim/runtime.h"

namespace lpdm::shim {

// A place in a stream's order, reached when all before it is done.
struct Mark {
  bool reached = false;
  double seconds = 0.0;  // when
};

struct Task {
  std::function<void()> run;  // empty: nothing but the marks
  std::vector<std::shared_ptr<Mark>> waits_for;
  std::shared_ptr<Mark> reaches;
};

struct GraphNode {
  std::function<void()> run;
  std::vector<std::size_t> after;  // nodes of the same graph
};

struct Graph {
  std::vector<GraphNode> nodes;
};

struct GraphExec {
  Graph graph;
};

struct Stream {
  std::deque<Task> tasks;
  Graph* captured_by = nullptr;  // not owned until the capture has ended
  bool began_capture = false;
  std::vector<std::size_t> last_nodes;  // that the next node of the capture comes after
};

struct Event {
  std::shared_ptr<Mark> mark;  // of the latest record; null: never recorded
  Graph* captured_by = nullptr;
  std::vector<std::size_t> nodes;  // of the capture it was recorded in
};

// The one device.
struct Device {
  static Device& get();

  std::recursive_mutex mutex;
  std::vector<std::unique_ptr<Stream>> streams;  // the first one is the default stream
  Shuffler shuffler{1};
  std::uint64_t seed = 1;
  std::uint64_t runs = 0;            // kernels so far: each one draws orders of its own
  cudaError_t sticky = cudaSuccess;  // a lost device
  cudaError_t last = cudaSuccess;
  const char* const lost_once;  // a file; see shim/runtime.h

  Stream& of(cudaStream_t stream) { return stream == nullptr ? *streams.front() : *stream; }
  // Appends work to a stream or to the graph that it is captured into.
  cudaError_t add(cudaStream_t stream, std::function<void()> run);
  // Runs tasks of any stream until `done` says so, or none is left that can run.
  cudaError_t work_until(const std::function<bool()>& done);
  cudaError_t remember(cudaError_t error);

 private:
  Device();
  Stream* draw_ready();
  cudaError_t run_one(Stream& stream);
};

}  // namespace lpdm::shim
