/* Rows, tables and labels in a program's memory: the rules of files hold for them. */
#include <math.h>
#include <stdlib.h>

#include "arrays.h"

/* The array is taken, and its rows are these floats. */
static void expect_values(const vaecuda_array* array, const float* wanted, int64_t count, int type) {
  float values[16];
  vaecuda_dataset* data = NULL;
  int64_t rows = 0;
  OK(vaecuda_dataset_from_array(array, &data));
  if (data == NULL) return;
  OK(vaecuda_dataset_size(data, &rows, NULL));
  OK(vaecuda_dataset_values(data, 0, rows, values, 16));
  CHECK(memcmp(values, wanted, sizeof(float) * (size_t)count) == 0);
  CHECK(info_of(data).type == type);
  vaecuda_dataset_free(data);
}

static void expect_refused(const vaecuda_array* array, int status, const char* text) {
  vaecuda_dataset* data = NULL;
  EXPECT(vaecuda_dataset_from_array(array, &data), status, text);
  CHECK(data == NULL);
  vaecuda_dataset_free(data);
}

static void test_types(void) {
  static const int64_t shape[2] = {2, 2};
  static const float wanted[4] = {0.0f, 1.0f, 1.0f, 0.0f};
  static const uint8_t bytes[4] = {0, 1, 1, 0};
  static const int8_t i8[4] = {-128, 0, 1, 127};
  static const float of_i8[4] = {-128.0f, 0.0f, 1.0f, 127.0f};
  static const uint16_t u16[4] = {0, 1, 256, 65535};
  static const uint16_t swapped[4] = {0, 256, 1, 65535};
  static const float of_u16[4] = {0.0f, 1.0f, 256.0f, 65535.0f};
  static const int64_t i64[4] = {-16777216, 16777218, 0, 1};
  static const float of_i64[4] = {-16777216.0f, 16777218.0f, 0.0f, 1.0f};
  static const double f64[4] = {0.1, -2.5, 3.0e38, 16777217.0};
  const float of_f64[4] = {(float)f64[0], -2.5f, (float)f64[2], 16777216.0f};
  static const int64_t odd[4] = {0, 1, 16777217, 2};
  static const uint64_t huge[4] = {0, 1, 2, UINT64_C(9223372036854775809)};
  static const int32_t low[4] = {0, -16777217, 1, 2};
  static const double large[4] = {0.0, 0.0, 0.0, 1e39};
  static const uint8_t no_bool[4] = {0, 1, 2, 0};
  const float with_nan[4] = {0.0f, NAN, 0.0f, 0.0f};
  vaecuda_array array = array_of(bytes, VAECUDA_U8, 2, shape);
  expect_values(&array, wanted, 4, VAECUDA_U8);
  array.type = VAECUDA_BOOL;
  expect_values(&array, wanted, 4, VAECUDA_F32);
  array = array_of(i8, VAECUDA_I8, 2, shape);
  expect_values(&array, of_i8, 4, VAECUDA_F32);
  array = array_of(u16, VAECUDA_U16, 2, shape);
  expect_values(&array, of_u16, 4, VAECUDA_F32);
  array = array_of(swapped, VAECUDA_U16, 2, shape);
  array.swapped = 1;
  expect_values(&array, of_u16, 4, VAECUDA_F32);
  array = array_of(i64, VAECUDA_I64, 2, shape);
  expect_values(&array, of_i64, 4, VAECUDA_F32);
  array = array_of(f64, VAECUDA_F64, 2, shape); /* decimal numbers are rounded, as those of files are */
  expect_values(&array, of_f64, 4, VAECUDA_F32);

  array = array_of(odd, VAECUDA_I64, 2, shape);
  array.name = "x";
  expect_refused(
      &array, VAECUDA_BAD_FILE,
      "x: row 1, column 0 (counted from 0): a 32-bit float cannot hold the integer 16777217 exactly");
  array = array_of(huge, VAECUDA_U64, 2, shape);
  expect_refused(&array, VAECUDA_BAD_FILE, "memory: row 1, column 1 (counted from 0): a 32-bit float cannot");
  array = array_of(low, VAECUDA_I32, 2, shape);
  expect_refused(&array, VAECUDA_BAD_FILE, "row 0, column 1 (counted from 0): a 32-bit float cannot hold");
  array = array_of(large, VAECUDA_F64, 2, shape);
  expect_refused(&array, VAECUDA_BAD_FILE, "row 1, column 1 (counted from 0): 1e+39 is too large");
  array = array_of(no_bool, VAECUDA_BOOL, 2, shape);
  expect_refused(&array, VAECUDA_BAD_FILE, "row 1, column 0 (counted from 0): byte 2 is not a boolean");
  array = array_of(with_nan, VAECUDA_F32, 2, shape);
  expect_refused(&array, VAECUDA_BAD_FILE, "row 0, column 1 (counted from 0): the value is nan");
}

