/* The C API where named rows meet a model or other rows, and what it says of their scale. */
#include <stdlib.h>

#include "arrays.h"

enum { kRows = 60, kColumns = 4 };
static const char* const kNames[kColumns] = {"temp", "flow", "load", "speed"};
static const char* const kOther[kColumns + 1] = {"speed", "id", "temp", "load", "flow"};
static const int kPlace[kColumns] = {2, 4, 3, 0}; /* of the names in the other order */

struct said {
  int lines;
  char last[512];
};
static void on_message(void* user, const char* line) {
  struct said* said = user;
  ++said->lines;
  snprintf(said->last, sizeof said->last, "%s", line);
}

static void fill(float* values, float* other) {
  int row;
  int column;
  for (row = 0; row < kRows; ++row) {
    for (column = 0; column < kColumns; ++column) {
      const float value = (float)((row * 7 + column * 13) % 29) / 7.0f + (float)column;
      values[row * kColumns + column] = value;
      other[row * (kColumns + 1) + kPlace[column]] = value;
    }
    other[row * (kColumns + 1) + 1] = (float)row; /* the id */
  }
}

static vaecuda_config* config_for(const char* folder, const char* name, const char* likelihood) {
  char path[4096];
  vaecuda_config* config = NULL;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  OK(vaecuda_config_create(&config));
  OK(vaecuda_config_set(config, "output.dir", path));
  OK(vaecuda_config_set(config, "output.overwrite", "true"));
  OK(vaecuda_config_set(config, "model.hidden", "6"));
  OK(vaecuda_config_set(config, "model.latent_dim", "2"));
  OK(vaecuda_config_set(config, "model.likelihood", likelihood));
  OK(vaecuda_config_set(config, "train.epochs", "2"));
  OK(vaecuda_config_set(config, "train.device", "cpu"));
  return config;
}

static vaecuda_model* load(const char* folder, const char* name, struct said* said) {
  char path[4096];
  vaecuda_model* model = NULL;
  vaecuda_run_on on = VAECUDA_RUN_ON_INIT;
  snprintf(path, sizeof path, "%s/%s/model.safetensors", folder, name);
  memset(said, 0, sizeof *said);
  on.device = "cpu";
  on.user = said;
  on.message = on_message;
  OK(vaecuda_model_load(path, &on, &model));
  return model;
}

static void test_names(const char* folder) {
  static const char* const kTwice[kColumns] = {"temp", "flow", "load", "load"};
  static const char* const kFew[kColumns] = {"temp", "flow", "load", "Speed"};
  float values[kRows * kColumns];
  float other[kRows * (kColumns + 1)];
  int64_t order[kColumns];
  int i;
  struct said said;
  vaecuda_summary by_own = VAECUDA_SUMMARY_INIT;
  vaecuda_summary by_name = VAECUDA_SUMMARY_INIT;
  vaecuda_evaluation own = VAECUDA_EVALUATION_INIT;
  vaecuda_evaluation named = VAECUDA_EVALUATION_INIT;
  vaecuda_config* config = config_for(folder, "columns", "gaussian");
  vaecuda_dataset* train = NULL;
  vaecuda_dataset* test = NULL;
  vaecuda_dataset* bad = NULL;
  vaecuda_model* model;
  fill(values, other);
  OK(vaecuda_dataset_from_floats(values, kRows, kColumns, &train));
  OK(vaecuda_dataset_set_columns(train, kNames, kColumns));
  EXPECT(vaecuda_dataset_set_columns(train, kNames, 2), VAECUDA_CONFIG, "2 names for 4 columns");
  EXPECT(vaecuda_dataset_set_columns(train, NULL, kColumns), VAECUDA_CONFIG, "names is NULL");
  EXPECT(vaecuda_dataset_set_columns(NULL, kNames, kColumns), VAECUDA_CONFIG, "dataset is NULL");
  OK(vaecuda_dataset_from_floats(other, kRows, kColumns + 1, &test));
  OK(vaecuda_dataset_set_columns(test, kOther, kColumns + 1));
  OK(vaecuda_train(config, train, NULL, test, NULL, &by_name));
  OK(vaecuda_train(config, train, NULL, train, NULL, &by_own));
  CHECK(by_own.test_loss == by_name.test_loss);

  model = load(folder, "columns", &said);
  for (i = 0; i < kColumns; ++i) CHECK(strcmp(vaecuda_model_column(model, i), kNames[i]) == 0);
  CHECK(vaecuda_model_column(model, -1) == NULL && vaecuda_model_column(model, kColumns) == NULL);
  CHECK(vaecuda_model_column(NULL, 0) == NULL);
  OK(vaecuda_evaluate(model, train, 0, 1, &own, NULL, 0));
  CHECK(said.lines == 0);
  OK(vaecuda_evaluate(model, test, 0, 1, &named, NULL, 0));
  CHECK(own.negative_elbo == named.negative_elbo && own.squared_error == named.squared_error);
  CHECK(said.lines == 1 && strstr(said.last, "by name") != NULL && strstr(said.last, "\"id\"") != NULL);
  OK(vaecuda_evaluate(model, test, 0, 1, &named, NULL, 0));
  CHECK(said.lines == 1); /* once */

  OK(vaecuda_model_match_columns(model, kOther, kColumns + 1, order, kColumns));
  for (i = 0; i < kColumns; ++i) CHECK(order[i] == kPlace[i]);
  OK(vaecuda_model_match_columns(model, kNames, kColumns, order, kColumns));
  for (i = 0; i < kColumns; ++i) CHECK(order[i] == i);
  EXPECT(vaecuda_model_match_columns(model, kFew, kColumns, order, kColumns), VAECUDA_BAD_FILE, "\"speed\"");
  EXPECT(vaecuda_model_match_columns(model, kTwice, kColumns, order, kColumns), VAECUDA_BAD_FILE, "\"load\"");
  EXPECT(vaecuda_model_match_columns(model, kNames, kColumns, order, 3), VAECUDA_CONFIG, "order holds 3");
  EXPECT(vaecuda_model_match_columns(NULL, kNames, kColumns, order, kColumns), VAECUDA_CONFIG,
         "model is NULL");
  OK(vaecuda_dataset_from_floats(values, kRows, kColumns, &bad));
  OK(vaecuda_dataset_set_columns(bad, kFew, kColumns));
  EXPECT(vaecuda_evaluate(model, bad, 0, 1, &named, NULL, 0), VAECUDA_BAD_FILE, "did you mean \"Speed\"");
  EXPECT(vaecuda_train(config, train, bad, NULL, NULL, NULL), VAECUDA_BAD_FILE, "\"speed\"");
  vaecuda_model_free(model);
  vaecuda_dataset_free(train);
  vaecuda_dataset_free(test);
  vaecuda_dataset_free(bad);
  vaecuda_config_free(config);
}

