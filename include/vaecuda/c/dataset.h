/* Rows of data. The rules for all of the C interface are in vaecuda/vaecuda.h. */
#ifndef VAECUDA_C_DATASET_H
#define VAECUDA_C_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "vaecuda/c/config.h"
#include "vaecuda/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NOLINTBEGIN(modernize-use-using): this is C. */

typedef struct vaecuda_dataset vaecuda_dataset;

/* Reads a data set: a file or folder of docs/formats.md, or "shapes". `labels_path` may be NULL. */
VAECUDA_API int vaecuda_dataset_load(const char* path, const char* labels_path, vaecuda_dataset** result);
/* Copies rows * columns elements. Floats must be finite. */
VAECUDA_API int vaecuda_dataset_from_floats(const float* values, int64_t rows, int64_t columns,
                                            vaecuda_dataset** result);
VAECUDA_API int vaecuda_dataset_from_bytes(const uint8_t* values, int64_t rows, int64_t columns,
                                           vaecuda_dataset** result);
/* What the elements of an array are. A text is a `const char*`, ended by a zero. */
enum {
  VAECUDA_BOOL = 0,
  VAECUDA_U8 = 1,
  VAECUDA_I8 = 2,
  VAECUDA_U16 = 3,
  VAECUDA_I16 = 4,
  VAECUDA_U32 = 5,
  VAECUDA_I32 = 6,
  VAECUDA_U64 = 7,
  VAECUDA_I64 = 8,
  VAECUDA_F32 = 9,
  VAECUDA_F64 = 10,
  VAECUDA_TEXT = 11
};

/* An array of any layout in the caller's memory, which is read during the call alone. Elements need not be
 * aligned. Fill it with VAECUDA_ARRAY_INIT first. */
typedef struct vaecuda_array {
  size_t size; /* sizeof(vaecuda_array) */
  const void* data;
  int type; /* VAECUDA_F32 ... */
  int64_t axes;
  const int64_t* shape;   /* `axes` numbers; the first axis counts rows */
  const int64_t* strides; /* bytes from neighbour to neighbour of each axis; NULL: row-major */
  int swapped;            /* other than 0: an element's bytes stand in the other order than the machine's */
  const uint8_t* mask;    /* of the same shape; other than 0: the element is missing; NULL: none is */
  const int64_t* mask_strides; /* as `strides` */
  const char* name;            /* what messages call it; of a table's column its name; NULL: none */
} vaecuda_array;

/* clang-format off */
#define VAECUDA_ARRAY_INIT {sizeof(vaecuda_array), NULL, VAECUDA_F32, 0, NULL, NULL, 0, NULL, NULL, NULL}
/* clang-format on */

/* Copies an array of two axes or more as the rows of a .npy file are read: bytes stay bytes, every other type
 * becomes float, (N, H, W) and (N, H, W, C) with up to 4 channels are pictures. An element that is missing,
 * not finite, or an integer that a 32-bit float cannot hold exactly is VAECUDA_BAD_FILE with its row and
 * column. */
VAECUDA_API int vaecuda_dataset_from_array(const vaecuda_array* array, vaecuda_dataset** result);
/* Copies the rows of a sparse matrix (CSR), which stay sparse: those of row r are the elements row_begin[r]
 * to row_begin[r + 1] - 1 of `columns` and `values`, in any order. One axis each; the first two are whole
 * numbers of any type. `width`: how many columns there are. A value as above, and a column that is out of
 * range or stands twice in its row, is VAECUDA_BAD_FILE with its place. */
VAECUDA_API int vaecuda_dataset_from_csr(const vaecuda_array* row_begin, const vaecuda_array* columns,
                                         const vaecuda_array* values, int64_t width,
                                         vaecuda_dataset** result);
/* As vaecuda_dataset_from_array, of a table's `count` columns, one axis each and of equal length. They are
 * bytes if all are, else floats. `label_column`: the one that holds labels, by name or by index from 0;
 * "none"; NULL or "": a last column named label, class or target is taken. Only that column may hold texts.
 */
