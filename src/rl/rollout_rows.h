// The rows of one update in backend memory: what the network saw, and what it made of that.
//
// They come here in one of two ways. Either a rollout adds them one by one as its policy evaluates
// them (clear, next, add), and what has been computed to choose the actions serves the update too.
// Or they come from elsewhere (write) and are evaluated together (forward_hidden). At any time the
// rows [0, played()) are complete: their observations, the outputs of every hidden layer and those
// of the policy head, all by the network as the policy knew it. Rows never change once they are
// added, but may move when another one is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/network.h"
#include "nn/activations.h"

namespace lpdm {

// Who makes use of rows while they are still being played.
class RowListener {
 public:
  virtual ~RowListener() = default;
  // Rows come from the first on, to where the activations are now, with room for so many. 0: none
  // do, and those that came are where they were no more.
  virtual void expect(std::int64_t capacity) = 0;
  // So many are there.
  virtual void played(std::int64_t rows) = 0;
  // No more come for now, or memory is about to move: nothing may be reading them after the call.
  virtual void pause() noexcept = 0;
};

class RolloutRows {
 public:
  // Borrows the network.
  // spare: rows that an update will add to those that are played.
  RolloutRows(Backend& backend, Network& network, std::int64_t spare);

  // ---- the rollout's side: backend memory that is the host's ------------------------------------

  // Where a row goes.
  struct Row {
    float* observation = nullptr;    // (observation_size)
    float* const* hidden = nullptr;  // per hidden layer (out)
    float* output = nullptr;         // (head): logits or means
  };

  // Forgets all rows.
  void clear() { played_ = 0; }
  // Forgets all rows; while this lives, the listener hears of new ones.
  class Playing {
   public:
    explicit Playing(RolloutRows& rows);
    ~Playing();
    Playing(const Playing&) = delete;
    Playing& operator=(const Playing&) = delete;

   private:
    RolloutRows& rows_;
  };
  // The place of row played(), until the next call; memory grows as needed.
  Row next();
  // What next() pointed to has been written.
  void add() {
    ++played_;
    if (listening_) listener_->played(played_);
  }
  std::int64_t played() const { return played_; }

  // Borrows; null: nobody. Not while rows are being played.
  void set_listener(RowListener* listener) { listener_ = listener; }

  // ---- the update's side ------------------------------------------------------------------------

  // Whether the rows played are those of these observations, (N, observation_size).
  bool holds(std::span<const float> observations) const;
  // Makes room. Whenever memory moves, capacity() becomes larger.
  void reserve(std::int64_t rows);
  // Observations from row `first` on, yet to be evaluated; no row from there on is a played one.
  void write(std::span<const float> observations, std::int64_t first);
  // Evaluates the hidden layers for `rows` rows from row `first` on. The heads follow by
  // themselves.
  void forward_hidden(std::int64_t first, const Rows& rows);

  std::int64_t capacity() const { return hidden_.capacity(); }
  HiddenActivations& hidden() { return hidden_; }
  HeadActivations& heads() { return heads_; }

 private:
  Backend& backend_;
  std::int64_t spare_;
  std::int64_t width_;                // of an observation
  std::int64_t outputs_;              // of the policy head
  std::vector<std::int64_t> widths_;  // per hidden layer
  HiddenActivations hidden_;
  HeadActivations heads_;
  DeviceArray<float> observations_;  // (capacity, observation_size)
  std::int64_t played_ = 0;
  RowListener* listener_ = nullptr;
  bool listening_ = false;           // it hears of rows as they are played
  std::vector<float*> next_hidden_;  // of the latest next()
};

}  // namespace lpdm
