#include "history/tensorboard.h"

#include <fcntl.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/optim/model.h>
#include <oxbow/runtime/files/calls.h>
#include <sys/stat.h>
#include <tensorboard.pb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/crc.hpp>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <utility>

namespace oxbow::tools {
namespace {

template <class T>
void append_bytes(std::string& to, T v) {
  static_assert(std::endian::native == std::endian::little);
  to.append(reinterpret_cast<const char*>(&v), sizeof v);
}

tensorboard::Event event_now(std::int64_t step) {
  tensorboard::Event e;
  e.set_wall_time(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  e.set_step(step);
  return e;
}

[[noreturn]] void fail(const std::string& doing, const std::string& path, int reason) {
  throw Error("cannot " + doing + " " + path + ": " + std::generic_category().message(reason) +
              (reason == ENOSPC ? ". Make room, or write it elsewhere" : ""));
}

}  // namespace

std::uint32_t masked_crc32c(const void* bytes, std::size_t count) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes, count);
  return std::rotr(crc.checksum(), 15) + 0xa282ead8u;
}

EventFile::EventFile(const std::string& folder, std::int64_t first) : process_(::getpid()), first_kept_(first) {
  internal::with_own_errors("cannot make an event file in", folder, [&] {
    folder_ = folder;
    open(first);
    try {
      write();
    } catch (...) {
      ::close(file_);
      throw;
    }
  });
}

// Makes a file and keeps what it begins with.
void EventFile::open(std::int64_t first) {
  tensorboard::Event version = event_now(0), start = event_now(first);
  version.set_file_version("brain.Event:2");
  start.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  std::string records = std::exchange(kept_, {});
  try {
    append(version.SerializeAsString());
    append(start.SerializeAsString());
    kept_ += records;
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    if (failed) fail("make the folder", folder_, failed.value());
    // TensorBoard reads a folder's files in the order of their names.
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    for (int k = 0; file_ < 0; ++k) {
      char number[16];
      std::snprintf(number, sizeof number, "%06d", k);
      path_ =
          (std::filesystem::path(folder_) / ("events.out.tfevents." + std::to_string(seconds) + "." + number)).string();
      file_ = internal::uninterrupted(
          [&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666); });
      if (file_ < 0 && errno != EEXIST) fail("make", path_, errno);
    }
  } catch (...) {
    kept_.swap(records);
    throw;
  }
  sent_ = 0;
}

EventFile::~EventFile() {
  try {
    if (process_ == ::getpid()) flush();
  } catch (...) {  // what matters was flushed before
  }
  if (file_ >= 0) ::close(file_);
}

void EventFile::append(const std::string& event) {
  const std::uint64_t size = event.size();
  kept_.reserve(kept_.size() + event.size() + 2 * sizeof size);  // a record is kept whole or not at all
  append_bytes(kept_, size);
  append_bytes(kept_, masked_crc32c(&size, sizeof size));
  kept_ += event;
  append_bytes(kept_, masked_crc32c(event.data(), event.size()));
}

template <class Fill>
void EventFile::add_summary(std::int64_t step, const Fill& fill) {
  internal::with_own_errors("cannot write to an event file in", folder_, [&] {
    tensorboard::Event e = event_now(step);
    fill(*e.mutable_summary());
    if (kept_.empty()) first_kept_ = step;
    append(e.SerializeAsString());
    if (std::chrono::steady_clock::now() - written_ < std::chrono::seconds(1)) return;
    reopen_if_removed();
    write();
  });
}

void EventFile::add(std::int64_t step, const Scalars& scalars) {
  add_summary(step, [&](tensorboard::Summary& summary) {
    for (const auto& [tag, value] : scalars) {
      tensorboard::Summary::Value& v = *summary.add_value();
      v.set_tag(tag);
      v.set_simple_value(static_cast<float>(value));
    }
  });
}

void EventFile::add_histogram(std::int64_t step, const std::string& tag, const Tensor& values) {
  std::vector<double> finite;
  dispatch(values.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < values.count(); ++i)
      if (const auto v = static_cast<double>(values.data<T>()[i]); std::isfinite(v)) finite.push_back(v);
  });
  if (finite.empty()) return;
  const auto [least, most] = std::minmax_element(finite.begin(), finite.end());
  constexpr int buckets = 30;
  // Halves first: the largest f64 minus the smallest is infinite.
  const double from = *least, width = *most / buckets - from / buckets;
  std::array<double, buckets> counts{};
  for (const double v : finite)
    ++counts[width > 0 ? std::min<std::size_t>(buckets - 1, static_cast<std::size_t>(v / width - from / width)) : 0];
  add_summary(step, [&](tensorboard::Summary& summary) {
    tensorboard::Summary::Value& v = *summary.add_value();
    v.set_tag(tag);
    tensorboard::Histogram& h = *v.mutable_histo();
    h.set_min(from);
    h.set_max(*most);
    h.set_num(static_cast<double>(finite.size()));
    h.set_sum(std::accumulate(finite.begin(), finite.end(), 0.0));
    h.set_sum_squares(std::inner_product(finite.begin(), finite.end(), finite.begin(), 0.0));
    for (int i = 0; i < buckets; ++i) {
      h.add_bucket_limit(i + 1 < buckets ? from + (i + 1) * width : *most);
      h.add_bucket(counts[static_cast<std::size_t>(i)]);
    }
  });
}