VAECUDA_API int vaecuda_dataset_from_columns(const vaecuda_array* const* columns, int64_t count,
                                             const char* label_column, vaecuda_dataset** result);
/* Reads what a configuration's options data.path, data.labels, data.label_column, data.image and the like ask
 * for. */
VAECUDA_API int vaecuda_dataset_from_config(const vaecuda_config* config, vaecuda_dataset** result);
/* The same rows for a model, or for other rows, whose columns are called so: unless data.label_column names
 * one of them, none is taken for labels. Of a table that has one of them, cells of other columns are not
 * read: they may hold anything, and their values are NaN. */
VAECUDA_API int vaecuda_dataset_from_config_for(const vaecuda_config* config, const char* const* names,
                                                size_t count, vaecuda_dataset** result);
/* The picture that a row is, channels varying fastest. height * width * channels must be the columns. */
VAECUDA_API int vaecuda_dataset_set_image(vaecuda_dataset* dataset, int64_t height, int64_t width,
                                          int64_t channels);
/* Labels, one for each row: classes by whole numbers or texts, or with two axes, the second above 1, a vector
 * of numbers per row. */
VAECUDA_API int vaecuda_dataset_set_labels(vaecuda_dataset* dataset, const vaecuda_array* labels);
/* The labels that a file holds, as option data.labels. `names`: what the numbers of label vectors are called
 * by whom they are for (vaecuda_model_label_column): where the file's table has one of them, its other
 * columns are not read and may hold anything; NULL: all are read. */
VAECUDA_API int vaecuda_dataset_load_labels(vaecuda_dataset* dataset, const char* path,
                                            const char* const* names, size_t count);
/* Lines for a person: what was read, then what may be wrong with it, each of which begins with "warning: ".
 * `length` as that of vaecuda_config_get. */
VAECUDA_API int vaecuda_dataset_notes(const vaecuda_dataset* dataset, char* text, size_t size,
                                      size_t* length);

/* What a data set holds. The library may append members in later versions. Fill it with
 * VAECUDA_DATASET_INFO_INIT first. */
typedef struct vaecuda_dataset_info {
  size_t size; /* sizeof(vaecuda_dataset_info) */
  int64_t rows;
  int64_t columns;
  int type;             /* VAECUDA_U8 or VAECUDA_F32, which also stands for rows that are kept sparse */
  int named;            /* columns have names */
  int64_t image_height; /* 0 where rows are no pictures */
  int64_t image_width;
  int64_t image_channels;
  int64_t classes;      /* of the labels; 0 where there are none or they are vectors */
  int64_t label_vector; /* numbers of a label that is a vector; 0 where there are none */
} vaecuda_dataset_info;

/* clang-format off */
#define VAECUDA_DATASET_INFO_INIT {sizeof(vaecuda_dataset_info), 0, 0, 0, 0, 0, 0, 0, 0, 0}
/* clang-format on */

VAECUDA_API int vaecuda_dataset_describe(const vaecuda_dataset* dataset, vaecuda_dataset_info* info);
/* What the columns are called: `count` names, one for each. Where a model or other rows have names as well,
 * columns are then matched by name. */
VAECUDA_API int vaecuda_dataset_set_columns(vaecuda_dataset* dataset, const char* const* names, size_t count);
/* The same of the numbers of a label that is a vector, as the columns of the table that they come from. */
VAECUDA_API int vaecuda_dataset_set_label_columns(vaecuda_dataset* dataset, const char* const* names,
                                                  size_t count);
/* Either pointer may be NULL. */
VAECUDA_API int vaecuda_dataset_size(const vaecuda_dataset* dataset, int64_t* rows, int64_t* columns);
/* Rows `first` to `first + count - 1` as floats (count, columns). */
VAECUDA_API int vaecuda_dataset_values(const vaecuda_dataset* dataset, int64_t first, int64_t count,
                                       float* values, size_t values_size);
VAECUDA_API void vaecuda_dataset_free(vaecuda_dataset* dataset);

/* NOLINTEND(modernize-use-using) */

#ifdef __cplusplus
}
#endif

#endif
