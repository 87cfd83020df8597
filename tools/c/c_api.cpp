// The C boundary: calls of a SavedModel and its Sessions, with every exception turned into a status and a message.
#include <oxbow/c_api.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/saved_model.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <new>

using namespace oxbow;

struct oxbow_model {
  SavedModel saved;
  std::vector<oxbow_value> inputs, outputs;
  std::vector<std::string> columns;  // of a table
};

struct oxbow_session {
  Session session;
  std::vector<std::string> inputs;     // their names
  std::optional<TableEncoder> encode;  // what makes them of a table
  std::vector<Dataset> tables = {};    // what it made, as long as a run may read it
};

namespace {

// The numbers of the header are those of the library.
static_assert(OXBOW_F32 == static_cast<int>(f32) && OXBOW_F64 == static_cast<int>(f64) &&
              OXBOW_F16 == static_cast<int>(f16) && OXBOW_BF16 == static_cast<int>(bf16) &&
              OXBOW_I8 == static_cast<int>(i8) && OXBOW_I16 == static_cast<int>(i16) &&
              OXBOW_I32 == static_cast<int>(i32) && OXBOW_I64 == static_cast<int>(i64) &&
              OXBOW_U8 == static_cast<int>(u8) && OXBOW_U16 == static_cast<int>(u16) &&
              OXBOW_U32 == static_cast<int>(u32) && OXBOW_U64 == static_cast<int>(u64) &&
              OXBOW_BOOL == static_cast<int>(boolean) && all_dtypes.size() == 13 && sizeof(bool) == 1);
static_assert(OXBOW_MAX_RANK == Shape::max_rank);

constexpr const char* no_memory = "out of memory\n  Free some and try again, or make batches smaller";

// A message, or a text of the program's where there is no memory for one.
thread_local std::string message;
thread_local const char* told = "";

void tell(const char* what) noexcept {
  try {
    message = what;
    told = message.c_str();
  } catch (...) {
    told = no_memory;
  }
}

template <class F>
oxbow_status guarded(const F& call) noexcept {
  try {
    call();
    return OXBOW_OK;
  } catch (const Error& e) {
    tell(e.what());
    return OXBOW_ERROR;
  } catch (const std::bad_alloc&) {
    told = no_memory;
    return OXBOW_ERROR;
  } catch (const std::exception& e) {
    tell(e.what());
    return OXBOW_INTERNAL_ERROR;
  } catch (...) {
    tell("an exception of unknown kind");
    return OXBOW_INTERNAL_ERROR;
  }
}

void check_given(const void* pointer, const char* function, const char* what) {
  if (pointer == nullptr) throw Error(std::string(function) + ": " + what + " is null");
}

template <class T>
T& given(T* pointer, const char* function, const char* what) {
  check_given(pointer, function, what);
  return *pointer;
}

DType checked(const char* function, oxbow_dtype dtype) {
  if (dtype < 0 || dtype >= static_cast<oxbow_dtype>(all_dtypes.size()))
    throw Error(std::string(function) + ": there is no dtype " + std::to_string(dtype) +
                "\n  Give one of those in oxbow/c_api.h, as OXBOW_F32");
  return static_cast<DType>(dtype);
}

const std::string& input_name(const char* function, const oxbow_session& s, std::int32_t input) {
  if (input < 0 || static_cast<std::size_t>(input) >= s.inputs.size())
    throw Error(std::string(function) + ": there is no input " + std::to_string(input) + "\n  The model's are " +
                oxbow::internal::quoted(s.inputs) + ", numbered from 0");
  return s.inputs[static_cast<std::size_t>(input)];
}

void check_count(const char* function, std::int64_t count) {
  if (count < 0) throw Error(std::string(function) + ": the number of elements is " + std::to_string(count));
}

template <class IsFree>
oxbow_value described(const char* name, const Type& type, const IsFree& is_free) {
  oxbow_value v{};
  v.name = name;
  v.dtype = static_cast<oxbow_dtype>(type.dtype);
  v.rank = type.shape.rank();
  for (int axis = 0; axis < v.rank; ++axis) v.shape[axis] = is_free(axis) ? std::int64_t{OXBOW_ANY} : type.shape[axis];
  return v;
}

const oxbow_value* at(const std::vector<oxbow_value>& values, std::int32_t i) {
  return i >= 0 && static_cast<std::size_t>(i) < values.size() ? &values[static_cast<std::size_t>(i)] : nullptr;
}

// One of a table's, as the library has it. Texts are numbered in their order.
TableColumn read_column(const char* function, const oxbow_table_column& c, std::int64_t rows) {
  check_given(c.name, function, "a column's name");
  const std::string word = std::string(function) + ": the column " + oxbow::internal::in_quotes(c.name);
  if (c.reserved[0] != 0 || c.reserved[1] != 0)
    throw Error(word + " has a reserved field that is not 0\n  Set both to 0 first");
  if ((c.numbers == nullptr) == (c.texts == nullptr))
    throw Error(word + (c.texts ? " has numbers and texts" : " has neither numbers nor texts") +
                "\n  Give one of the lists");
  TableColumn column{.name = c.name, .type = c.numbers ? ColumnType::numbers : ColumnType::text};
  if (c.numbers) {
    column.numbers.assign(c.numbers, c.numbers + rows);
    column.missing = std::count_if(c.numbers, c.numbers + rows, [](double x) { return std::isnan(x); });
    return column;
  }
  std::map<std::string_view, std::int32_t> codes;
  for (std::int64_t row = 0; row < rows; ++row)
    if (c.texts[row]) codes.emplace(c.texts[row], 0);
  for (auto& [text, code] : codes) {
    code = static_cast<std::int32_t>(column.categories.size());
    column.categories.emplace_back(text);
  }
  for (std::int64_t row = 0; row < rows; ++row) column.codes.push_back(c.texts[row] ? codes.at(c.texts[row]) : -1);
  column.missing = std::count(column.codes.begin(), column.codes.end(), -1);
  return column;
}

}  // namespace