void EventFile::add_image(std::int64_t step, const std::string& tag, const Tensor& images,
                          const ImageOptions& options) {
  const EncodedImage picture = encode_image(images, options);
  add_summary(step, [&](tensorboard::Summary& summary) {
    tensorboard::Summary::Value& v = *summary.add_value();
    v.set_tag(tag);
    tensorboard::Summary::Image& image = *v.mutable_image();
    image.set_height(static_cast<std::int32_t>(picture.height));
    image.set_width(static_cast<std::int32_t>(picture.width));
    image.set_colorspace(static_cast<std::int32_t>(picture.channels));
    image.set_encoded_image_string(picture.png);
  });
}

// What nobody can read any more is followed by a file of its own; where nothing is kept, nothing is missed.
void EventFile::reopen_if_removed() {
  struct stat found;
  if (kept_.empty() || (file_ >= 0 && (::fstat(file_, &found) != 0 || found.st_nlink > 0))) return;
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  open(first_kept_);
}

// Records leave `kept_` when all of them are in the file: one that is there in part would be lost with it.
void EventFile::write() {
  written_ = std::chrono::steady_clock::now();
  sent_ += internal::write_bytes(file_, kept_.data() + sent_, kept_.size() - sent_);
  const int reason = errno;
  if (sent_ < kept_.size()) fail("write", path_, reason);
  kept_.clear();
  sent_ = 0;
}

void EventFile::flush() {
  internal::with_own_errors("cannot write to an event file in", folder_, [&] {
    reopen_if_removed();
    write();
    if (internal::uninterrupted([&] { return ::fsync(file_); }) != 0) fail("write", path_, errno);
  });
}

struct TensorBoard::Run {
  std::string folder;
  TensorBoardOptions options;
  std::unique_ptr<EventFile> file = nullptr;  // none before the first step
  std::int64_t step = 0;                      // that training has come to

  EventFile& open(const Progress& p) {
    step = (p.epoch - 1) * p.steps + p.step;
    if (!file) file = std::make_unique<EventFile>(folder, step);
    return *file;
  }
  EventFile& opened(const char* doing) {
    if (!file)
      throw Error(std::string("TensorBoard::") + doing + ": no training is under way that writes to " + folder +
                  ". Call it from a callback of fit that stands behind callback()");
    return *file;
  }
};

TensorBoard::TensorBoard(std::string folder, const TensorBoardOptions& options)
    : run_(std::make_shared<Run>(Run{std::move(folder), options})) {
  if (options.histograms < 0)
    throw Error("TensorBoard: .histograms is " + std::to_string(options.histograms) +
                ". Give a number of epochs, or 0 for none");
}

void TensorBoard::image(const std::string& tag, const Tensor& images, const ImageOptions& options) const {
  run_->opened("image").add_image(run_->step, tag, images, options);
}

void TensorBoard::histogram(const std::string& tag, const Tensor& values) const {
  run_->opened("histogram").add_histogram(run_->step, tag, values);
}

void TensorBoard::flush() const {
  if (run_->file) run_->file->flush();
}

Callback TensorBoard::callback() const {
  const auto on_step = [run = run_](Progress& p) {
    EventFile::Scalars scalars = {{"loss", p.loss}, {"learning_rate", p.model.learning_rate()}};
    for (const StepSeries& s : p.history.recorded)
      if (s.values.back() == s.values.back()) scalars.emplace_back(s.name, s.values.back());
    run->open(p).add(run->step, scalars);
  };
  const auto on_epoch = [run = run_](Progress& p) {
    EventFile::Scalars scalars;
    for (const auto& [name, value] : p.history.epochs.back().results.entries())
      scalars.emplace_back("epoch/" + name, value);
    EventFile& file = run->open(p);
    file.add(run->step, scalars);
    if (run->options.histograms > 0 && p.epoch % run->options.histograms == 0)
      for (const Value& v : variables(p.model.graph()))
        file.add_histogram(run->step, variable_of(v).name, p.model.store().get(v));
    file.flush();
  };
  const auto on_end = [run = run_](Progress&) {
    if (run->file) run->file->flush();
    run->file.reset();  // the next fit begins a file of its own
  };
  return {.on_step = on_step, .on_epoch = on_epoch, .on_end = on_end};
}

}  // namespace oxbow::tools
