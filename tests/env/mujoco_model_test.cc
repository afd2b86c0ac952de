#include "env/mujoco_model.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "env/environment_variable.h"
#include "io/temporary_folder.h"
#include "io/usage_error.h"
#include "lpdm/environment.h"

namespace lpdm {
namespace {

constexpr char kVariable[] = "LPDM_MODEL_DIR";

TEST(MujocoModelTest, IsParsedOnce) {
  EXPECT_EQ(load_model("hopper.xml"), load_model("hopper.xml"));
  EXPECT_NE(load_model("hopper.xml"), load_model("ant.xml"));
}

TEST(MujocoModelTest, VariableNamesTheFolder) {
  const std::string built_in = model_directory();
  const TemporaryFolder folder;
  std::filesystem::copy(std::filesystem::path(built_in) / "hopper.xml", folder / "hopper.xml");
  const EnvironmentVariable variable(kVariable, folder.path());
  EXPECT_EQ(model_directory(), folder.path());
  EXPECT_NE(make_environment("Hopper-v4"), nullptr);
}

TEST(MujocoModelTest, EmptyVariableCountsAsNone) {
  const EnvironmentVariable unset(kVariable, "");
  EXPECT_NE(model_directory(), "");
}

TEST(MujocoModelTest, MissingFolderIsNamed) {
  const TemporaryFolder folder;
  const EnvironmentVariable variable(kVariable, folder / "absent");
  expect_usage_error([] { make_environment("Ant-v4"); },
                     {(folder / "absent").string(), "folder", "tools/bootstrap.sh", kVariable});
}

TEST(MujocoModelTest, MissingFileIsNamed) {
  const TemporaryFolder folder;
  const EnvironmentVariable variable(kVariable, folder.path());
  expect_usage_error([] { make_environment("Ant-v4"); },
                     {(folder / "ant.xml").string(), "tools/bootstrap.sh", kVariable});
}

TEST(MujocoModelTest, BrokenFileIsNamed) {
  const TemporaryFolder folder;
  put_file(folder / "ant.xml", "<mujoco>\n<worldbody><geom type=\"cube\"/></worldbody>\n</mujoco>");
  const EnvironmentVariable variable(kVariable, folder.path());
  expect_usage_error([] { make_environment("Ant-v4"); },
                     {(folder / "ant.xml").string(), "cube", "tools/bootstrap.sh"});
}

TEST(MujocoModelTest, AnotherRobotIsRefused) {
  const std::string built_in = model_directory();
  const TemporaryFolder folder;
  std::filesystem::copy(std::filesystem::path(built_in) / "ant.xml", folder / "pusher.xml");
  const EnvironmentVariable variable(kVariable, folder.path());
  expect_usage_error([] { make_environment("Pusher-v4"); },
                     {"pusher.xml", "Pusher-v4", "nq, nv, nu", "15, 14, 8", "11, 11, 7"});
}

TEST(MujocoModelTest, ErrorsOfMujocoBecomeExceptions) {
  load_model("hopper.xml");  // installs the handlers
  const std::string message = message_of<Error>([] { mju_error("stack overflow"); });
  EXPECT_NE(message.find("stack overflow"), std::string::npos) << message;
}

TEST(MujocoModelTest, WarningsLeaveNoFile) {
  load_model("hopper.xml");
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  testing::internal::CaptureStderr();
  mju_warning("huge value");
  const std::string printed = testing::internal::GetCapturedStderr();
  std::filesystem::current_path(before);
  EXPECT_NE(printed.find("huge value"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace lpdm