/* The numbers of label vectors meet those of the model and of other rows by their names. */
static void test_label_names(const char* folder) {
  enum { kNumbers = 2 };
  static const char* const kAsTold[kNumbers] = {"p", "q"};
  static const char* const kSwapped[kNumbers] = {"q", "p"};
  static const char* const kTwice[kNumbers] = {"p", "p"};
  static const char* const kLess[kNumbers] = {"p", "r"};
  static const int64_t kShape[2] = {kRows, kNumbers};
  float values[kRows * kColumns], other[kRows * (kColumns + 1)], score[2][kRows];
  float told[kRows * kNumbers], swapped[kRows * kNumbers];
  vaecuda_array as_told = array_of(told, VAECUDA_F32, 2, kShape);
  vaecuda_array as_swapped = array_of(swapped, VAECUDA_F32, 2, kShape);
  vaecuda_summary by_own = VAECUDA_SUMMARY_INIT;
  vaecuda_summary by_name = VAECUDA_SUMMARY_INIT;
  struct said said;
  vaecuda_config* config = config_for(folder, "label-columns", "gaussian");
  vaecuda_dataset* train = NULL;
  vaecuda_dataset* test = NULL;
  vaecuda_model* model;
  int i;
  fill(values, other);
  for (i = 0; i < kRows; ++i) {
    told[kNumbers * i] = swapped[kNumbers * i + 1] = (float)(i % 5);
    told[kNumbers * i + 1] = swapped[kNumbers * i] = (float)(i % 3) + 10.0f;
  }
  OK(vaecuda_config_set(config, "model.conditional", "true"));
  OK(vaecuda_dataset_from_floats(values, kRows, kColumns, &train));
  EXPECT(vaecuda_dataset_set_label_columns(train, kAsTold, kNumbers), VAECUDA_CONFIG, "2 names");
  OK(vaecuda_dataset_set_labels(train, &as_told));
  EXPECT(vaecuda_dataset_set_label_columns(train, kAsTold, 1), VAECUDA_CONFIG,
         "1 name for label vectors of 2");
  EXPECT(vaecuda_dataset_set_label_columns(NULL, kAsTold, kNumbers), VAECUDA_CONFIG, "dataset is NULL");
  OK(vaecuda_dataset_set_label_columns(train, kAsTold, kNumbers));
  OK(vaecuda_dataset_from_floats(values, kRows, kColumns, &test));
  OK(vaecuda_dataset_set_labels(test, &as_swapped));
  OK(vaecuda_dataset_set_label_columns(test, kSwapped, kNumbers));
  OK(vaecuda_train(config, train, NULL, test, NULL, &by_name));
  OK(vaecuda_train(config, train, NULL, train, NULL, &by_own));
  CHECK(by_own.test_loss == by_name.test_loss);

  model = load(folder, "label-columns", &said);
  for (i = 0; i < kNumbers; ++i) CHECK(strcmp(vaecuda_model_label_column(model, i), kAsTold[i]) == 0);
  CHECK(vaecuda_model_label_column(model, kNumbers) == NULL && vaecuda_model_label_column(NULL, 0) == NULL);
  OK(vaecuda_score_dataset(model, train, 1, score[0], kRows));
  CHECK(said.lines == 0);
  OK(vaecuda_score_dataset(model, test, 1, score[1], kRows));
  CHECK(memcmp(score[0], score[1], sizeof score[0]) == 0);
  CHECK(said.lines == 1 && strstr(said.last, "another order") != NULL);
  OK(vaecuda_dataset_set_label_columns(test, kTwice, kNumbers));
  EXPECT(vaecuda_score_dataset(model, test, 1, score[1], kRows), VAECUDA_BAD_FILE, "both called \"p\"");
  EXPECT(vaecuda_train(config, train, NULL, test, NULL, NULL), VAECUDA_BAD_FILE, "both called \"p\"");
  OK(vaecuda_dataset_set_label_columns(test, kLess, kNumbers));
  EXPECT(vaecuda_score_dataset(model, test, 1, score[1], kRows), VAECUDA_BAD_FILE, "\"q\"");
  vaecuda_model_free(model);
  vaecuda_dataset_free(train);
  vaecuda_dataset_free(test);
  vaecuda_config_free(config);
}

