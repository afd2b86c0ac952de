#include <fmt/format.h>

#include <bit>
#include <span>
#include <string>
#include <string_view>

#include "export/formats.h"
#include "io/protobuf_writer.h"

namespace lpdm {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are copied as they lie");

constexpr std::int64_t kIrVersion = 8;
constexpr std::int64_t kOpset = 17;

// Field numbers of onnx.proto.
namespace model_field {
constexpr int kIrVersion = 1, kProducerName = 2, kProducerVersion = 3, kDoc = 6, kGraph = 7,
              kOpsetImport = 8, kMetadata = 14;
}
namespace graph_field {
constexpr int kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12;
}
namespace node_field {
constexpr int kInput = 1, kOutput = 2, kName = 3, kOpType = 4, kAttribute = 5;
}
namespace attribute_field {
constexpr int kName = 1, kInteger = 3, kType = 20;
constexpr std::int64_t kIntegerType = 2;
}  // namespace attribute_field
namespace tensor_field {
constexpr int kDims = 1, kDataType = 2, kName = 8, kRawData = 9;
}
namespace value_field {
constexpr int kName = 1, kType = 2, kDoc = 3;
}

enum class ElementType : std::int64_t { kFloat = 1, kInt64 = 7, kDouble = 11 };

// An attribute of a node that is a whole number.
struct Attribute {
  const char* name;
  std::int64_t value;
};

// Grows the graph node by node; every node's output is called by the name it is given.
class GraphWriter {
 public:
  static constexpr std::int64_t kRows = -1;  // in a shape: as many as there are observations

  GraphWriter() { graph_.add_bytes(graph_field::kName, "policy"); }

  void add_node(const std::string& type, std::span<const std::string> inputs,
                const std::string& output, std::span<const Attribute> attributes = {}) {
    ProtobufWriter node;
    for (const std::string& input : inputs) node.add_bytes(node_field::kInput, input);
    node.add_bytes(node_field::kOutput, output);
    node.add_bytes(node_field::kName, output + "/" + type);
    node.add_bytes(node_field::kOpType, type);
    for (const Attribute& attribute : attributes) {
      ProtobufWriter message;
      message.add_bytes(attribute_field::kName, attribute.name);
      message.add_integer(attribute_field::kInteger, attribute.value);
      message.add_integer(attribute_field::kType, attribute_field::kIntegerType);
      node.add_message(node_field::kAttribute, message);
    }
    graph_.add_message(graph_field::kNode, node);
  }

