// The one exception hierarchy of the engine.
//
// Every message is a single sentence: what went wrong, where (a key, path, environment or step),
// what was expected, and how to mend it. It stays on one line whatever it quotes. The command line
// maps each class to an exit status.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>

namespace lpdm {

// Anything that stops a run and is not the user's input: exit status 1.
class Error : public std::runtime_error {
 public:
  // Control characters of the message, which a quoted key or name may have, become spaces.
  explicit Error(std::string message) : std::runtime_error(on_one_line(message)) {}

 private:
  static const std::string& on_one_line(std::string& message) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
    std::replace_if(message.begin(), message.end(), control, ' ');
    return message;
  }
};

// A wrong command line, config value, or input file: exit status 2, nothing has been written.
class UsageError : public Error {
 public:
  using Error::Error;
};

// A file or folder that cannot be written, a full disk: exit status 1.
class IoError : public Error {
 public:
  using Error::Error;
};

// A non-finite loss, gradient, observation or action: exit status 1.
class NumericalError : public Error {
 public:
  using Error::Error;
};

}  // namespace lpdm
