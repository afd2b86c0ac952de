// Completion scripts for shells.
#pragma once

#include <string>

#include "command_tree.h"

namespace lpdm {

std::string bash_completion(const Command& program);
std::string zsh_completion(const Command& program);
std::string fish_completion(const Command& program);

}  // namespace lpdm
