// Which MuJoCo is like 2.3.7, and that Pusher-v4 does not run on one that is not.
#include "env/mujoco_compatibility.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>

#include "env/mujoco_model.h"
#include "lpdm/environment.h"

namespace lpdm {
namespace {

std::ptrdiff_t restored(MujocoVersion version) {
  return std::ranges::count(physics_differences(version), true, &PhysicsDifference::restored);
}

TEST(MujocoVersionTest, ReadsBothNumberings) {
  EXPECT_EQ(mujoco_version(237), (MujocoVersion{2, 3, 7}));
  EXPECT_EQ(mujoco_version(337), (MujocoVersion{3, 3, 7}));
  EXPECT_EQ(mujoco_version(3015000), (MujocoVersion{3, 15, 0}));
  EXPECT_EQ(mujoco_version(4000000), (MujocoVersion{4, 0, 0}));
  EXPECT_LT(mujoco_version(337), mujoco_version(3015000));
}

TEST(PhysicsDifferencesTest, GrowWithTheVersion) {
  EXPECT_TRUE(physics_differences({2, 3, 7}).empty());
  EXPECT_EQ(restored({3, 0, 0}), 1);
  EXPECT_EQ(restored({3, 3, 7}), 3);
  EXPECT_EQ(restored({3, 15, 0}), 5);
  EXPECT_EQ(physics_differences({3, 15, 0}).size(), 6U);  // and rounding
  const std::vector<PhysicsDifference> newest = physics_differences({4, 0, 0});
  EXPECT_EQ(newest.back().environment, "Ant");
  EXPECT_FALSE(newest.back().restored);
}

using OwnModel = std::unique_ptr<mjModel, void (*)(mjModel*)>;

OwnModel pusher_model() {
  return {mj_copyModel(nullptr, load_model("pusher.xml").get()), mj_deleteModel};
}

TEST(PusherRefusalTest, AllowsTheModelAsItIsLoaded) {
  EXPECT_EQ(pusher_v4_refusal(*load_model("pusher.xml")), std::nullopt);
  EXPECT_NE(make_environment("Pusher-v4"), nullptr);
}

TEST(PusherRefusalTest, RefusesAnObjectWithoutItsArmature) {
  const OwnModel model = pusher_model();
  const int object = mj_name2id(model.get(), mjOBJ_BODY, "object");
  model->body_invweight0[std::ptrdiff_t{2} * object] = 1 / model->body_mass[object];
  const std::optional<std::string> reason = pusher_v4_refusal(*model);
  ASSERT_TRUE(reason.has_value());
  for (const char* part : {"Pusher-v4", mj_versionString(), "object", "2.3.7"}) {
    EXPECT_NE(reason->find(part), std::string::npos) << part << " is not in: " << *reason;
  }
}

// The library's own physics, not corrected.
TEST(PusherRefusalTest, RefusesMujoco3AsItIs) {
  const auto model = load_model_file(model_directory() + "/pusher.xml", Physics::kOwn);
  const bool is_soft = kMujocoVersion >= MujocoVersion{3, 0, 0};
  EXPECT_EQ(pusher_v4_refusal(*model).has_value(), is_soft);
}

// Corrections are for who asks for them.
TEST(PhysicsTest, IsTheLibrarysOwnUnlessAskedOtherwise) {
  const auto own = load_model_file(model_directory() + "/hopper.xml", Physics::kOwn);
  EXPECT_EQ(own->geom_margin[0], 0.001);
  const auto like = load_model("hopper.xml");
  const bool sums_margins = kMujocoVersion >= MujocoVersion{3, 5, 0};
  EXPECT_EQ(like->geom_margin[0], sums_margins ? 0.0005 : 0.001);
}

}  // namespace
}  // namespace lpdm