static void test_layouts(void) {
  static const float values[12] = {0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f, 8.0f, 9.0f, 10.0f, 11.0f};
  static const int64_t shape[2] = {3, 2};
  static const int64_t by_column[2] = {4, 12}; /* columns of three values each */
  static const float of_columns[6] = {0.0f, 3.0f, 1.0f, 4.0f, 2.0f, 5.0f};
  static const int64_t backwards[2] = {-16, 8};
  static const float reversed[6] = {8.0f, 10.0f, 4.0f, 6.0f, 0.0f, 2.0f};
  static const int64_t cube[3] = {2, 2, 3};
  static const int64_t transposed[3] = {24, 4, 8};
  static const float of_cube[12] = {0.0f, 2.0f, 4.0f, 1.0f, 3.0f, 5.0f, 6.0f, 8.0f, 10.0f, 7.0f, 9.0f, 11.0f};
  static const uint8_t none[6] = {0, 0, 0, 0, 0, 0};
  static const uint8_t some[6] = {0, 0, 0, 1, 0, 0};
  static const int64_t mask_by_column[2] = {1, 3};
  char raw[25];
  vaecuda_array array = array_of(values, VAECUDA_F32, 2, shape);
  array.strides = by_column;
  expect_values(&array, of_columns, 6, VAECUDA_F32);
  array.data = values + 8;
  array.strides = backwards;
  expect_values(&array, reversed, 6, VAECUDA_F32);
  array = array_of(values, VAECUDA_F32, 3, cube);
  array.strides = transposed;
  expect_values(&array, of_cube, 12, VAECUDA_F32);
  memcpy(raw + 1, values, 24); /* elements need not be aligned */
  array = array_of(raw + 1, VAECUDA_F32, 2, shape);
  expect_values(&array, values, 6, VAECUDA_F32);

  array = array_of(values, VAECUDA_F32, 2, shape);
  array.mask = none;
  expect_values(&array, values, 6, VAECUDA_F32);
  array.mask = some;
  expect_refused(&array, VAECUDA_BAD_FILE, "row 1, column 1 (counted from 0): the value is masked");
  array.mask_strides = mask_by_column;
  expect_refused(&array, VAECUDA_BAD_FILE, "row 0, column 1 (counted from 0): the value is masked");
}

