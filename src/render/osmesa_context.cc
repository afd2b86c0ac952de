// Mesa's drawing on the processor, into memory of ours.
#include <array>
#include <cstdint>

#include "render/gl_context.h"
#include "render/shared_object.h"

namespace lpdm {
namespace {

// Values and types of GL/osmesa.h.
constexpr unsigned kRgba = 0x1908;
constexpr unsigned kUnsignedByte = 0x1401;
constexpr int kDepthBits = 24;
constexpr int kStencilBits = 8;
using CreateContext = void* (*)(unsigned, int, int, int, void*);
using MakeCurrent = unsigned char (*)(void*, void*, unsigned, int, int);
using DestroyContext = void (*)(void*);

class OsmesaContext final : public GlContext {
 public:
  explicit OsmesaContext(std::unique_ptr<SharedObject> library)
      : library_(std::move(library)),
        make_current_(library_->find<MakeCurrent>("OSMesaMakeCurrent")),
        destroy_(library_->find<DestroyContext>("OSMesaDestroyContext")) {
    const auto create = library_->find<CreateContext>("OSMesaCreateContextExt");
    if (create == nullptr || make_current_ == nullptr || destroy_ == nullptr) return;
    context_ = create(kRgba, kDepthBits, kStencilBits, 0, nullptr);
    current_ = context_ != nullptr &&
               make_current_(context_, window_.data(), kUnsignedByte, kSide, kSide) != 0;
  }
  ~OsmesaContext() override {
    if (current_) make_current_(nullptr, nullptr, kUnsignedByte, 0, 0);
    if (context_ != nullptr) destroy_(context_);
  }

  std::string name() const override { return "OSMesa"; }
  bool current() const { return current_; }

 private:
  static constexpr int kSide = 16;  // [pixels]; what is drawn goes to a buffer of MuJoCo's

  std::unique_ptr<SharedObject> library_;
  MakeCurrent make_current_;
  DestroyContext destroy_;
  void* context_ = nullptr;
  bool current_ = false;
  std::array<std::uint8_t, 4 * kSide * kSide> window_{};
};

}  // namespace

std::unique_ptr<GlContext> make_osmesa_context() {
  auto library = SharedObject::open({"libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"});
  if (!library) return nullptr;
  auto context = std::make_unique<OsmesaContext>(std::move(library));
  if (!context->current()) return nullptr;
  return context;
}

}  // namespace lpdm
