// Loading MuJoCo models: each file is parsed once per process and shared by all environments.
#pragma once

#include <mujoco/mujoco.h>

#include <memory>
#include <string>

namespace lpdm {

// The folder of Gymnasium's model files: the environment variable LPDM_MODEL_DIR, or else the first
// there is of those installed beside the program, those it was built with, and those of the place
// the library was to be installed in.
std::string model_directory();

// The compiled model of `file` in model_directory(), with the physics of 2.3.7. Any thread may call
// it. Throws UsageError naming the path if the folder or file is missing or MuJoCo cannot read it.
std::shared_ptr<const mjModel> load_model(const std::string& file);

// Whose physics a model gets: the library's own, or, as far as it can be had, that of 2.3.7.
enum class Physics { kOwn, kLike237 };

// The compiled model at `path`, wherever that is. Throws UsageError naming the path and what MuJoCo
// says if it cannot read it.
std::shared_ptr<const mjModel> load_model_file(const std::string& path, Physics physics);

}  // namespace lpdm