static void test_sparse(void) {
  static const int64_t begins[4] = {0, 2, 2, 3}, falling[4] = {0, 2, 1, 3};
  static const int32_t columns[3] = {3, 0, 2}, twice[3] = {3, 3, 2}, far[3] = {3, 0, 4};
  static const double values[3] = {0.5, 7.0, -1.0};
  static const float wanted[12] = {7.0f, 0.0f, 0.0f, 0.5f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, -1.0f, 0.0f};
  static const int64_t four[1] = {4}, three[1] = {3}, two[1] = {2};
  const double nan_there[3] = {0.5, 7.0, NAN};
  float found[12];
  char text[1000];
  vaecuda_dataset* data = NULL;
  vaecuda_array row_begin = array_of(begins, VAECUDA_I64, 1, four);
  vaecuda_array indices = array_of(columns, VAECUDA_I32, 1, three);
  vaecuda_array held = array_of(values, VAECUDA_F64, 1, three);
  OK(vaecuda_dataset_from_csr(&row_begin, &indices, &held, 4, &data));
  CHECK(info_of(data).rows == 3 && info_of(data).columns == 4 && info_of(data).type == VAECUDA_F32);
  OK(vaecuda_dataset_values(data, 0, 3, found, 12));
  CHECK(memcmp(found, wanted, sizeof wanted) == 0);
  OK(vaecuda_dataset_notes(data, text, sizeof text, NULL));
  CHECK(strstr(text, "columns of 1 row put in order") != NULL);
  vaecuda_dataset_free(data);
  data = NULL;
  EXPECT(vaecuda_dataset_from_csr(&row_begin, &indices, &held, 3, &data), VAECUDA_BAD_FILE,
         "element 0 is 3, which is out of range");
  indices.data = far;
  EXPECT(vaecuda_dataset_from_csr(&row_begin, &indices, &held, 4, &data), VAECUDA_BAD_FILE, "element 2 is 4");
  indices.data = twice;
  EXPECT(vaecuda_dataset_from_csr(&row_begin, &indices, &held, 4, &data), VAECUDA_BAD_FILE,
         "row 0 has column 3 twice");
  indices.data = columns;
  held.data = nan_there;
  EXPECT(vaecuda_dataset_from_csr(&row_begin, &indices, &held, 4, &data), VAECUDA_BAD_FILE,
         "row 2, column 2");
  held.data = values;
  held.shape = two;
  EXPECT(vaecuda_dataset_from_csr(&row_begin, &indices, &held, 4, &data), VAECUDA_CONFIG,
         "3 columns for 2 values");
  held.shape = three;
  row_begin.data = falling;
  EXPECT(vaecuda_dataset_from_csr(&row_begin, &indices, &held, 4, &data), VAECUDA_CONFIG, "element 2 is 1");
  row_begin.data = begins;
  row_begin.type = VAECUDA_F64;
  EXPECT(vaecuda_dataset_from_csr(&row_begin, &indices, &held, 4, &data), VAECUDA_CONFIG, "no whole numbers");
  EXPECT(vaecuda_dataset_from_csr(NULL, &indices, &held, 4, &data), VAECUDA_CONFIG, "row_begin is NULL");
  CHECK(data == NULL);
}

static void test_shapes(void) {
  static const int64_t last[4] = {1, 5, 6, 3}, first[4] = {1, 3, 5, 6}, grey[4] = {1, 1, 5, 6},
                       flat[4] = {1, 5, 5, 5};
  static const int64_t line[1] = {4}, empty[2] = {0, 4}, narrow[2] = {4, 0}, many[2] = {INT64_MAX, 8};
  static const int64_t negative[2] = {-1, 4};
  static const float values[125] = {0.0f};
  char text[1000];
  vaecuda_dataset* data = NULL;
  vaecuda_dataset_info info;
  vaecuda_array array = array_of(values, VAECUDA_F32, 4, last);
  OK(vaecuda_dataset_from_array(&array, &data));
  info = info_of(data);
  CHECK(info.image_height == 5 && info.image_width == 6 && info.image_channels == 3 && info.columns == 90);
  OK(vaecuda_dataset_notes(data, text, sizeof text, NULL));
  CHECK(strstr(text, "warning: ") == NULL && strstr(text, "1 row") != NULL);
  vaecuda_dataset_free(data);
  array.shape = first;
  OK(vaecuda_dataset_from_array(&array, &data));
  CHECK(info_of(data).image_height == 0 && info_of(data).columns == 90);
  OK(vaecuda_dataset_notes(data, text, sizeof text, NULL));
  CHECK(strstr(text, "\nwarning: ") != NULL && strstr(text, "transpose(0, 2, 3, 1)") != NULL);
  vaecuda_dataset_free(data);
  array.shape = grey; /* one channel: the same order of values */
  OK(vaecuda_dataset_from_array(&array, &data));
  info = info_of(data);
  CHECK(info.image_height == 5 && info.image_width == 6 && info.image_channels == 1);
  vaecuda_dataset_free(data);
  array.shape = flat;
  OK(vaecuda_dataset_from_array(&array, &data));
  CHECK(info_of(data).image_height == 0);
  vaecuda_dataset_free(data);
  array = array_of(NULL, VAECUDA_F32, 2, empty);
  OK(vaecuda_dataset_from_array(&array, &data));
  CHECK(info_of(data).rows == 0 && info_of(data).columns == 4);
  vaecuda_dataset_free(data);

  array = array_of(values, VAECUDA_F32, 1, line);
  expect_refused(&array, VAECUDA_CONFIG, "has the shape (4,), but rows have two axes");
  array = array_of(values, VAECUDA_F32, 2, narrow);
  expect_refused(&array, VAECUDA_CONFIG, "has the shape (4, 0)");
  array = array_of(values, VAECUDA_F32, 2, negative);
  expect_refused(&array, VAECUDA_CONFIG, "has the shape (-1, 4)");
  array = array_of(values, VAECUDA_F32, 2, many);
  expect_refused(&array, VAECUDA_CONFIG, "any memory");
  array = array_of(values, 12, 2, last);
  expect_refused(&array, VAECUDA_CONFIG, "12 is no type");
  array = array_of(NULL, VAECUDA_F32, 2, last);
  expect_refused(&array, VAECUDA_CONFIG, "null pointer");
  array = array_of(values, VAECUDA_F32, 65, last);
  expect_refused(&array, VAECUDA_CONFIG, "65 axes");
  array = array_of(values, VAECUDA_F32, 2, NULL);
  expect_refused(&array, VAECUDA_CONFIG, "array->shape is NULL");
  array = array_of(values, VAECUDA_F32, 2, last);
  array.size = 1;
  expect_refused(&array, VAECUDA_CONFIG, "array->size");
  expect_refused(NULL, VAECUDA_CONFIG, "array is NULL");
  EXPECT(vaecuda_dataset_describe(NULL, &info), VAECUDA_CONFIG, "dataset is NULL");
  EXPECT(vaecuda_dataset_notes(NULL, text, sizeof text, NULL), VAECUDA_CONFIG, "dataset is NULL");
}

