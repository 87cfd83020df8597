// A progress bar on a terminal: one line on standard error, redrawn at most ten times a second. Where standard error is
// no terminal it draws nothing, so logs stay clean. For one thread.
#pragma once

#include <chrono>
#include <string>

namespace oxbow::tools {

class ProgressBar {
 public:
  /// `label` is printed before the bar.
  explicit ProgressBar(std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Shows that `done` of `total` are done; `note` follows the bar ("loss 0.321").
  void show(double done, double total, const std::string& note);
  /// Wipes the bar, so that a line can be printed in its place.
  void clear();

 private:
  std::string label_;
  bool terminal_, drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace oxbow::tools
