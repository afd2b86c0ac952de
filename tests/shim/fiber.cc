#include "shim/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <new>

#include "shim/sanitizers.h"

// Saves the callee-saved registers and the stack pointer of one stack and takes up another's.
extern "C" void lpdm_shim_switch_stack(void** save_stack_pointer, void* new_stack_pointer);
extern "C" void lpdm_shim_begin_fiber();

#if defined(__x86_64__)
asm(R"(
.text
.globl lpdm_shim_switch_stack
.type lpdm_shim_switch_stack, @function
lpdm_shim_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size lpdm_shim_switch_stack, .-lpdm_shim_switch_stack
.globl lpdm_shim_begin_fiber
.type lpdm_shim_begin_fiber, @function
lpdm_shim_begin_fiber:
  movq %rbx, %rdi
  call lpdm_shim_fiber_entry
  ud2
.size lpdm_shim_begin_fiber, .-lpdm_shim_begin_fiber
.section .note.GNU-stack,"",@progbits
.text
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl lpdm_shim_switch_stack
.type lpdm_shim_switch_stack, %function
lpdm_shim_switch_stack:
  stp x19, x20, [sp, #-160]!
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldp x19, x20, [sp], #160
  ret
.size lpdm_shim_switch_stack, .-lpdm_shim_switch_stack
.globl lpdm_shim_begin_fiber
.type lpdm_shim_begin_fiber, %function
lpdm_shim_begin_fiber:
  mov x0, x19
  bl lpdm_shim_fiber_entry
  brk #1
.size lpdm_shim_begin_fiber, .-lpdm_shim_begin_fiber
.section .note.GNU-stack,"",%progbits
.text
)");
#else
#error \
    "The execution shim knows the stacks of x86-64 and 64-bit Arm only; build with LPDM_CUDA=OFF."
#endif

namespace lpdm::shim {

namespace {

constexpr std::size_t kStackBytes = kAddressSanitizer ? 512 * 1024 : 128 * 1024;

std::size_t page_bytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

void fiber_entry(Fiber* fiber) { Fiber::run(fiber); }

extern "C" void lpdm_shim_fiber_entry(Fiber* fiber) { fiber_entry(fiber); }

Fiber::Fiber() {
  const std::size_t guard = page_bytes();
  void* memory = mmap(nullptr, kStackBytes + guard, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, guard, PROT_NONE);
  stack_ = static_cast<std::byte*>(memory) + guard;
}

Fiber::~Fiber() {
  unpoison(stack_, kStackBytes);
  munmap(stack_ - page_bytes(), kStackBytes + page_bytes());
}

void Fiber::start(Entry entry, void* argument) {
  entry_ = entry;
  argument_ = argument;
  ended_ = false;
  own_fake_stack_ = nullptr;
  unpoison(stack_, kStackBytes);
#if defined(__x86_64__)
  // Popped in this order: r15, r14, r13, r12, rbx, rbp, the return address. Two words more, so that
  // the stack pointer is then a multiple of 16, as before any call.
  constexpr std::size_t kWords = 9;
  constexpr std::size_t kFiberRegister = 4;  // rbx
  constexpr std::size_t kReturnAddress = 6;
#else
  constexpr std::size_t kWords = 20;
  constexpr std::size_t kFiberRegister = 0;   // x19
  constexpr std::size_t kReturnAddress = 11;  // x30
#endif
  auto* frame = reinterpret_cast<std::uintptr_t*>(stack_ + kStackBytes) - kWords;
  for (std::size_t k = 0; k < kWords; ++k) frame[k] = 0;
  frame[kFiberRegister] = reinterpret_cast<std::uintptr_t>(this);
  frame[kReturnAddress] = reinterpret_cast<std::uintptr_t>(&lpdm_shim_begin_fiber);
  own_stack_pointer_ = frame;
}

void Fiber::resume() {
  start_switch(&caller_fake_stack_, stack_, kStackBytes);
  lpdm_shim_switch_stack(&caller_stack_pointer_, own_stack_pointer_);
  finish_switch(caller_fake_stack_, nullptr, nullptr);
}

void Fiber::leave(bool for_good) {
  start_switch(for_good ? nullptr : &own_fake_stack_, caller_stack_, caller_stack_size_);
  lpdm_shim_switch_stack(&own_stack_pointer_, caller_stack_pointer_);
  finish_switch(own_fake_stack_, &caller_stack_, &caller_stack_size_);
}

void Fiber::yield() { leave(false); }

void Fiber::run(Fiber* self) {
  finish_switch(nullptr, &self->caller_stack_, &self->caller_stack_size_);
  self->entry_(self->argument_);
  self->ended_ = true;
  self->leave(true);
}

}  // namespace lpdm::shim