const char* oxbow_version(void) { return OXBOW_VERSION; }
std::int32_t oxbow_c_api_version(void) { return OXBOW_C_API_VERSION; }
const char* oxbow_last_error(void) { return told; }

oxbow_status oxbow_load_model(const char* path, const oxbow_load_options* options, oxbow_model** model) {
  return guarded([&] {
    const char* const function = "oxbow_load_model";
    check_given(path, function, "the path");
    given(model, function, "where to write the model") = nullptr;
    const oxbow_load_options o = options ? *options : oxbow_load_options{};
    if (std::any_of(std::begin(o.reserved), std::end(o.reserved), [](std::int64_t r) { return r != 0; }))
      throw Error(std::string(function) + ": a reserved field of the options is not 0\n  Set all of them to 0 first");
    LoadOptions load{.pool = o.threads == 0 ? Pool::shared() : Pool(o.threads)};
    if (o.cached_shapes != 0) load.cached_shapes = o.cached_shapes;
    auto loaded = std::make_unique<oxbow_model>();
    loaded->saved = load_model(path, load);
    for (const ops::Input& in : loaded->saved.inputs())
      loaded->inputs.push_back(described(in.name.c_str(), in.type, [&](int axis) { return in.is_free(axis); }));
    loaded->outputs.push_back(
        described("predictions", loaded->saved.output(), [&](int axis) { return loaded->saved.output_is_free(axis); }));
    if (const auto& columns = loaded->saved.columns()) loaded->columns = columns->inputs();
    *model = loaded.release();
  });
}

void oxbow_free_model(oxbow_model* model) { delete model; }

std::int32_t oxbow_inputs(const oxbow_model* model) {
  return model ? static_cast<std::int32_t>(model->inputs.size()) : 0;
}
const oxbow_value* oxbow_input(const oxbow_model* model, std::int32_t i) {
  return model ? at(model->inputs, i) : nullptr;
}
std::int32_t oxbow_outputs(const oxbow_model* model) {
  return model ? static_cast<std::int32_t>(model->outputs.size()) : 0;
}
const oxbow_value* oxbow_output(const oxbow_model* model, std::int32_t i) {
  return model ? at(model->outputs, i) : nullptr;
}
std::int32_t oxbow_labels(const oxbow_model* model) {
  return model ? static_cast<std::int32_t>(model->saved.labels().size()) : 0;
}
const char* oxbow_label(const oxbow_model* model, std::int32_t i) {
  return i >= 0 && i < oxbow_labels(model) ? model->saved.labels()[static_cast<std::size_t>(i)].c_str() : nullptr;
}

std::int32_t oxbow_columns(const oxbow_model* model) {
  return model ? static_cast<std::int32_t>(model->columns.size()) : 0;
}
const char* oxbow_column_name(const oxbow_model* model, std::int32_t i) {
  return i >= 0 && i < oxbow_columns(model) ? model->columns[static_cast<std::size_t>(i)].c_str() : nullptr;
}
std::int32_t oxbow_column_is_text(const oxbow_model* model, std::int32_t i) {
  return i >= 0 && i < oxbow_columns(model) &&
                 model->saved.columns()->is_text(model->columns[static_cast<std::size_t>(i)])
             ? 1
             : 0;
}

