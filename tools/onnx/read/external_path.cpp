#include "onnx/read/external_path.h"

#include <oxbow/graph/error.h>
#include <oxbow/graph/support/near_names.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace oxbow::onnx {
using namespace internal;

std::string external_path(const std::string& model, const std::string& location) {
  namespace fs = std::filesystem;
  const auto refuse = [&](const std::string& why) {
    throw Error("a tensor's elements lie in " + in_quotes(location) + ", which " + why +
                "\n  Put the file beside the model, or below its folder");
  };
  if (location.empty() || location.find('\0') != std::string::npos) refuse("is no name of a file");
  const fs::path asked(location);
  if (asked.is_absolute() || location.find('\\') != std::string::npos) refuse("is not relative to the model's folder");
  for (const fs::path& part : asked)
    if (part == "..") refuse("leads out of the model's folder");
  const fs::path folder = fs::path(model).parent_path();
  std::error_code wrong;
  const fs::path here = fs::canonical(folder.empty() ? fs::path(".") : folder, wrong);
  if (wrong) refuse("cannot be looked for: " + wrong.message());
  const fs::path there = fs::canonical(here / asked, wrong);
  if (wrong) refuse("cannot be read: " + wrong.message());
  if (std::mismatch(here.begin(), here.end(), there.begin(), there.end()).first != here.end())
    refuse("leads out of the model's folder by a link");
  return there.string();
}

}  // namespace oxbow::onnx
