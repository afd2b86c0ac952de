#include "render/scene_renderer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "lpdm/error.h"
#include "render/gl_context.h"

namespace lpdm {
namespace {

constexpr int kMaxGeoms = 10'000;
constexpr int kSamples = 4;        // per pixel, against jagged edges
constexpr int kShadowSize = 2048;  // [pixels]
constexpr double kMargin = 1.5;    // of the distance at which the model just fills the picture

struct ModelDeleter {
  void operator()(mjModel* model) const { mj_deleteModel(model); }
};
struct DataDeleter {
  void operator()(mjData* data) const { mj_deleteData(data); }
};

// A copy whose buffers are large enough to draw into.
std::unique_ptr<mjModel, ModelDeleter> drawable_copy(const mjModel& model, const RenderView& view) {
  std::unique_ptr<mjModel, ModelDeleter> copy(mj_copyModel(nullptr, &model));
  if (!copy) throw Error("there is no memory for a copy of the model that is to be drawn");
  copy->vis.global.offwidth = std::max(view.width, 1);
  copy->vis.global.offheight = std::max(view.height, 1);
  copy->vis.quality.offsamples = kSamples;
  copy->vis.quality.shadowsize = kShadowSize;
  return copy;
}

std::vector<std::string> camera_names(const mjModel& model) {
  std::vector<std::string> names;
  for (int camera = 0; camera < model.ncam; ++camera) {
    const char* name = mj_id2name(&model, mjOBJ_CAMERA, camera);
    if (name != nullptr) names.emplace_back(name);
  }
  return names;
}

// Whether a body moves through the world without bounds.
bool travels(const mjModel& model, int body) {
  for (int i = 0; i < model.body_jntnum[body]; ++i) {
    const int joint = model.body_jntadr[body] + i;
    const int type = model.jnt_type[joint];
    if (type == mjJNT_FREE || (type == mjJNT_SLIDE && model.jnt_limited[joint] == 0)) return true;
  }
  return false;
}

// The first body at the root of the tree that travels; 0, the world, if none does.
int travelling_body(const mjModel& model) {
  for (int body = 1; body < model.nbody; ++body) {
    if (model.body_parentid[body] == 0 && travels(model, body)) return body;
  }
  return 0;
}

// The radius [m] around the centre of mass of a body's tree in which all its geoms lie.
double tree_radius(const mjModel& model, const mjData& data, int root) {
  const mjtNum* centre = data.subtree_com + std::ptrdiff_t{3} * root;
  double radius = 0.0;
  for (int geom = 0; geom < model.ngeom; ++geom) {
    if (model.body_rootid[model.geom_bodyid[geom]] != root) continue;
    const mjtNum* place = data.geom_xpos + std::ptrdiff_t{3} * geom;
    radius = std::max(radius, mju_dist3(place, centre) + model.geom_rbound[geom]);
  }
  return radius;
}

bool has_sky(const mjModel& model) {
  const std::span<const int> types(model.tex_type, static_cast<std::size_t>(model.ntex));
  return std::ranges::find(types, static_cast<int>(mjTEXTURE_SKYBOX)) != types.end();
}

using Colour = std::array<std::uint8_t, 3>;

// The sky of models without one; height: 0 at the top of the picture, 1 at the bottom.
Colour sky_at(double height) {
  constexpr std::array<double, 3> kTop = {196, 212, 230}, kBottom = {84, 100, 122};
  Colour colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    colour[c] = static_cast<std::uint8_t>(kTop[c] + (kBottom[c] - kTop[c]) * height);
  }
  return colour;
}

mjvCamera choose_camera(const mjModel& model, const mjData& data, const RenderView& view) {
  mjvCamera camera;
  mjv_defaultFreeCamera(&model, &camera);
  if (!view.camera.empty()) {
    camera.type = mjCAMERA_FIXED;
    camera.fixedcamid = mj_name2id(&model, mjOBJ_CAMERA, view.camera.c_str());
    if (camera.fixedcamid >= 0) return camera;
    const std::vector<std::string> names = camera_names(model);
    throw UsageError(fmt::format(
        "there is no camera \"{}\" in the model, {}; leave it out for one that follows what moves",
        view.camera,
        names.empty() ? "which has none" : fmt::format("which has {}", fmt::join(names, ", "))));
  }
  camera.azimuth = view.azimuth.value_or(90.0);
  camera.elevation = view.elevation.value_or(-20.0);
  constexpr double kUsualAspect = 4.0 / 3.0;  // narrower pictures are taken from further away
  const double narrow = std::max(1.0, kUsualAspect * view.height / view.width);
  const double half_view = model.vis.global.fovy / 2.0 * std::numbers::pi / 180.0;
  if (const int body = travelling_body(model); body > 0) {
    camera.type = mjCAMERA_TRACKING;
    camera.trackbodyid = body;
    camera.distance = kMargin * tree_radius(model, data, body) / std::tan(half_view);
  } else {
    camera.distance = model.stat.extent / 2.0 / std::tan(half_view);
  }
  camera.distance = view.distance.value_or(narrow * camera.distance);
  return camera;
}

}  // namespace

