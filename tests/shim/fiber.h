// A thread of control with a stack of its own, resumed and left by hand.
//
// One host thread resumes fibers one at a time; a fiber runs until it yields or its function
// returns. The sanitizers are told of every switch.
#pragma once

#include <cstddef>
#include <memory>

namespace lpdm::shim {

class Fiber {
 public:
  using Entry = void (*)(void* argument);

  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Makes the next resume begin entry(argument) on an empty stack.
  void start(Entry entry, void* argument);
  // Runs the fiber until it yields or ends; called outside of any fiber.
  void resume();
  // Returns control to resume; called inside.
  void yield();
  // Whether the function has returned.
  bool ended() const { return ended_; }

 private:
  static void run(Fiber* self);
  void leave(bool for_good);

  std::byte* stack_ = nullptr;  // with a guard page below
  void* own_stack_pointer_ = nullptr;
  void* caller_stack_pointer_ = nullptr;
  Entry entry_ = nullptr;
  void* argument_ = nullptr;
  bool ended_ = true;
  void* own_fake_stack_ = nullptr;
  void* caller_fake_stack_ = nullptr;
  const void* caller_stack_ = nullptr;
  std::size_t caller_stack_size_ = 0;

  friend void fiber_entry(Fiber* fiber);
};

}  // namespace lpdm::shim
