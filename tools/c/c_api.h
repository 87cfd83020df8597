/* Serving a trained model from C (C99), and from any language that calls C: load, describe, run, free.
 *
 *   oxbow_model* model;                                   what Model::export_model wrote
 *   oxbow_session* session;                               a run state, for one thread at a time
 *   if (oxbow_load_model("flats.oxb", NULL, &model) || oxbow_new_session(model, &session)) {
 *     fprintf(stderr, "%s\n", oxbow_last_error());
 *     return 1;
 *   }
 *   oxbow_feed(session, 0, OXBOW_F32, numbers, 3 * 8);    three samples of eight numbers, read in place
 *   oxbow_run(session);
 *   oxbow_result rents;
 *   oxbow_fetch(session, 0, &rents);                      rents.data, rents.shape, until the next run
 *
 * Thread safety: a model is for any number of threads at once, a session for one at a time. Sessions keep what they
 * need of their model, so both are freed in any order. Memory: once a session has run with the shapes of its inputs,
 * further runs with these shapes allocate nothing; oxbow_load_options says for how many sets of shapes that is so.
 * Only oxbow_feed_table, which makes numbers of a table's texts, allocates each time.
 *
 * Every function that can fail returns an oxbow_status, 0 where all went well; nothing else of the library's crosses
 * this boundary, no exception either. A call that failed leaves its model and what was fed as they were, and gives no
 * handle. Null for a handle is an error like any other, and nothing to free. What is here stays: later versions of the
 * library add functions, constants, and fields in place of what is reserved. */
#ifndef OXBOW_C_API_H
#define OXBOW_C_API_H

#include <stdint.h>

#define OXBOW_C_API_VERSION 2 /* goes up by one where something is added */

#if defined(__GNUC__)
#define OXBOW_C_API __attribute__((visibility("default")))
#else
#define OXBOW_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t oxbow_status;
enum {
  OXBOW_OK = 0,
  OXBOW_ERROR = 1, /* a file, data or a call that is not right, or no memory: oxbow_last_error() says what to do */
  OXBOW_INTERNAL_ERROR = 2 /* a fault of the library's: please report it with its message */
};

typedef int32_t oxbow_dtype;
enum {
  OXBOW_F32 = 0,
  OXBOW_F64 = 1,
  OXBOW_F16 = 2, /* IEEE 754 binary16 */
  OXBOW_BF16 = 3,
  OXBOW_I8 = 4,
  OXBOW_I16 = 5,
  OXBOW_I32 = 6,
  OXBOW_I64 = 7,
  OXBOW_U8 = 8,
  OXBOW_U16 = 9,
  OXBOW_U32 = 10,
  OXBOW_U64 = 11,
  OXBOW_BOOL = 12 /* a byte: 0 or 1 */
};

enum { OXBOW_MAX_RANK = 8, OXBOW_ANY = -1 };

typedef struct oxbow_model oxbow_model;
typedef struct oxbow_session oxbow_session;

/* Zeros are the defaults: `&(oxbow_load_options){.threads = 1}`. */
typedef struct oxbow_load_options {
  int32_t threads;       /* that share a run, the caller's included; 0: as many as the process may keep busy */
  int32_t cached_shapes; /* for so many sets of input shapes, those used last, runs are warm; 0: 128 */
  int64_t reserved[7];   /* 0 */
} oxbow_load_options;

/* An input or an output of a model. */
typedef struct oxbow_value {
  const char* name;
  oxbow_dtype dtype;
  int32_t rank;                  /* so many axes */
  int64_t shape[OXBOW_MAX_RANK]; /* their sizes; OXBOW_ANY: of an input any, of an output what follows from those fed */
} oxbow_value;

/* What a run computed: row-major, the last axis innermost. */
typedef struct oxbow_result {
  const void* data;
  int64_t count; /* of elements */
  oxbow_dtype dtype;
  int32_t rank;
  int64_t shape[OXBOW_MAX_RANK];
} oxbow_result;

