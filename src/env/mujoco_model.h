// Loading MuJoCo models: each file is parsed once per process and shared by all environments.
#pragma once

#include <mujoco/mujoco.h>

#include <memory>
#include <string>

namespace lpdm {

// The folder of Gymnasium's model files: the environment variable LPDM_MODEL_DIR, or else the one
// that the program was built with.
std::string model_directory();

// The compiled model of `file` in model_directory(). Any thread may call it. Throws UsageError
// naming the path if the folder or file is missing or MuJoCo cannot read it.
std::shared_ptr<const mjModel> load_model(const std::string& file);

}  // namespace lpdm