struct SceneRenderer::Impl {
  Impl(const mjModel& source, const RenderView& view)
      : context(make_gl_context()),
        model(drawable_copy(source, view)),
        data(mj_makeData(model.get())),
        viewport{0, 0, view.width, view.height},
        difference(static_cast<std::size_t>(model->nv)),
        flipped(static_cast<std::size_t>(view.width) * static_cast<std::size_t>(view.height) * 3) {
    if (!data) throw Error("there is no memory for the simulation data of what is to be drawn");
    mj_forward(model.get(), data.get());
    camera = choose_camera(*model, *data, view);
    mjv_defaultOption(&options);
    mjv_defaultScene(&scene);
    mjv_makeScene(model.get(), &scene, kMaxGeoms);
    scene.flags[mjRND_REFLECTION] = 0;  // doubles the work, and hides what stands on the floor
    if (!has_sky(*model)) depth.resize(flipped.size() / 3);
    mjr_defaultContext(&drawing);
    mjr_makeContext(model.get(), &drawing, mjFONTSCALE_100);
    mjr_setBuffer(mjFB_OFFSCREEN, &drawing);
  }
  ~Impl() {
    mjr_freeContext(&drawing);
    mjv_freeScene(&scene);
  }

  // Copies what was drawn, the top row first, with a sky where the model has none.
  void read(std::span<std::uint8_t> rgb) {
    mjr_readPixels(flipped.data(), depth.empty() ? nullptr : depth.data(), viewport, &drawing);
    const auto width = static_cast<std::size_t>(viewport.width);
    const auto height = static_cast<std::size_t>(viewport.height);
    for (std::size_t y = 0; y < height; ++y) {
      const std::size_t source = (height - 1 - y) * width;
      std::uint8_t* row = rgb.data() + y * width * 3;
      std::copy_n(flipped.data() + source * 3, width * 3, row);
      if (depth.empty()) continue;
      const Colour sky = sky_at(static_cast<double>(y) / static_cast<double>(height));
      for (std::size_t x = 0; x < width; ++x) {
        const bool black = row[3 * x] + row[3 * x + 1] + row[3 * x + 2] == 0;
        if (depth[source + x] >= 1.0F && black) std::ranges::copy(sky, row + 3 * x);
      }
    }
  }

  std::unique_ptr<GlContext> context;
  std::unique_ptr<mjModel, ModelDeleter> model;
  std::unique_ptr<mjData, DataDeleter> data;
  mjrRect viewport;
  mjvCamera camera{};
  mjvOption options{};
  mjvScene scene{};
  mjrContext drawing{};
  std::vector<double> difference;     // (nv)
  std::vector<std::uint8_t> flipped;  // (height, width, 3), the bottom row first
  std::vector<float> depth;           // (height, width), likewise; empty: there is a sky
};

SceneRenderer::SceneRenderer(const mjModel& model, const RenderView& view)
    : impl_(std::make_unique<Impl>(model, view)) {}
SceneRenderer::~SceneRenderer() = default;

std::string SceneRenderer::context_name() const { return impl_->context->name(); }

void SceneRenderer::draw(std::span<const double> from, std::span<const double> to, double progress,
                         const std::string& label, std::span<std::uint8_t> rgb) {
  Impl& impl = *impl_;
  const mjModel* model = impl.model.get();
  mjData* data = impl.data.get();
  std::ranges::copy(from, data->qpos);
  mj_differentiatePos(model, impl.difference.data(), 1.0, from.data(), to.data());
  mj_integratePos(model, data->qpos, impl.difference.data(), progress);
  mj_fwdPosition(model, data);
  mjv_updateScene(model, data, &impl.options, nullptr, &impl.camera, mjCAT_ALL, &impl.scene);
  mjr_render(impl.viewport, &impl.scene, &impl.drawing);
  if (!label.empty()) {
    mjr_overlay(mjFONT_NORMAL, mjGRID_BOTTOMLEFT, impl.viewport, label.c_str(), nullptr,
                &impl.drawing);
  }
  impl.read(rgb);
}

}  // namespace lpdm
