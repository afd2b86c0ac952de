#include "env/mjcf_reward.h"

#include <fmt/format.h>

#include <array>

namespace lpdm {

namespace {

// Which fields a kind of reward term has besides "kind" and "weight".
struct RewardSyntax {
  RewardKind kind;
  const char* name;
  std::vector<std::string> fields;
};

const std::vector<RewardSyntax>& reward_syntax() {
  static const std::vector<RewardSyntax> all = {
      {RewardKind::kConstant, "constant", {}},
      {RewardKind::kHealthy, "healthy", {"on_terminating_step"}},
      {RewardKind::kControl, "control", {}},
      {RewardKind::kVelocity, "velocity", {"of"}},
      {RewardKind::kValue, "value", {"of", "when"}},
      {RewardKind::kSquares, "squares", {"of", "clip", "when"}},
      {RewardKind::kDistance, "distance", {"of", "to", "when"}}};
  return all;
}

const RewardSyntax& read_reward_kind(const JsonField& term) {
  std::vector<std::string> names;
  for (const RewardSyntax& syntax : reward_syntax()) names.emplace_back(syntax.name);
  return reward_syntax()[read_choice(member(term, "kind"), names)];
}

void check_single(const JsonField& field, const Quantity& quantity) {
  if (quantity.count != 1) {
    field.refuse(
        fmt::format("a single number such as \"qpos[0]\" ({} were selected)", quantity.count));
  }
}

void read_quantities(const JsonField& field, const mjModel& model, RewardTerm& term) {
  term.of = read_quantity(member(field, "of"), model);
  term.clip = read_clip(field);
  if (term.kind == RewardKind::kVelocity || term.kind == RewardKind::kValue) {
    check_single(member(field, "of"), term.of);
  } else if (term.kind == RewardKind::kDistance) {
    term.to = read_quantity(member(field, "to"), model);
    if (term.to.count != term.of.count) {
      member(field, "to")
          .refuse(fmt::format("as many numbers as \"of\" ({} and {} were selected)", term.to.count,
                              term.of.count));
    }
  }
  static const std::array<std::string, 2> times = {"after", "before"};
  if (has(field, "when")) term.before_step = read_choice(member(field, "when"), times) == 1;
}

RewardTerm read_reward_term(const JsonField& field, const mjModel& model) {
  const RewardSyntax& syntax = read_reward_kind(field);
  std::vector<std::string> keys = {"kind", "weight"};
  keys.insert(keys.end(), syntax.fields.begin(), syntax.fields.end());
  check_keys(field, keys);
  RewardTerm term;
  term.kind = syntax.kind;
  if (has(field, "weight")) term.weight = read_number(member(field, "weight"));
  if (has(field, "on_terminating_step")) {
    term.pays_terminating_step = read_flag(member(field, "on_terminating_step"));
  }
  if (!syntax.fields.empty() && syntax.fields.front() == "of") read_quantities(field, model, term);
  return term;
}

}  // namespace

std::vector<RewardTerm> read_reward_terms(const JsonField& definition, const std::string& key,
                                          const mjModel& model) {
  std::vector<RewardTerm> terms;
  if (!has(definition, key)) return terms;
  for (const JsonField& term : elements(member(definition, key))) {
    terms.push_back(read_reward_term(term, model));
  }
  return terms;
}

}  // namespace lpdm