/* A column of a table: one of the lists is null, the other holds a value a row. */
typedef struct oxbow_table_column {
  const char* name;
  const double* numbers;    /* NaN where one is missing */
  const char* const* texts; /* UTF-8; null where one is missing */
  int64_t reserved[2];      /* 0 */
} oxbow_table_column;

/* Of the library that is linked: "0.2.0", and its OXBOW_C_API_VERSION. */
OXBOW_C_API const char* oxbow_version(void);
OXBOW_C_API int32_t oxbow_c_api_version(void);
/* What the last call that failed on this thread says, until the next one that fails; "" before the first. */
OXBOW_C_API const char* oxbow_last_error(void);

/* Reads what Model::export_model wrote. `options` may be null. */
OXBOW_C_API oxbow_status oxbow_load_model(const char* path, const oxbow_load_options* options, oxbow_model** model);
OXBOW_C_API void oxbow_free_model(oxbow_model* model);

/* So many, 0 for null; and the i-th, which lives as long as its model, null where there is none. */
OXBOW_C_API int32_t oxbow_inputs(const oxbow_model* model);
OXBOW_C_API const oxbow_value* oxbow_input(const oxbow_model* model, int32_t i);
OXBOW_C_API int32_t oxbow_outputs(const oxbow_model* model);
OXBOW_C_API const oxbow_value* oxbow_output(const oxbow_model* model, int32_t i);
/* What the classes are that the numbers of a sample stand for; none where the model does not say. */
OXBOW_C_API int32_t oxbow_labels(const oxbow_model* model);
OXBOW_C_API const char* oxbow_label(const oxbow_model* model, int32_t i);

/* The columns of a table that a model reads, where it was exported with how they become its inputs: 0 where it was not.
 * Version 2. */
OXBOW_C_API int32_t oxbow_columns(const oxbow_model* model);
OXBOW_C_API const char* oxbow_column_name(const oxbow_model* model, int32_t i);
/* 1 where the column is of texts, 0 where it is of numbers. */
OXBOW_C_API int32_t oxbow_column_is_text(const oxbow_model* model, int32_t i);

OXBOW_C_API oxbow_status oxbow_new_session(const oxbow_model* model, oxbow_session** session);
OXBOW_C_API void oxbow_free_session(oxbow_session* session);

/* Where the next runs read an input: `count` elements, which must stay there until those runs are over. The size of the
 * input's free axis follows from their number. */
OXBOW_C_API oxbow_status oxbow_feed(oxbow_session* session, int32_t input, oxbow_dtype dtype, const void* data,
                                    int64_t count);
/* The same by shape; needed where an input has several free axes. */
OXBOW_C_API oxbow_status oxbow_feed_shape(oxbow_session* session, int32_t input, oxbow_dtype dtype, const void* data,
                                          const int64_t* shape, int32_t rank);
/* Rows of a table for the next runs, in place of the inputs that are made of it: normalised, encoded, with missing values
 * filled as in training. They are copied. Columns are found by their names, in any order; what the model does not read
 * is left out. An error names column and row of a value that the model cannot read: a text that it has not seen, or a
 * missing one where none was in training. Version 2. */
OXBOW_C_API oxbow_status oxbow_feed_table(oxbow_session* session, const oxbow_table_column* columns, int32_t count,
                                          int64_t rows);
/* Where the next runs write an output that has `count` elements; null for `to`: memory of the session's own again. */
OXBOW_C_API oxbow_status oxbow_fetch_into(oxbow_session* session, int32_t output, oxbow_dtype dtype, void* to,
                                          int64_t count);

/* One run over what was fed. */
OXBOW_C_API oxbow_status oxbow_run(oxbow_session* session);

/* An output of the last run. Its bytes stay until the session runs again or is freed. */
OXBOW_C_API oxbow_status oxbow_fetch(const oxbow_session* session, int32_t output, oxbow_result* result);

#ifdef __cplusplus
}
#endif

#endif
