// The device's memory: a range of addresses that only queued work may touch.
//
// Pages are opened while a kernel or a copy runs and closed after it, so a host that reads device
// memory by itself stops at once. New memory is full of NaNs. Safe to use from any thread.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

namespace lpdm::shim {

class DeviceMemory {
 public:
  static DeviceMemory& get();

  // Null if `bytes` are not left.
  void* allocate(std::size_t bytes);
  bool release(void* memory);
  // Whether an address lies in the range, and whether so many bytes are allocated there.
  bool owns(const void* memory) const;
  bool holds(const void* memory, std::size_t bytes);

  void set_size(std::size_t bytes);
  std::size_t size();
  std::size_t in_use();

  // While one of these lives the memory can be touched.
  class Access {
   public:
    Access();
    ~Access();
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;
  };

 private:
  DeviceMemory();
  ~DeviceMemory();
  void protect(int protection);
  std::size_t top() const;  // [bytes] from the start that may be in use

  std::mutex mutex_;
  std::byte* range_ = nullptr;
  std::size_t size_;
  std::size_t in_use_ = 0;
  int accesses_ = 0;
  std::map<std::size_t, std::size_t> allocated_;  // offset → bytes
};

}  // namespace lpdm::shim