  template <class T>
  void add_tensor(const std::string& name, std::span<const std::int64_t> shape,
                  std::span<const T> values) {
    constexpr ElementType kType =
        std::is_same_v<T, double> ? ElementType::kDouble : ElementType::kFloat;
    ProtobufWriter tensor;
    for (const std::int64_t size : shape) tensor.add_integer(tensor_field::kDims, size);
    tensor.add_integer(tensor_field::kDataType, static_cast<std::int64_t>(kType));
    tensor.add_bytes(tensor_field::kName, name);
    tensor.add_bytes(tensor_field::kRawData,
                     {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
    graph_.add_message(graph_field::kInitializer, tensor);
  }

  void add_input(const std::string& name, std::span<const std::int64_t> shape,
                 const std::string& doc) {
    graph_.add_message(graph_field::kInput, value(name, ElementType::kFloat, shape, doc));
  }
  void add_output(const std::string& name, ElementType type, std::span<const std::int64_t> shape,
                  const std::string& doc) {
    graph_.add_message(graph_field::kOutput, value(name, type, shape, doc));
  }

  const ProtobufWriter& message() const { return graph_; }

 private:
  static ProtobufWriter value(const std::string& name, ElementType type,
                              std::span<const std::int64_t> shape, const std::string& doc) {
    ProtobufWriter dimensions;
    for (const std::int64_t size : shape) {
      ProtobufWriter dimension;
      if (size == kRows) {
        dimension.add_bytes(2, "N");
      } else {
        dimension.add_integer(1, size);
      }
      dimensions.add_message(1, dimension);
    }
    ProtobufWriter tensor_type;
    tensor_type.add_integer(1, static_cast<std::int64_t>(type));
    tensor_type.add_message(2, dimensions);
    ProtobufWriter type_message;
    type_message.add_message(1, tensor_type);
    ProtobufWriter info;
    info.add_bytes(value_field::kName, name);
    info.add_message(value_field::kType, type_message);
    info.add_bytes(value_field::kDoc, doc);
    return info;
  }

  ProtobufWriter graph_;
};

using Names = std::vector<std::string>;
using Shape = std::vector<std::int64_t>;

// Normalises as the rollouts do, in double precision. Returns the name of the result.
std::string add_scaling(const PolicySnapshot::Scaling& scaling, GraphWriter& graph) {
  const Shape width = {static_cast<std::int64_t>(scaling.shift.size())};
  const std::vector<double> limits = {-scaling.limit, scaling.limit};
  graph.add_tensor<double>("observation.shift", width, scaling.shift);
  graph.add_tensor<double>("observation.scale", width, scaling.scale);
  graph.add_tensor<double>("observation.low", Shape{}, std::span(limits).first(1));
  graph.add_tensor<double>("observation.high", Shape{}, std::span(limits).last(1));
  const Attribute to_double[] = {{"to", static_cast<std::int64_t>(ElementType::kDouble)}};
  const Attribute to_float[] = {{"to", static_cast<std::int64_t>(ElementType::kFloat)}};
  graph.add_node("Cast", Names{"observation"}, "observation.double", to_double);
  graph.add_node("Sub", Names{"observation.double", "observation.shift"}, "observation.centred");
  graph.add_node("Mul", Names{"observation.centred", "observation.scale"}, "observation.scaled");
  graph.add_node("Clip", Names{"observation.scaled", "observation.low", "observation.high"},
                 "observation.clipped");
  graph.add_node("Cast", Names{"observation.clipped"}, "observation.normalized", to_float);
  return "observation.normalized";
}

// y = activation(x Wᵀ + b); the result of the last layer is called `output`.
void add_layers(const PolicySnapshot& snapshot, std::string input, GraphWriter& graph) {
  for (const PolicySnapshot::Layer& layer : snapshot.layers) {
    const bool last = &layer == &snapshot.layers.back();
    const std::string sum = last ? snapshot.output_name() : layer.name + ".sum";
    graph.add_tensor<float>(layer.name + ".weight", Shape{layer.out, layer.in}, layer.weight);
    graph.add_tensor<float>(layer.name + ".bias", Shape{layer.out}, layer.bias);
    const Attribute transposed[] = {{"transB", 1}};
    graph.add_node("Gemm", Names{input, layer.name + ".weight", layer.name + ".bias"}, sum,
                   transposed);
    if (last) return;
    input = layer.name + ".output";
    graph.add_node(layer.activation == Activation::kRelu ? "Relu" : "Tanh", Names{sum}, input);
  }
}

void add_outputs(const PolicySnapshot& snapshot, GraphWriter& graph) {
  const std::int64_t actions = snapshot.action.size;
  graph.add_output(snapshot.output_name(), ElementType::kFloat, Shape{GraphWriter::kRows, actions},
                   snapshot.action.discrete ? "unnormalised log-probabilities of the actions"
                                            : "the most likely action, before any clipping");
  if (snapshot.action.discrete) {
    const Attribute along[] = {{"axis", 1}, {"keepdims", 0}, {"select_last_index", 0}};
    graph.add_node("ArgMax", Names{snapshot.output_name()}, "action", along);
    graph.add_output("action", ElementType::kInt64, Shape{GraphWriter::kRows},
                     "the most likely action");
    return;
  }
  graph.add_tensor<float>("policy.std", Shape{actions}, snapshot.std);
  graph.add_node("Identity", Names{"policy.std"}, "std");
  graph.add_output("std", ElementType::kFloat, Shape{actions},
                   "standard deviations of the actions around their mean");
}

}  // namespace

std::string export_onnx(const PolicySnapshot& snapshot) {
  GraphWriter graph;
  graph.add_input("observation", Shape{GraphWriter::kRows, snapshot.observation_size},
                  "observations as the environment gives them");
  const std::string input =
      snapshot.scaling ? add_scaling(*snapshot.scaling, graph) : "observation";
  add_layers(snapshot, input, graph);
  add_outputs(snapshot, graph);

  ProtobufWriter model;
  model.add_integer(model_field::kIrVersion, kIrVersion);
  model.add_bytes(model_field::kProducerName, "lpdm");
  for (const auto& [name, value] : snapshot.facts) {
    if (name == "lpdm_version") model.add_bytes(model_field::kProducerVersion, value);
    ProtobufWriter entry;
    entry.add_bytes(1, name);
    entry.add_bytes(2, value);
    model.add_message(model_field::kMetadata, entry);
  }
  model.add_bytes(model_field::kDoc, fmt::format("Policy for {}", snapshot.environment));
  model.add_message(model_field::kGraph, graph.message());
  ProtobufWriter opset;
  opset.add_bytes(1, "");
  opset.add_integer(2, kOpset);
  model.add_message(model_field::kOpsetImport, opset);
  return model.bytes();
}

}  // namespace lpdm
