// What all MuJoCo environments share: one mjData per instance over a shared mjModel.
//
// Contract of step: ctrl := action as it is (MuJoCo clamps it to the control range by itself), then
// frame_skip x mj_step. After it qpos and qvel are new, but body positions and contact forces still
// belong to the last evaluation of the dynamics: Gymnasium reads them like that, and so do we.
#pragma once

#include <mujoco/mujoco.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "env/options.h"
#include "env/pristine_data.h"
#include "lpdm/environment.h"

namespace lpdm {

// The degrees of freedom that an environment's indices rely on.
struct ModelSize {
  std::int64_t nq = 0;
  std::int64_t nv = 0;
  std::int64_t nu = 0;

  bool operator==(const ModelSize&) const = default;
};

struct MujocoSetup {
  std::string id;
  std::string model;  // file name
  ModelSize size;
  std::int64_t frame_skip = 1;
  std::int64_t max_episode_steps = 1000;
  std::optional<double> reward_threshold = std::nullopt;
  double step_cost = 0.0;  // [s]
};

// The law of the initial velocities around 0, with scale s: U(-s, s) or s * N(0, 1).
enum class VelocityNoise { kUniform, kNormal };

class MujocoEnvironment : public Environment {
 public:
  const EnvironmentSpec& spec() const final { return spec_; }
  void set_state(const EnvironmentState& state) final;
  EnvironmentState state() const final;
  bool diverged() const final;

  // What all instances share.
  std::shared_ptr<const mjModel> shared_model() const { return model_; }

 protected:
  // The derived class calls set_observation_size before it is used. Throws UsageError if the model
  // cannot be loaded or has another size.
  explicit MujocoEnvironment(const MujocoSetup& setup);
  // Runs `model`, of any size, which setup.model is the file of.
  MujocoEnvironment(const MujocoSetup& setup, std::shared_ptr<const mjModel> model);

  void set_observation_size(std::int64_t size);

  const mjModel& model() const { return *model_; }
  const mjData& data() const { return *data_; }
  std::span<const double> qpos() const {
    return {data_->qpos, static_cast<std::size_t>(model_->nq)};
  }
  std::span<const double> qvel() const {
    return {data_->qvel, static_cast<std::size_t>(model_->nv)};
  }
  std::span<const double, 3> body_position(int body) const {  // [m], world frame
    return std::span<const double, 3>(data_->xpos + std::ptrdiff_t{3} * body, 3);
  }
  // Throws Error if the model has no such body.
  int body_index(const std::string& name) const;

  // Starts an episode at the model's own position plus U(-scale, scale) per coordinate.
  void start_near_rest(RandomStream& random, double scale, VelocityNoise velocity_noise);
  // Starts an episode at qpos (nq) and qvel (nv).
  void start(std::span<const double> qpos, std::span<const double> qvel);

  void simulate(std::span<const float> action);
  // Fills data().cfrc_ext, which mj_step leaves alone.
  void compute_contact_forces() { mj_rnePostConstraint(model_.get(), data_.get()); }

 private:
  struct DataDeleter {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };

  // Evaluates the dynamics at the qpos and qvel that a reset was given.
  void evaluate();
  void first_step();

  EnvironmentSpec spec_;
  std::int64_t frame_skip_;
  std::shared_ptr<const mjModel> model_;
  std::unique_ptr<mjData, DataDeleter> data_;
  std::optional<PristineData> pristine_;
  bool evaluated_ = false;  // data_ holds the dynamics of its own state, at zero control
};

// NaN passes through, as in numpy.
inline double clip_to(Range range, double value) {
  return std::min(std::max(value, range.low), range.high);
}

// Writes observations from left to right, converting to the type of the batch.
template <typename T>
class ObservationWriter {
 public:
  explicit ObservationWriter(std::span<T> out) : next_(out.data()) {}

  void copy(std::span<const double> values) {
    for (const double value : values) *next_++ = static_cast<T>(value);
  }
  void clip(std::span<const double> values, Range range) {
    for (const double value : values) {
      *next_++ = static_cast<T>(clip_to(range, value));
    }
  }

 private:
  T* next_;
};

// Gymnasium's open interval test; false for NaN.
inline bool within_open(double value, Range range) {
  return range.low < value && value < range.high;
}

}  // namespace lpdm
