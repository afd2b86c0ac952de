// Graphs of the CUDA runtime: captured work, replayed in an order drawn anew each time.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>
#include <vector>

#include "shim/work_queue.h"

using lpdm::shim::Device;
using lpdm::shim::Graph;
using lpdm::shim::GraphExec;
using lpdm::shim::GraphNode;
using lpdm::shim::Shuffler;
using lpdm::shim::Stream;

namespace {

// Whether every node comes before one of `last`, so that the stream that began the capture has been
// joined by all others.
bool all_joined(const Graph& graph, const std::vector<std::size_t>& last) {
  std::vector<bool> reached(graph.nodes.size(), false);
  std::vector<std::size_t> open = last;
  while (!open.empty()) {
    const std::size_t node = open.back();
    open.pop_back();
    if (reached[node]) continue;
    reached[node] = true;
    const std::vector<std::size_t>& after = graph.nodes[node].after;
    open.insert(open.end(), after.begin(), after.end());
  }
  return std::ranges::all_of(reached, [](bool node) { return node; });
}

// A line for each node in the file that LPDM_SHIM_GRAPH names: its number and those it comes after.
void write_graph(const Graph& graph) {
  const char* name = std::getenv("LPDM_SHIM_GRAPH");
  if (name == nullptr) return;
  std::ofstream file(name);
  for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
    file << k;
    for (const std::size_t before : graph.nodes[k].after) file << ' ' << before;
    file << '\n';
  }
}

void replay(const Graph& graph, Shuffler& shuffler) {
  std::vector<bool> done(graph.nodes.size(), false);
  for (std::size_t count = 0; count < graph.nodes.size(); ++count) {
    std::vector<std::size_t> candidates;
    for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
      const GraphNode& node = graph.nodes[k];
      if (!done[k] && std::ranges::all_of(node.after, [&](std::size_t n) { return done[n]; })) {
        candidates.push_back(k);
      }
    }
    const std::size_t next =
        candidates[shuffler.below(static_cast<std::uint32_t>(candidates.size()))];
    graph.nodes[next].run();
    done[next] = true;
  }
}

}  // namespace

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  Stream& stream = device.of(handle);
  if (handle == nullptr || stream.captured_by != nullptr) {
    return device.remember(cudaErrorStreamCaptureUnsupported);
  }
  stream.captured_by = new Graph;
  stream.began_capture = true;
  stream.last_nodes.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  Stream& origin = device.of(handle);
  *graph = nullptr;
  if (!origin.began_capture) return device.remember(cudaErrorStreamCaptureUnsupported);
  Graph* captured = origin.captured_by;
  const bool joined = all_joined(*captured, origin.last_nodes);
  for (const auto& stream : device.streams) {
    if (stream->captured_by != captured) continue;
    stream->captured_by = nullptr;
    stream->began_capture = false;
    stream->last_nodes.clear();
  }
  if (!joined) {
    delete captured;
    return device.remember(cudaErrorStreamCaptureUnjoined);
  }
  *graph = captured;
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  *status = device.of(stream).captured_by != nullptr ? cudaStreamCaptureStatusActive
                                                     : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  write_graph(*graph);
  *exec = new GraphExec{*graph};
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, void*, std::size_t* count) {
  *count = graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  return device.remember(
      device.add(stream, [&device, graph = exec->graph] { replay(graph, device.shuffler); }));
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
