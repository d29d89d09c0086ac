/* The C API as a C program sees it: results, misuse, threads. Usage: capi FOLDER */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "check.h"

int failures = 0;
int checks = 0;

enum { kRows = 200, kColumns = 12 };

/* Values in [0, 1] that depend on row and column. */
static void fill(float* values, int64_t rows, int64_t columns) {
  int64_t i;
  for (i = 0; i < rows * columns; ++i) values[i] = (float)((i * 7 + i / columns * 3) % 11) / 10.0f;
}

static vaecuda_config* small_config(const char* folder) {
  vaecuda_config* config = NULL;
  OK(vaecuda_config_create(&config));
  OK(vaecuda_config_parse(config,
                          "[model]\nhidden = [8]\nlatent_dim = 2\n[train]\nepochs = 3\nbatch_size = 32\n"
                          "device = 'cpu'\nthreads = 1\n[output]\noverwrite = true\n"));
  OK(vaecuda_config_set(config, "output.dir", folder));
  return config;
}

static void test_errors(void) {
  vaecuda_config* config = NULL;
  CHECK(strlen(vaecuda_version()) >= 5);
  CHECK(strstr(vaecuda_build_info(), "OpenBLAS") != NULL);
  CHECK(strcmp(vaecuda_status_text(VAECUDA_OK), "ok") == 0);
  CHECK(strcmp(vaecuda_status_text(VAECUDA_STOPPED), "stopped after saving") == 0);
  CHECK(strcmp(vaecuda_status_text(-3), "unknown status") == 0);
  CHECK(strcmp(vaecuda_last_error(), "") == 0);
  EXPECT(vaecuda_config_create(NULL), VAECUDA_CONFIG, "result is NULL");
  OK(vaecuda_config_create(&config));
  CHECK(strcmp(vaecuda_last_error(), "result is NULL") == 0); /* success leaves it alone */
  vaecuda_config_free(config);
  vaecuda_config_free(NULL);
}

static void test_config(void) {
  vaecuda_config* config = NULL;
  char text[64];
  char* whole;
  size_t length = 0;
  OK(vaecuda_config_create(&config));
  OK(vaecuda_config_set(config, "model.latent_dim", "7"));
  OK(vaecuda_config_get(config, "--latent-dim", text, sizeof text, &length));
  CHECK(strcmp(text, "7") == 0 && length == 1);
  OK(vaecuda_config_set(config, "--latent_dim", "8"));
  OK(vaecuda_config_get(config, "model.latent_dim", text, sizeof text, NULL));
  CHECK(strcmp(text, "8") == 0);
  OK(vaecuda_config_get(config, "data.path", text, sizeof text, &length));
  CHECK(strcmp(text, "") == 0 && length == 0);

  EXPECT(vaecuda_config_set(config, "model.latent_dimm", "7"), VAECUDA_CONFIG, "model.latent_dim");
  EXPECT(vaecuda_config_set(config, "--latent-dimm", "7"), VAECUDA_CONFIG, "did you mean --latent-dim?");
  EXPECT(vaecuda_config_set(config, "model.latent_dim", "-7"), VAECUDA_CONFIG, "model.latent_dim");
  EXPECT(vaecuda_config_set(config, NULL, "7"), VAECUDA_CONFIG, "option is NULL");
  EXPECT(vaecuda_config_set(config, "model.latent_dim", NULL), VAECUDA_CONFIG, "value is NULL");
  EXPECT(vaecuda_config_set(NULL, "model.latent_dim", "7"), VAECUDA_CONFIG, "config is NULL");
  EXPECT(vaecuda_config_parse(config, "[model]\nlatent_dim = 'x'\n"), VAECUDA_CONFIG, "TOML text:2");
  EXPECT(vaecuda_config_parse(config, "[model\n"), VAECUDA_CONFIG, "TOML text:1");
  EXPECT(vaecuda_config_load(config, "/nowhere/run.toml"), VAECUDA_BAD_FILE, "/nowhere/run.toml");
  OK(vaecuda_config_get(config, "model.latent_dim", text, sizeof text, NULL));
  CHECK(strcmp(text, "8") == 0); /* a failed call changes nothing */

  /* A text that does not fit says how long it is. */
  length = 0;
  EXPECT(vaecuda_config_get(config, "model.activation", text, 4, &length), VAECUDA_CONFIG, "text holds 4");
  CHECK(length == 4);
  EXPECT(vaecuda_config_get(config, "model.activation", NULL, 0, NULL), VAECUDA_CONFIG, "text holds 0");
  OK(vaecuda_config_toml(config, NULL, 0, &length));
  whole = malloc(length + 1);
  OK(vaecuda_config_toml(config, whole, length + 1, NULL));
  CHECK(strlen(whole) == length && strstr(whole, "latent_dim = 8") != NULL);
  OK(vaecuda_config_parse(config, whole));
  free(whole);
  vaecuda_config_free(config);
}

