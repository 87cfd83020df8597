#include "history/tensorboard.h"

#include <fcntl.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/optim/model.h>
#include <oxbow/runtime/files/calls.h>
#include <sys/stat.h>
#include <tensorboard.pb.h>
#include <unistd.h>

#include <bit>
#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
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

void EventFile::add(std::int64_t step, const Scalars& scalars) {
  internal::with_own_errors("cannot write to an event file in", folder_, [&] { append(step, scalars); });
}

void EventFile::append(std::int64_t step, const Scalars& scalars) {
  if (kept_.empty()) first_kept_ = step;
  tensorboard::Event e = event_now(step);
  for (const auto& [tag, value] : scalars) {
    tensorboard::Summary::Value& v = *e.mutable_summary()->add_value();
    v.set_tag(tag);
    v.set_simple_value(static_cast<float>(value));
  }
  append(e.SerializeAsString());
  if (std::chrono::steady_clock::now() - written_ < std::chrono::seconds(1)) return;
  reopen_if_removed();
  write();
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
  std::unique_ptr<EventFile> file;  // none before the first step

  static std::int64_t step(const Progress& p) { return (p.epoch - 1) * p.steps + p.step; }
  EventFile& open(const Progress& p) {
    if (!file) file = std::make_unique<EventFile>(folder, step(p));
    return *file;
  }
};

TensorBoard::TensorBoard(std::string folder) : run_(std::make_shared<Run>(Run{std::move(folder), nullptr})) {}

void TensorBoard::flush() const {
  if (run_->file) run_->file->flush();
}

Callback TensorBoard::callback() const {
  const auto on_step = [run = run_](Progress& p) {
    EventFile::Scalars scalars = {{"loss", p.loss}, {"learning_rate", p.model.learning_rate()}};
    for (const StepSeries& s : p.history.recorded)
      if (s.values.back() == s.values.back()) scalars.emplace_back(s.name, s.values.back());
    run->open(p).add(Run::step(p), scalars);
  };
  const auto on_epoch = [run = run_](Progress& p) {
    EventFile::Scalars scalars;
    for (const auto& [name, value] : p.history.epochs.back().results.entries())
      scalars.emplace_back("epoch/" + name, value);
    run->open(p).add(Run::step(p), scalars);
    run->open(p).flush();
  };
  const auto on_end = [run = run_](Progress&) {
    if (run->file) run->file->flush();
    run->file.reset();  // the next fit begins a file of its own
  };
  return {.on_step = on_step, .on_epoch = on_epoch, .on_end = on_end};
}

}  // namespace oxbow::tools
