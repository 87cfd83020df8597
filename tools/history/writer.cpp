#include "history/writer.h"

#include <fcntl.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/optim/model.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/files/calls.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <system_error>

namespace oxbow::tools {

HistoryWriter::HistoryWriter(std::string path, Table earlier) : path_(std::move(path)), table_(std::move(earlier)) {
  for (const auto& column : table_.values) rows_ = std::max(rows_, column.size());
}

void HistoryWriter::add_row() {
  const auto resize = [&](std::size_t rows) {
    for (auto& column : table_.values) column.resize(rows, std::numeric_limits<double>::quiet_NaN());
  };
  try {
    resize(rows_ + 1);
  } catch (...) {
    resize(rows_);
    throw;
  }
  ++rows_;
}

void HistoryWriter::set(std::string_view column, double value) {
  if (rows_ == 0) add_row();
  const std::size_t count = table_.columns.size();
  std::size_t i = 0;
  while (i < count && table_.columns[(next_ + i) % count] != column) ++i;
  const std::size_t found = i < count ? (next_ + i) % count : count;
  if (found == count)
    table_.add(std::string(column), std::vector<double>(rows_, std::numeric_limits<double>::quiet_NaN()));
  next_ = found + 1;
  table_.values[found].at(rows_ - 1) = std::isnan(value) ? std::numeric_limits<double>::infinity() : value;
}

void HistoryWriter::save() {
  internal::with_own_errors("cannot write", path_, [&] { write(); });
}

void HistoryWriter::write() {
  const bool same_columns = saved_columns_ == table_.columns.size() && saved_columns_ > 0;
  if (!same_columns || !append(csv_rows(table_, saved_rows_))) {
    const std::string all = csv(table_);
    write_file(path_, all);
    saved_bytes_ = static_cast<std::int64_t>(all.size());
    saved_columns_ = table_.columns.size();
  }
  saved_rows_ = rows_;
}

// False where the file is not as the last `save` left it: who has it open may cut, remove or replace it.
bool HistoryWriter::append(const std::string& rows) {
  // Without waiting for who reads a pipe; to a regular file that makes no difference.
  const int file = internal::uninterrupted([&] { return ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK); });
  if (file < 0 && (errno == ENOENT || errno == ENXIO)) return false;
  const auto failed = [&](int reason) {
    if (file >= 0) {
      static_cast<void>(::ftruncate(file, saved_bytes_));  // makes the file shorter: this needs no room
      ::close(file);
    }
    throw Error("cannot write " + path_ + ": " + std::generic_category().message(reason) +
                ". What was written before is still there");
  };
  struct stat found {};
  if (file < 0 || ::fstat(file, &found) != 0) failed(errno);
  if (!S_ISREG(found.st_mode) || found.st_size != saved_bytes_) {
    ::close(file);
    return false;
  }
  if (internal::write_bytes_at(file, rows.data(), rows.size(), saved_bytes_) < rows.size()) failed(errno);
  if (internal::uninterrupted([&] { return ::fsync(file); }) != 0) failed(errno);
  ::close(file);
  saved_bytes_ += static_cast<std::int64_t>(rows.size());
  return true;
}

Callback recording(HistoryWriter& history) {
  return {.on_step =
              [&history](Progress& p) {
                history.add_row();
                history.set("step", static_cast<double>(p.model.minibatches()));
                history.set("epoch", p.epoch);
                history.set("learning_rate", p.model.learning_rate());
                history.set("loss", p.loss);
                for (const StepSeries& s : p.history.recorded)
                  if (!std::isnan(s.values.back())) history.set(s.name, s.values.back());
              },
          .on_epoch =
              [&history](Progress& p) {
                for (const auto& [name, value] : p.history.epochs.back().results.entries())
                  history.set("epoch_" + name, value);
              }};
}

Callback csv_logger(const std::string& path) {
  const auto history = std::make_shared<HistoryWriter>(path);
  const Callback rows = recording(*history);
  return {.on_step = [history, rows](Progress& p) { rows.on_step(p); },
          .on_epoch =
              [history, rows](Progress& p) {
                rows.on_epoch(p);
                history->save();
              },
          .on_end = [history](Progress&) { history->save(); }};
}

}  // namespace oxbow::tools