static void test_dataset(void) {
  float values[6] = {0.0f, 0.5f, 1.0f, 0.25f, 0.75f, 0.125f};
  uint8_t bytes[6] = {0, 1, 2, 253, 254, 255};
  float out[6];
  int64_t rows = -1;
  int64_t columns = -1;
  vaecuda_dataset* dataset = NULL;
  OK(vaecuda_dataset_from_floats(values, 2, 3, &dataset));
  OK(vaecuda_dataset_size(dataset, &rows, &columns));
  CHECK(rows == 2 && columns == 3);
  OK(vaecuda_dataset_size(dataset, NULL, NULL));
  values[3] = 9.0f; /* it holds a copy */
  OK(vaecuda_dataset_values(dataset, 1, 1, out, 3));
  CHECK(out[0] == 0.25f && out[2] == 0.125f);
  OK(vaecuda_dataset_values(dataset, 2, 0, NULL, 0));
  EXPECT(vaecuda_dataset_values(dataset, 1, 2, out, 6), VAECUDA_CONFIG, "the data set has 2");
  EXPECT(vaecuda_dataset_values(dataset, -1, 1, out, 6), VAECUDA_CONFIG, "from row -1");
  EXPECT(vaecuda_dataset_values(dataset, 0, INT64_MAX, out, 6), VAECUDA_CONFIG, "the data set has 2");
  EXPECT(vaecuda_dataset_values(dataset, 0, 2, out, 5), VAECUDA_CONFIG, "values holds 5 elements, but 6");
  EXPECT(vaecuda_dataset_values(dataset, 0, 2, NULL, 6), VAECUDA_CONFIG, "values is NULL");
  OK(vaecuda_dataset_set_image(dataset, 1, 3, 1));
  EXPECT(vaecuda_dataset_set_image(dataset, 2, 3, 1), VAECUDA_CONFIG, NULL);
  vaecuda_dataset_free(dataset);
  dataset = NULL;

  OK(vaecuda_dataset_from_bytes(bytes, 2, 3, &dataset));
  OK(vaecuda_dataset_values(dataset, 0, 2, out, 6));
  CHECK(out[1] == 1.0f && out[5] == 255.0f);
  vaecuda_dataset_free(dataset);
  dataset = NULL;

  OK(vaecuda_dataset_load("shapes:16x16:n=20", NULL, &dataset));
  OK(vaecuda_dataset_size(dataset, &rows, &columns));
  CHECK(rows == 20 && columns == 256);
  vaecuda_dataset_free(dataset);
  dataset = NULL;
  EXPECT(vaecuda_dataset_load("/nowhere.npy", NULL, &dataset), VAECUDA_BAD_FILE, "/nowhere.npy");
  EXPECT(vaecuda_dataset_load(NULL, NULL, &dataset), VAECUDA_CONFIG, "path is NULL");
  EXPECT(vaecuda_dataset_from_floats(values, 0, 3, &dataset), VAECUDA_CONFIG, "at least one row");
  EXPECT(vaecuda_dataset_from_floats(values, -1, 3, &dataset), VAECUDA_CONFIG, "negative");
  EXPECT(vaecuda_dataset_from_floats(values, INT64_MAX, 3, &dataset), VAECUDA_CONFIG, "any memory");
  EXPECT(vaecuda_dataset_from_floats(NULL, 2, 3, &dataset), VAECUDA_CONFIG, "values is NULL");
  EXPECT(vaecuda_dataset_from_floats(values, 2, 3, NULL), VAECUDA_CONFIG, "result is NULL");
  EXPECT(vaecuda_dataset_size(NULL, &rows, &columns), VAECUDA_CONFIG, "dataset is NULL");
  CHECK(dataset == NULL);
  vaecuda_dataset_free(NULL);
}