oxbow_status oxbow_new_session(const oxbow_model* model, oxbow_session** session) {
  return guarded([&] {
    const SavedModel& saved = given(model, "oxbow_new_session", "the model").saved;
    given(session, "oxbow_new_session", "where to write the session");
    *session = nullptr;
    std::vector<std::string> names;
    for (const ops::Input& in : saved.inputs()) names.push_back(in.name);
    *session = new oxbow_session{saved.session(), std::move(names), saved.columns()};
  });
}

void oxbow_free_session(oxbow_session* session) { delete session; }

oxbow_status oxbow_feed(oxbow_session* session, std::int32_t input, oxbow_dtype dtype, const void* data,
                        std::int64_t count) {
  return guarded([&] {
    const char* const function = "oxbow_feed";
    oxbow_session& s = given(session, function, "the session");
    const std::string& name = input_name(function, s, input);
    check_count(function, count);
    if (count > 0) check_given(data, function, "the data");
    dispatch(checked(function, dtype), [&]<class T>(std::type_identity<T>) {
      s.session.feed(name, std::span<const T>(static_cast<const T*>(data), static_cast<std::size_t>(count)));
    });
  });
}

oxbow_status oxbow_feed_shape(oxbow_session* session, std::int32_t input, oxbow_dtype dtype, const void* data,
                              const std::int64_t* shape, std::int32_t rank) {
  return guarded([&] {
    const char* const function = "oxbow_feed_shape";
    oxbow_session& s = given(session, function, "the session");
    const std::string& name = input_name(function, s, input);
    if (rank < 0 || rank > OXBOW_MAX_RANK)
      throw Error(std::string(function) + ": the rank is " + std::to_string(rank) + ", but shapes have 0 to 8 axes");
    if (rank > 0) check_given(shape, function, "the shape");
    const Type type{checked(function, dtype),
                    Shape(std::span<const std::int64_t>(shape, static_cast<std::size_t>(rank)))};
    if (type.count() > 0) check_given(data, function, "the data");
    s.session.feed(name, type, data);
  });
}

oxbow_status oxbow_feed_table(oxbow_session* session, const oxbow_table_column* columns, std::int32_t count,
                              std::int64_t rows) {
  return guarded([&] {
    const char* const function = "oxbow_feed_table";
    oxbow_session& s = given(session, function, "the session");
    if (!s.encode)
      throw Error(std::string(function) +
                  ": the model does not say which columns of a table it reads\n  Give its inputs by "
                  "oxbow_feed, or export it with a TableEncoder");
    check_count(function, count);
    if (rows < 1) throw Error(std::string(function) + ": the number of rows is " + std::to_string(rows));
    if (count > 0) check_given(columns, function, "the columns");
    std::vector<TableColumn> all;
    for (std::int32_t i = 0; i < count; ++i) all.push_back(read_column(function, columns[i], rows));
    s.tables.push_back(s.encode->inputs_of(Table(std::move(all))));
    for (const auto& [name, tensor] : s.tables.back().columns()) s.session.feed(name, tensor.type(), tensor.bytes());
    s.tables.erase(s.tables.begin(), s.tables.end() - 1);  // where all went well nothing reads an older one
  });
}

oxbow_status oxbow_fetch_into(oxbow_session* session, std::int32_t output, oxbow_dtype dtype, void* to,
                              std::int64_t count) {
  return guarded([&] {
    const char* const function = "oxbow_fetch_into";
    oxbow_session& s = given(session, function, "the session");
    check_count(function, count);
    dispatch(checked(function, dtype), [&]<class T>(std::type_identity<T>) {
      s.session.fetch_into(output, std::span<T>(static_cast<T*>(to), static_cast<std::size_t>(to ? count : 0)));
    });
  });
}

oxbow_status oxbow_run(oxbow_session* session) {
  return guarded([&] { given(session, "oxbow_run", "the session").session.run(); });
}

oxbow_status oxbow_fetch(const oxbow_session* session, std::int32_t output, oxbow_result* result) {
  return guarded([&] {
    const oxbow_session& s = given(session, "oxbow_fetch", "the session");
    oxbow_result& r = given(result, "oxbow_fetch", "where to write the result");
    const Type type = s.session.fetch_type(output);
    dispatch(type.dtype, [&]<class T>(std::type_identity<T>) { r.data = s.session.fetch<T>(output).data(); });
    r.count = type.count();
    r.dtype = static_cast<oxbow_dtype>(type.dtype);
    r.rank = type.shape.rank();
    std::fill(std::copy(type.shape.begin(), type.shape.end(), r.shape), std::end(r.shape), 0);
  });
}
