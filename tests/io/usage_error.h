// Checks that a call is refused as a user's mistake, with a message that helps.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "lpdm/error.h"

namespace lpdm {

// The message of the Expected error that `call` throws; a test failure and "" if it throws none.
template <class Expected, class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Expected& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

// Expects a UsageError of one line that contains every one of `parts`.
template <class Call>
void expect_usage_error(Call&& call, std::initializer_list<std::string> parts) {
  const std::string message = message_of<UsageError>(call);
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << "no \"" << part << "\" in: " << message;
  }
}

}  // namespace lpdm
