// The one exception hierarchy of the engine.
//
// Every message is a single sentence: what went wrong, where (a key, path, environment or step),
// what was expected, and how to mend it. The command line maps each class to an exit status.
#pragma once

#include <stdexcept>
#include <string>

namespace lpdm {

// Anything that stops a run and is not the user's input: exit status 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
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
