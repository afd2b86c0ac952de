#include "render/shared_object.h"

#include <dlfcn.h>

namespace lpdm {

std::unique_ptr<SharedObject> SharedObject::open(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (void* handle = ::dlopen(name, RTLD_NOW | RTLD_GLOBAL)) {
      return std::unique_ptr<SharedObject>(new SharedObject(handle));
    }
  }
  return nullptr;
}

void* SharedObject::find_symbol(const char* name) const { return ::dlsym(handle_, name); }

}  // namespace lpdm