static void test_columns(void) {
  static const int64_t three[1] = {3}, two[1] = {2};
  static const double age[3] = {30.5, 40.0, 50.0};
  static const int64_t count[3] = {1, 2, 16777217};
  static const char* const city[3] = {"Oslo", "Rome", "Oslo"};
  static const uint8_t bytes[3] = {1, 2, 3};
  float values[9];
  vaecuda_array a = array_of(age, VAECUDA_F64, 1, three);
  vaecuda_array b = array_of(count, VAECUDA_I64, 1, three);
  vaecuda_array c = array_of(city, VAECUDA_TEXT, 1, three);
  const vaecuda_array* columns[3];
  vaecuda_dataset* data = NULL;
  vaecuda_dataset_info info;
  columns[0] = &a;
  columns[1] = &b;
  columns[2] = &c;
  a.name = "age";
  b.name = "count";
  c.name = "city";
  EXPECT(vaecuda_dataset_from_columns(columns, 2, NULL, &data), VAECUDA_BAD_FILE,
         "row 2, column \"count\" (counted from 0): a 32-bit float cannot hold the integer 16777217");
  b.data = age;
  b.type = VAECUDA_F64;
  EXPECT(vaecuda_dataset_from_columns(columns, 3, NULL, &data), VAECUDA_BAD_FILE,
         "column \"city\" holds texts (row 0: \"Oslo\")");
  OK(vaecuda_dataset_from_columns(columns, 3, "city", &data));
  info = info_of(data);
  CHECK(info.rows == 3 && info.columns == 2 && info.named && info.classes == 2 && info.type == VAECUDA_F32);
  OK(vaecuda_dataset_values(data, 0, 3, values, 9));
  CHECK(values[0] == 30.5f && values[1] == 30.5f && values[5] == 50.0f);
  vaecuda_dataset_free(data);
  c.name = "Class"; /* which a last column of labels is called */
  OK(vaecuda_dataset_from_columns(columns, 3, NULL, &data));
  CHECK(info_of(data).columns == 2 && info_of(data).classes == 2);
  vaecuda_dataset_free(data);
  c = array_of(age, VAECUDA_F64, 1, three);
  c.name = "Class";
  OK(vaecuda_dataset_from_columns(columns, 3, "none", &data));
  CHECK(info_of(data).columns == 3 && info_of(data).classes == 0);
  vaecuda_dataset_free(data);
  data = NULL;
  EXPECT(vaecuda_dataset_from_columns(columns, 3, "cities", &data), VAECUDA_CONFIG,
         "there is no column \"cities\"");
  EXPECT(vaecuda_dataset_from_columns(columns, 3, "3", &data), VAECUDA_CONFIG, "does not exist");
  EXPECT(vaecuda_dataset_from_columns(columns, 3, "age", &data), VAECUDA_BAD_FILE,
         "label 30.5 is not an integer");
  EXPECT(vaecuda_dataset_from_columns(columns, 0, NULL, &data), VAECUDA_CONFIG, "0 columns");
  EXPECT(vaecuda_dataset_from_columns(NULL, 1, NULL, &data), VAECUDA_CONFIG, "columns is NULL");
  EXPECT(vaecuda_dataset_from_columns(columns, 1, "0", &data), VAECUDA_CONFIG, "no columns");
  b.shape = two;
  EXPECT(vaecuda_dataset_from_columns(columns, 3, NULL, &data), VAECUDA_CONFIG, "has the shape (2,)");
  b.shape = three;
  b.name = NULL;
  EXPECT(vaecuda_dataset_from_columns(columns, 3, NULL, &data), VAECUDA_CONFIG,
         "column 1 (counted from 0) has no name");
  CHECK(data == NULL);
  a = array_of(bytes, VAECUDA_U8, 1, three);
  OK(vaecuda_dataset_from_columns(columns, 1, NULL, &data));
  CHECK(info_of(data).type == VAECUDA_U8 && !info_of(data).named);
  vaecuda_dataset_free(data);
}

