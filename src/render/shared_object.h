// A library that is looked for when it is needed, so that the program starts without it.
#pragma once

#include <initializer_list>
#include <memory>

namespace lpdm {

class SharedObject {
 public:
  // The first of `names` that the system finds, its symbols visible to libraries loaded before;
  // none if there is no such library. It stays loaded until the program ends: graphics drivers
  // do not expect to be unloaded.
  static std::unique_ptr<SharedObject> open(std::initializer_list<const char*> names);

  // The function `name`; null if there is none. Function: a pointer type.
  template <class Function>
  Function find(const char* name) const {
    return reinterpret_cast<Function>(find_symbol(name));
  }

 private:
  explicit SharedObject(void* handle) : handle_(handle) {}
  void* find_symbol(const char* name) const;

  void* handle_;
};

}  // namespace lpdm
