#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/image.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace oxbow {
using namespace internal;

namespace {

namespace fs = std::filesystem;

bool hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

// Whether a file is a picture to read; one of another format is not passed over in silence.
bool is_picture(const fs::path& path) {
  const std::string ending = lower_case(path.extension().native());
  for (const char* read : {".png", ".jpg", ".jpeg"})
    if (ending == read) return true;
  for (const char* other : {".bmp", ".gif", ".heic", ".tif", ".tiff", ".webp"})
    if (ending == other)
      throw Error(path.native() + " is a picture that is not read: PNG and JPEG are. Convert it, or move it elsewhere");
  return false;
}

std::vector<std::string> pictures_below(const fs::path& folder) {
  std::vector<std::string> paths;
  for (auto at = fs::recursive_directory_iterator(folder); at != fs::recursive_directory_iterator(); ++at) {
    if (hidden(at->path()))
      at.disable_recursion_pending();
    else if (at->is_regular_file() && is_picture(at->path()))
      paths.push_back(at->path().native());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

ImageFolder read_folder(const std::string& folder, const ImageFormat& format) {
  ImageFolder all;
  if (!fs::is_directory(folder)) throw Error("there is no folder " + folder);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && !hidden(entry.path())) all.classes.push_back(entry.path().filename().native());
  if (all.classes.empty())
    throw Error(folder + " has no subfolder. Put the pictures of each class into one of its own");
  std::sort(all.classes.begin(), all.classes.end());
  std::vector<std::int64_t> labels;
  for (std::size_t c = 0; c < all.classes.size(); ++c) {
    const std::vector<std::string> some = pictures_below(fs::path(folder) / all.classes[c]);
    if (some.empty()) throw Error("there is no picture in " + (fs::path(folder) / all.classes[c]).native());
    all.paths.insert(all.paths.end(), some.begin(), some.end());
    labels.resize(all.paths.size(), static_cast<std::int64_t>(c));
  }
  const Type row = format.height > 0 ? Type{u8, {format.height, format.width, format.channels}}
                                     : load_image(all.paths[0], format).type();
  const std::int64_t count = std::ssize(labels);
  all.data.add("x", Rows(row, count, [paths = all.paths, format, row](std::int64_t i, std::int64_t, std::byte* to) {
                 const std::string& path = paths[static_cast<std::size_t>(i)];
                 const Tensor image = load_image(path, format);
                 if (image.type() != row)
                   throw Error(path + " is " + to_string(image.type()) + ", but the first picture " + to_string(row) +
                               ". Give a height and a width, that all become of that size");
                 std::memcpy(to, image.bytes(), static_cast<std::size_t>(row.bytes()));
               }));
  all.data.add("label", Tensor::of({count}, labels));
  return all;
}

}  // namespace

ImageFolder image_folder(const std::string& folder, const ImageFormat& format) {
  return with_own_errors("cannot read", folder, [&] { return read_folder(folder, format); });
}

}  // namespace oxbow