struct watch {
  int messages;
  int epochs;
  int stop_at;
  double last_loss;
};
static void on_message(void* user, const char* line) {
  struct watch* watch = user;
  if (line != NULL) ++watch->messages;
}
static void on_progress(void* user, const vaecuda_progress* progress) {
  struct watch* watch = user;
  if (progress->epoch_end) ++watch->epochs;
  watch->last_loss = progress->loss;
}
static int on_stop(void* user) {
  const struct watch* watch = user;
  return watch->stop_at > 0 && watch->epochs >= watch->stop_at;
}

static void test_training(const char* folder, const float* values) {
  char path[4096];
  char again[4096];
  char page[8192];
  vaecuda_config* config;
  vaecuda_dataset* train = NULL;
  vaecuda_dataset* valid = NULL;
  vaecuda_observer observer = VAECUDA_OBSERVER_INIT;
  vaecuda_summary summary = VAECUDA_SUMMARY_INIT;
  vaecuda_summary other = VAECUDA_SUMMARY_INIT;
  struct watch watch = {0, 0, 0, 0.0};
  snprintf(path, sizeof path, "%s/memory", folder);
  snprintf(again, sizeof again, "%s/again", folder);
  config = small_config(path);
  OK(vaecuda_dataset_from_floats(values, kRows, kColumns, &train));
  OK(vaecuda_dataset_from_floats(values, 40, kColumns, &valid));
  observer.user = &watch;
  observer.message = on_message;
  observer.progress = on_progress;
  observer.stop = on_stop;
  observer.report = 1;

  OK(vaecuda_train(config, train, valid, NULL, &observer, &summary));
  snprintf(page, sizeof page, "%s/report.html", path);
  CHECK(remove(page) == 0);
  OK(vaecuda_write_report(path, NULL, NULL));
  CHECK(remove(page) == 0);
  OK(vaecuda_write_report(path, page, NULL));
  EXPECT(vaecuda_write_report(NULL, page, NULL), VAECUDA_CONFIG, "run_dir is NULL");
  EXPECT(vaecuda_write_report("/nowhere", NULL, NULL), VAECUDA_BAD_FILE, "/nowhere");
  CHECK(watch.epochs == 3);
  CHECK(summary.epochs == 3 && summary.steps == 19 && summary.parameters > 0);
  CHECK(summary.train_loss > 0.0 && summary.valid_loss > 0.0 && isnan(summary.test_loss));
  CHECK(summary.train_loss == watch.last_loss);
  CHECK(!summary.stopped_early && summary.size == sizeof summary);

  /* The same rows give the same figures, and a share of them can be held out. */
  OK(vaecuda_config_set(config, "--out", again));
  OK(vaecuda_train(config, train, valid, NULL, NULL, &other));
  snprintf(page, sizeof page, "%s/report.html", again);
  CHECK(remove(page) != 0); /* not asked for */
  CHECK(other.train_loss == summary.train_loss && other.valid_loss == summary.valid_loss);
  OK(vaecuda_config_set(config, "data.test_fraction", "0.25"));
  OK(vaecuda_train(config, train, NULL, NULL, NULL, &other));
  CHECK(other.test_loss > 0.0 && isnan(other.valid_loss));

  /* A summary of an older program, which knows fewer members, is not written past its end. */
  memset(&other, 0x5a, sizeof other);
  other.size = offsetof(vaecuda_summary, best_epoch);
  OK(vaecuda_train(config, train, NULL, NULL, NULL, &other));
  CHECK(other.epochs == 3 && other.best_epoch == 0x5a5a5a5a5a5a5a5a);
  CHECK(other.size == offsetof(vaecuda_summary, best_epoch));

  watch.epochs = 0;
  watch.stop_at = 1;
  other = summary;
  EXPECT(vaecuda_train(config, train, NULL, NULL, &observer, &other), VAECUDA_STOPPED, NULL);
  CHECK(other.epochs >= 1 && other.epochs < 3);

  EXPECT(vaecuda_train(NULL, train, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "config is NULL");
  EXPECT(vaecuda_train(config, NULL, valid, NULL, NULL, NULL), VAECUDA_CONFIG, "no train rows");
  EXPECT(vaecuda_train(config, NULL, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "no data to train on");
  EXPECT(vaecuda_train(config, train, NULL, train, NULL, NULL), VAECUDA_CONFIG, "--test-fraction");
  observer.size = 0;
  EXPECT(vaecuda_train(config, train, NULL, NULL, &observer, NULL), VAECUDA_CONFIG, "observer->size");
  other.size = 0;
  EXPECT(vaecuda_train(config, train, NULL, NULL, NULL, &other), VAECUDA_CONFIG, "summary->size");
  OK(vaecuda_config_set(config, "data.path", "shapes"));
  EXPECT(vaecuda_train(config, train, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "data.path names 'shapes'");
  vaecuda_dataset_free(valid);
  vaecuda_dataset_free(train);
  vaecuda_config_free(config);
}

/* A file's bytes; the caller frees them. */
static char* bytes_of(const char* folder, const char* name, long* size) {
  char path[4096];
  char* bytes = NULL;
  FILE* file;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "rb");
  *size = -1;
  CHECK(file != NULL);
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *size = ftell(file);
  rewind(file);
  bytes = malloc((size_t)*size + 1);
  CHECK(fread(bytes, 1, (size_t)*size, file) == (size_t)*size);
  fclose(file);
  return bytes;
}

/* Stopped after an epoch and resumed, a run leaves the model of one at once; then it is made longer. */
static void test_resume(const char* folder, const float* values) {
  char whole[4096];
  char parts[4096];
  char option[64];
  vaecuda_config* config;
  vaecuda_dataset* train = NULL;
  vaecuda_dataset* other = NULL;
  vaecuda_observer observer = VAECUDA_OBSERVER_INIT;
  vaecuda_summary expected = VAECUDA_SUMMARY_INIT;
  vaecuda_summary summary = VAECUDA_SUMMARY_INIT;
  struct watch watch = {0, 0, 1, 0.0};
  char* first;
  char* second;
  long first_size;
  long second_size;
  snprintf(whole, sizeof whole, "%s/whole", folder);
  snprintf(parts, sizeof parts, "%s/parts", folder);
  config = small_config(whole);
  OK(vaecuda_dataset_from_floats(values, kRows, kColumns, &train));
  OK(vaecuda_dataset_from_floats(values, kRows - 1, kColumns, &other));
  OK(vaecuda_config_set(config, "data.valid_fraction", "0.2"));
  OK(vaecuda_train(config, train, NULL, NULL, NULL, &expected));
  OK(vaecuda_config_set(config, "output.dir", parts));
  observer.user = &watch;
  observer.progress = on_progress;
  observer.stop = on_stop;
  EXPECT(vaecuda_train(config, train, NULL, NULL, &observer, &summary), VAECUDA_STOPPED, NULL);
  CHECK(summary.steps < expected.steps);
  vaecuda_config_free(config);

  OK(vaecuda_config_create(&config));
  EXPECT(vaecuda_config_load_run(config, "/nowhere"), VAECUDA_BAD_FILE, "/nowhere: holds no run");
  EXPECT(vaecuda_config_load_run(config, NULL), VAECUDA_CONFIG, "run_dir is NULL");
  EXPECT(vaecuda_config_load_run(NULL, parts), VAECUDA_CONFIG, "config is NULL");
  OK(vaecuda_config_set(config, "model.latent_dim", "7")); /* which the run's own replaces */
  OK(vaecuda_config_load_run(config, parts));
  OK(vaecuda_config_get(config, "model.latent_dim", option, sizeof option, NULL));
  CHECK(strcmp(option, "2") == 0);
  EXPECT(vaecuda_train_resume(NULL, train, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "config is NULL");
  EXPECT(vaecuda_train_resume(config, NULL, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "memory");
  EXPECT(vaecuda_train_resume(config, other, NULL, NULL, NULL, NULL), VAECUDA_BAD_FILE, "rows are not");
  OK(vaecuda_config_set(config, "optimizer.lr", "0.5"));
  EXPECT(vaecuda_train_resume(config, train, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "--lr");
  OK(vaecuda_config_load_run(config, parts));
  OK(vaecuda_train_resume(config, train, NULL, NULL, NULL, &summary));
  CHECK(summary.steps == expected.steps && summary.epochs == 3);
  CHECK(summary.train_loss == expected.train_loss && summary.valid_loss == expected.valid_loss);
  first = bytes_of(whole, "model.safetensors", &first_size);
  second = bytes_of(parts, "model.safetensors", &second_size);
  CHECK(first_size == second_size && first != NULL && memcmp(first, second, (size_t)first_size) == 0);
  free(first);
  free(second);

  OK(vaecuda_config_set(config, "train.epochs", "4"));
  OK(vaecuda_train_resume(config, train, NULL, NULL, NULL, &summary));
  CHECK(summary.epochs == 4 && summary.steps > expected.steps);
  OK(vaecuda_config_set(config, "train.epochs", "1"));
  EXPECT(vaecuda_train_resume(config, train, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "ask for more");
  vaecuda_dataset_free(other);
  vaecuda_dataset_free(train);
  vaecuda_config_free(config);
}

static void test_bad_rows(const char* folder, const float* values) {
  char path[4096];
  float* bad = malloc(sizeof(float) * kRows * kColumns);
  vaecuda_dataset* train = NULL;
  vaecuda_config* config;
  snprintf(path, sizeof path, "%s/bad", folder);
  config = small_config(path);
  memcpy(bad, values, sizeof(float) * kRows * kColumns);
  bad[5 * kColumns + 3] = NAN;
  OK(vaecuda_dataset_from_floats(bad, kRows, kColumns, &train));
  EXPECT(vaecuda_train(config, train, NULL, NULL, NULL, NULL), VAECUDA_BAD_FILE, "row 5, column 3");
  vaecuda_dataset_free(train);
  bad[5 * kColumns + 3] = 1.5f;
  OK(vaecuda_dataset_from_floats(bad, kRows, kColumns, &train));
  EXPECT(vaecuda_train(config, train, NULL, NULL, NULL, NULL), VAECUDA_BAD_FILE, "outside [0,1]");
  vaecuda_dataset_free(train);
  OK(vaecuda_dataset_from_floats(values, kRows, kColumns, &train));
  OK(vaecuda_config_set(config, "train.device", "cuda:77"));
  EXPECT(vaecuda_train(config, train, NULL, NULL, NULL, NULL), VAECUDA_DEVICE, NULL);
  OK(vaecuda_config_set(config, "train.device", "cpu"));
  OK(vaecuda_config_set(config, "output.dir", "/proc/vaecuda"));
  EXPECT(vaecuda_train(config, train, NULL, NULL, NULL, NULL), VAECUDA_RUNTIME, "/proc/vaecuda");
  vaecuda_dataset_free(train);
  vaecuda_config_free(config);
  free(bad);
}

/* Every thread has a last error of its own. */
static void* fail_in_thread(void* argument) {
  const char* name = argument;
  vaecuda_dataset* dataset = NULL;
  int round;
  intptr_t wrong = 0;
  if (strcmp(vaecuda_last_error(), "") != 0) ++wrong;
  for (round = 0; round < 200; ++round) {
    if (vaecuda_dataset_load(name, NULL, &dataset) != VAECUDA_BAD_FILE) ++wrong;
    if (strstr(vaecuda_last_error(), name) == NULL) ++wrong;
  }
  return (void*)wrong;
}
static void test_threads(void) {
  char names[4][32];
  pthread_t threads[4];
  int i;
  for (i = 0; i < 4; ++i) {
    snprintf(names[i], sizeof names[i], "/nowhere/thread-%d", i);
    CHECK(pthread_create(&threads[i], NULL, fail_in_thread, names[i]) == 0);
  }
  for (i = 0; i < 4; ++i) {
    void* wrong = NULL;
    CHECK(pthread_join(threads[i], &wrong) == 0);
    CHECK(wrong == NULL);
  }
}

/* The other files here. */
void test_rows(void);
void test_memory_runs(const char* folder);
void test_model(const char* path, const float* x, int64_t columns);
void test_columns(const char* folder);

int main(int argc, char** argv) {
  char model[4096];
  float* values = malloc(sizeof(float) * kRows * kColumns);
  if (argc != 2) return 2;
  setvbuf(stdout, NULL, _IONBF, 0); /* a crash must not take the findings along */
  fill(values, kRows, kColumns);
  test_errors();
  test_config();
  test_dataset();
  test_training(argv[1], values);
  test_rows();
  test_memory_runs(argv[1]);
  snprintf(model, sizeof model, "%s/memory/model.safetensors", argv[1]);
  test_model(model, values, kColumns);
  test_resume(argv[1], values);
  test_bad_rows(argv[1], values);
  test_columns(argv[1]);
  test_threads();
  free(values);
  printf("%d checks, %d failures\n", checks, failures);
  return failures == 0 ? 0 : 1;
}