static void test_scale(const char* folder) {
  uint8_t bits[kRows * kColumns];
  uint8_t greys[kRows * kColumns];
  float unit[kRows * kColumns];
  float score[kRows];
  char scale[16];
  int i;
  struct said said;
  vaecuda_run_on old = VAECUDA_RUN_ON_INIT;
  char path[4096];
  vaecuda_config* config = config_for(folder, "scale", "bernoulli");
  vaecuda_dataset* data = NULL;
  vaecuda_model* model = NULL;
  vaecuda_summary of_bytes = VAECUDA_SUMMARY_INIT;
  vaecuda_summary of_floats = VAECUDA_SUMMARY_INIT;
  for (i = 0; i < kRows * kColumns; ++i) {
    bits[i] = (uint8_t)(i * 7 % 3 == 0);
    greys[i] = (uint8_t)(i * 37 % 256);
    unit[i] = (float)bits[i];
  }
  OK(vaecuda_dataset_from_bytes(bits, kRows, kColumns, &data));
  OK(vaecuda_train(config, data, NULL, data, NULL, &of_bytes));
  vaecuda_dataset_free(data);
  OK(vaecuda_dataset_from_floats(unit, kRows, kColumns, &data));
  OK(vaecuda_train(config, data, NULL, data, NULL, &of_floats));
  CHECK(of_bytes.test_loss == of_floats.test_loss);
  vaecuda_dataset_free(data);
  vaecuda_config_free(config);

  OK(vaecuda_dataset_from_bytes(greys, kRows, kColumns, &data));
  config = config_for(folder, "greys", "bernoulli");
  OK(vaecuda_train(config, data, NULL, NULL, NULL, NULL));
  OK(vaecuda_config_get(config, "data.scale", scale, sizeof scale, NULL));
  CHECK(strcmp(scale, "auto") == 0); /* what was asked for; the run's folder has the answer */
  snprintf(path, sizeof path, "%s/greys", folder);
  OK(vaecuda_config_load_run(config, path));
  OK(vaecuda_config_get(config, "data.scale", scale, sizeof scale, NULL));
  CHECK(strcmp(scale, "255") == 0);
  model = load(folder, "greys", &said);
  for (i = 0; i < kRows * kColumns; ++i) unit[i] = (float)greys[i];
  OK(vaecuda_score(model, unit, kRows, kColumns, 1, score, kRows));
  CHECK(said.lines == 0);
  for (i = 0; i < kRows * kColumns; ++i) unit[i] = (float)greys[i] / 255.0f;
  OK(vaecuda_score(model, unit, kRows, kColumns, 1, score, kRows));
  CHECK(said.lines == 1 && strstr(said.last, "no value is above 1") != NULL);
  OK(vaecuda_score(model, unit, kRows, kColumns, 1, score, kRows));
  CHECK(said.lines == 1);
  vaecuda_model_free(model);

  /* A program that was built before there was a message. */
  old.size = offsetof(vaecuda_run_on, user);
  old.message = on_message;
  snprintf(path, sizeof path, "%s/greys/model.safetensors", folder);
  OK(vaecuda_model_load(path, &old, &model));
  OK(vaecuda_score(model, unit, kRows, kColumns, 1, score, kRows));
  vaecuda_model_free(model);
  vaecuda_dataset_free(data);
  vaecuda_config_free(config);
}

void test_columns(const char* folder);
void test_columns(const char* folder) {
  test_names(folder);
  test_label_names(folder);
  test_scale(folder);
}
