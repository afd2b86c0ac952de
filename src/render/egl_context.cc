// EGL without a window: the first graphics device that gives a context, else Mesa's surfaceless
// platform, which draws on the processor where there is no device.
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "render/gl_context.h"
#include "render/shared_object.h"

namespace lpdm {
namespace {

// Values and types of EGL/egl.h and EGL/eglext.h.
using Display = void*;
using Config = void*;
using Context = void*;
using Attribute = std::int32_t;
constexpr Attribute kNone = 0x3038;
constexpr Attribute kSurfaceType = 0x3033, kPbuffer = 0x0001;
constexpr Attribute kRenderableType = 0x3040, kOpenGl = 0x0008;
constexpr Attribute kRedSize = 0x3024, kGreenSize = 0x3023, kBlueSize = 0x3022;
constexpr Attribute kDepthSize = 0x3025, kStencilSize = 0x3026;
constexpr unsigned kOpenGlApi = 0x30A2;
constexpr unsigned kPlatformDevice = 0x313F, kPlatformSurfaceless = 0x31DD;

using GetProcAddress = void (*(*)(const char*))();
using GetPlatformDisplay = Display (*)(unsigned, void*, const Attribute*);
using QueryDevices = unsigned (*)(Attribute, void**, Attribute*);
using Initialize = unsigned (*)(Display, Attribute*, Attribute*);
using Terminate = unsigned (*)(Display);
using BindApi = unsigned (*)(unsigned);
using ChooseConfig = unsigned (*)(Display, const Attribute*, Config*, Attribute, Attribute*);
using CreateContext = Context (*)(Display, Config, Context, const Attribute*);
using MakeCurrent = unsigned (*)(Display, void*, void*, Context);
using DestroyContext = unsigned (*)(Display, Context);

struct Egl {
  explicit Egl(std::unique_ptr<SharedObject> library_in)
      : library(std::move(library_in)),
        initialize(library->find<Initialize>("eglInitialize")),
        terminate(library->find<Terminate>("eglTerminate")),
        bind_api(library->find<BindApi>("eglBindAPI")),
        choose_config(library->find<ChooseConfig>("eglChooseConfig")),
        create_context(library->find<CreateContext>("eglCreateContext")),
        make_current(library->find<MakeCurrent>("eglMakeCurrent")),
        destroy_context(library->find<DestroyContext>("eglDestroyContext")) {
    const auto get = library->find<GetProcAddress>("eglGetProcAddress");
    if (get == nullptr) return;
    get_platform_display = reinterpret_cast<GetPlatformDisplay>(get("eglGetPlatformDisplayEXT"));
    query_devices = reinterpret_cast<QueryDevices>(get("eglQueryDevicesEXT"));
  }

  bool complete() const {
    return initialize != nullptr && terminate != nullptr && bind_api != nullptr &&
           choose_config != nullptr && create_context != nullptr && make_current != nullptr &&
           destroy_context != nullptr && get_platform_display != nullptr;
  }

  // Every display to try, the best first.
  std::vector<Display> displays() const {
    std::vector<Display> found;
    std::array<void*, 16> devices{};
    Attribute count = 0;
    if (query_devices != nullptr && query_devices(devices.size(), devices.data(), &count) != 0) {
      for (void* device : std::span(devices).first(static_cast<std::size_t>(count))) {
        found.push_back(get_platform_display(kPlatformDevice, device, nullptr));
      }
    }
    found.push_back(get_platform_display(kPlatformSurfaceless, nullptr, nullptr));
    std::erase(found, nullptr);
    return found;
  }

  std::unique_ptr<SharedObject> library;
  Initialize initialize;
  Terminate terminate;
  BindApi bind_api;
  ChooseConfig choose_config;
  CreateContext create_context;
  MakeCurrent make_current;
  DestroyContext destroy_context;
  GetPlatformDisplay get_platform_display = nullptr;
  QueryDevices query_devices = nullptr;
};

class EglContext final : public GlContext {
 public:
  EglContext(std::shared_ptr<const Egl> egl, Display display)
      : egl_(std::move(egl)), display_(display) {
    constexpr std::array kWanted = {
        kSurfaceType, kPbuffer, kRenderableType, kOpenGl, kRedSize,     8, kGreenSize, 8,
        kBlueSize,    8,        kDepthSize,      24,      kStencilSize, 8, kNone};
    if (egl_->initialize(display_, nullptr, nullptr) == 0) return;
    initialized_ = true;
    Config config = nullptr;
    Attribute count = 0;
    if (egl_->bind_api(kOpenGlApi) == 0 ||
        egl_->choose_config(display_, kWanted.data(), &config, 1, &count) == 0 || count < 1) {
      return;
    }
    context_ = egl_->create_context(display_, config, nullptr, nullptr);
    // Without a surface: what is drawn goes to a buffer of MuJoCo's.
    current_ = context_ != nullptr && egl_->make_current(display_, nullptr, nullptr, context_) != 0;
  }
  ~EglContext() override {
    if (current_) egl_->make_current(display_, nullptr, nullptr, nullptr);
    if (context_ != nullptr) egl_->destroy_context(display_, context_);
    if (initialized_) egl_->terminate(display_);
  }

  std::string name() const override { return "EGL"; }
  bool current() const { return current_; }

 private:
  std::shared_ptr<const Egl> egl_;
  Display display_;
  bool initialized_ = false;
  Context context_ = nullptr;
  bool current_ = false;
};

}  // namespace

std::unique_ptr<GlContext> make_egl_context() {
  auto library = SharedObject::open({"libEGL.so.1", "libEGL.so"});
  if (!library) return nullptr;
  const auto egl = std::make_shared<const Egl>(std::move(library));
  if (!egl->complete()) return nullptr;
  for (Display display : egl->displays()) {
    auto context = std::make_unique<EglContext>(egl, display);
    if (context->current()) return context;
  }
  return nullptr;
}

}  // namespace lpdm