static void test_labels(void) {
  static const int64_t three[1] = {3}, two[1] = {2}, pairs[2] = {3, 2};
  static const float values[6] = {0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
  static const int32_t classes[3] = {7, 5, 7};
  static const double halves[3] = {1.0, 0.5, 1.0};
  static const char* const words[3] = {"b", NULL, "a"};
  static const uint8_t missing[3] = {0, 0, 1};
  vaecuda_dataset* data = NULL;
  vaecuda_array labels = array_of(classes, VAECUDA_I32, 1, three);
  OK(vaecuda_dataset_from_floats(values, 3, 2, &data));
  OK(vaecuda_dataset_set_labels(data, &labels));
  CHECK(info_of(data).classes == 2 && info_of(data).label_vector == 0);
  labels.mask = missing;
  EXPECT(vaecuda_dataset_set_labels(data, &labels), VAECUDA_BAD_FILE,
         "row 2 (counted from 0): the label is missing");
  labels = array_of(words, VAECUDA_TEXT, 1, three);
  EXPECT(vaecuda_dataset_set_labels(data, &labels), VAECUDA_BAD_FILE,
         "labels: row 1 (counted from 0): the label is");
  labels = array_of(halves, VAECUDA_F64, 1, three);
  EXPECT(vaecuda_dataset_set_labels(data, &labels), VAECUDA_BAD_FILE, "label 0.5 is not an integer");
  labels = array_of(classes, VAECUDA_I32, 1, two);
  EXPECT(vaecuda_dataset_set_labels(data, &labels), VAECUDA_CONFIG, "2 labels for the 3 rows");
  CHECK(info_of(data).classes == 2);
  labels = array_of(values, VAECUDA_F32, 2, pairs);
  OK(vaecuda_dataset_set_labels(data, &labels));
  CHECK(info_of(data).classes == 0 && info_of(data).label_vector == 2);
  EXPECT(vaecuda_dataset_set_labels(data, NULL), VAECUDA_CONFIG, "labels is NULL");
  EXPECT(vaecuda_dataset_load_labels(data, "/nowhere.csv", NULL, 0), VAECUDA_BAD_FILE, "/nowhere.csv");
  vaecuda_dataset_free(data);
}

void test_rows(void) {
  test_types();
  test_layouts();
  test_sparse();
  test_shapes();
  test_columns();
  test_labels();
}
