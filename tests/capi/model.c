/* The C API's trained models: shapes, that parts agree, misuse, several threads on one model. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "check.h"

enum { kMost = 512 };

static int same(const float* a, const float* b, int64_t count) {
  return memcmp(a, b, sizeof(float) * (size_t)count) == 0;
}

static void test_results(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns,
                         int64_t latent) {
  float mean[kMost], logvar[kMost], x1[kMost * 4], x2[kMost * 4], terms[2][kMost], score[kMost], z[kMost];
  const size_t wide = (size_t)(rows * columns);
  const size_t narrow = (size_t)(rows * latent);
  int64_t i;
  OK(vaecuda_encode(model, x, rows, columns, mean, narrow, logvar, narrow));
  for (i = 0; i < rows * latent; ++i) CHECK(isfinite(mean[i]) && isfinite(logvar[i]));
  OK(vaecuda_encode(model, x, rows, columns, NULL, 0, z, narrow));
  CHECK(same(z, logvar, rows * latent));
  OK(vaecuda_decode(model, mean, rows, latent, x1, wide));
  OK(vaecuda_reconstruct(model, x, rows, columns, x2, wide));
  CHECK(same(x1, x2, rows * columns));
  for (i = 0; i < rows * columns; ++i) CHECK(x1[i] > 0.0f && x1[i] < 1.0f);

  OK(vaecuda_elbo(model, x, rows, columns, 5, terms[0], (size_t)rows, terms[1], (size_t)rows));
  OK(vaecuda_score(model, x, rows, columns, 5, score, (size_t)rows));
  for (i = 0; i < rows; ++i) {
    double kl = 0.0;
    int64_t j;
    CHECK(score[i] == terms[0][i] + terms[1][i]);
    for (j = i * latent; j < (i + 1) * latent; ++j)
      kl += 0.5 * (exp(logvar[j]) + (double)mean[j] * mean[j] - 1.0 - logvar[j]);
    CHECK(fabs(kl - terms[1][i]) < 1e-4 * (1.0 + kl));
  }
  OK(vaecuda_elbo(model, x, rows, columns, 6, terms[0], (size_t)rows, NULL, 0));
  CHECK(!same(score, terms[0], rows)); /* another seed, and without the KL term */

  OK(vaecuda_sample_latents(model, rows, 9, 1.0, z, narrow));
  OK(vaecuda_sample(model, rows, 9, 1.0, x1, wide));
  OK(vaecuda_decode(model, z, rows, latent, x2, wide));
  CHECK(same(x1, x2, rows * columns));
  OK(vaecuda_interpolate(model, z, z + latent, latent, 5, 0, x1, (size_t)(5 * columns)));
  CHECK(same(x1, x2, columns) && same(x1 + 4 * columns, x2 + columns, columns));
  OK(vaecuda_interpolate(model, z, z + latent, latent, 5, 1, x1, (size_t)(5 * columns)));
  OK(vaecuda_encode(model, NULL, 0, columns, NULL, 0, NULL, 0));
}

static void test_evaluate_with(const vaecuda_model* model, vaecuda_dataset* data, int64_t rows) {
  float one[kMost], again[kMost], kl[kMost], mean[kMost];
  uint8_t kinds[kMost];
  vaecuda_array labels = VAECUDA_ARRAY_INIT;
  vaecuda_evaluate_options how = VAECUDA_EVALUATE_OPTIONS_INIT;
  vaecuda_evaluation plain = VAECUDA_EVALUATION_INIT, found = VAECUDA_EVALUATION_INIT;
  const size_t size = (size_t)rows;
  double sum = 0.0;
  int64_t i;
  OK(vaecuda_elbo_dataset(model, data, 5, one, size, kl, size));
  OK(vaecuda_elbo_samples(model, data, 1, 5, again, size, NULL, 0));
  CHECK(same(one, again, rows));
  OK(vaecuda_elbo_samples(model, data, 8, 5, mean, size, NULL, 0));
  CHECK(!same(one, mean, rows));
  EXPECT(vaecuda_elbo_samples(model, data, 0, 5, mean, size, NULL, 0), VAECUDA_CONFIG, "latent samples");
  for (i = 0; i < rows; ++i) sum += ((double)mean[i] + kl[i]) / (double)rows;

  how.seed = 5;
  OK(vaecuda_evaluate(model, data, 0, 5, &plain, NULL, 0));
  OK(vaecuda_evaluate_with(model, data, &how, &found, NULL, 0));
  CHECK(found.negative_elbo == plain.negative_elbo && found.anomalies == 0 && isnan(found.roc_auc));
  how.elbo_samples = 8;
  OK(vaecuda_evaluate_with(model, data, &how, &found, NULL, 0));
  CHECK(fabs(found.negative_elbo - sum) < 1e-5 * sum);
  how.active_threshold = 1e30;
  OK(vaecuda_evaluate_with(model, data, &how, &found, NULL, 0));
  CHECK(found.active_units == 0);
  how.anomaly_label = "1";
  EXPECT(vaecuda_evaluate_with(model, data, &how, &found, NULL, 0), VAECUDA_CONFIG, "anomaly label '1'");

  for (i = 0; i < rows; ++i) kinds[i] = mean[i] + kl[i] > sum ? 1 : 0;
  labels.data = kinds;
  labels.type = VAECUDA_U8;
  labels.axes = 1;
  labels.shape = &rows;
  OK(vaecuda_dataset_set_labels(data, &labels));
  OK(vaecuda_evaluate_with(model, data, &how, &found, NULL, 0));
  CHECK(found.anomalies > 0 && found.anomalies < rows);
  CHECK(found.roc_auc == 1.0 && fabs(found.average_precision - 1.0) < 1e-12);
  how.bins = 1;
  EXPECT(vaecuda_evaluate_with(model, data, &how, &found, NULL, 0), VAECUDA_CONFIG, "bins");
  how.size = 1;
  EXPECT(vaecuda_evaluate_with(model, data, &how, &found, NULL, 0), VAECUDA_CONFIG, "options->size");
}

static void test_evaluate(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns) {
  float reconstruction[kMost], kl[kMost], likelihood[kMost], again[kMost];
  double latent_kl[2], sum = 0.0, mean = 0.0, log_mean = 0.0, expected = 0.0;
  uint64_t seed;
  vaecuda_dataset* data = NULL;
  vaecuda_evaluation found = VAECUDA_EVALUATION_INIT;
  const size_t size = (size_t)rows;
  int64_t i;
  OK(vaecuda_log_likelihood(model, x, rows, columns, 50, 5, likelihood, size));
  OK(vaecuda_log_likelihood(model, x, rows, columns, 50, 5, again, size));
  CHECK(same(likelihood, again, rows));
  OK(vaecuda_elbo(model, x, rows, columns, 5, reconstruction, size, kl, size));
  for (i = 0; i < rows; ++i) {
    CHECK(isfinite(likelihood[i]) && likelihood[i] < 0.0f);
    mean += ((double)reconstruction[i] + kl[i]) / (double)rows;
    log_mean += likelihood[i] / (double)rows;
  }
  /* The bound is tighter than the ELBO, whose noise is taken out by many draws of its own. */
  for (seed = 100; seed < 300; ++seed) {
    OK(vaecuda_elbo(model, x, rows, columns, seed, reconstruction, size, kl, size));
    for (i = 0; i < rows; ++i) expected += ((double)reconstruction[i] + kl[i]) / (double)rows / 200.0;
  }
  CHECK(-log_mean < expected);

  OK(vaecuda_dataset_from_floats(x, rows, columns, &data));
  OK(vaecuda_evaluate(model, data, 50, 5, &found, latent_kl, 2));
  CHECK(found.size == sizeof found && found.rows == rows);
  CHECK(fabs(found.negative_elbo - mean) < 1e-5 * mean);
  CHECK(fabs(found.negative_elbo - found.reconstruction - found.kl) < 1e-5 * mean);
  CHECK(fabs(found.nll + log_mean) < 1e-5 * mean && found.nll_error > 0.0);
  for (i = 0; i < 2; ++i) sum += latent_kl[i];
  CHECK(fabs(sum - found.kl) < 1e-4 * (1.0 + sum));
  CHECK(isnan(found.mutual_information_gap)); /* no labels */
  CHECK(fabs(found.negative_elbo_bits - found.negative_elbo / ((double)columns * log(2.0))) < 1e-9);
  OK(vaecuda_evaluate(model, data, 0, 5, &found, NULL, 0));
  CHECK(isnan(found.nll) && isnan(found.nll_bits) && isfinite(found.negative_elbo));

  test_evaluate_with(model, data, rows);

  EXPECT(vaecuda_evaluate(NULL, data, 0, 5, &found, NULL, 0), VAECUDA_CONFIG, "model is NULL");
  EXPECT(vaecuda_evaluate(model, NULL, 0, 5, &found, NULL, 0), VAECUDA_CONFIG, "data is NULL");
  EXPECT(vaecuda_evaluate(model, data, 0, 5, NULL, NULL, 0), VAECUDA_CONFIG, "result is NULL");
  EXPECT(vaecuda_evaluate(model, data, -1, 5, &found, NULL, 0), VAECUDA_CONFIG, "samples");
  EXPECT(vaecuda_evaluate(model, data, INT64_MAX, 5, &found, NULL, 0), VAECUDA_CONFIG,
         "9223372036854775807 importance samples; expected 0 to 1000000");
  EXPECT(vaecuda_evaluate(model, data, 0, 5, &found, latent_kl, 1), VAECUDA_CONFIG, "latent_kl holds 1");
  found.size = 1;
  EXPECT(vaecuda_evaluate(model, data, 0, 5, &found, NULL, 0), VAECUDA_CONFIG, "result->size");
  EXPECT(vaecuda_log_likelihood(NULL, x, rows, columns, 5, 5, again, size), VAECUDA_CONFIG, "model is NULL");
  EXPECT(vaecuda_log_likelihood(model, x, rows, columns, 0, 5, again, size), VAECUDA_CONFIG, "samples");
  EXPECT(vaecuda_log_likelihood(model, x, rows, columns, INT64_MAX, 5, again, size), VAECUDA_CONFIG,
         "9223372036854775807 importance samples of each row; expected 1 to 1000000");
  EXPECT(vaecuda_sample(model, INT64_MAX, 5, 1.0, again, size), VAECUDA_CONFIG,
         "more than fit in any memory");
  EXPECT(vaecuda_sample_latents(model, INT64_MIN, 5, 1.0, again, size), VAECUDA_CONFIG,
         "neither can be negative");
  EXPECT(vaecuda_log_likelihood(model, x, rows, columns, 5, 5, again, 1), VAECUDA_CONFIG,
         "log_likelihood holds 1");
  vaecuda_dataset_free(data);
}

static void test_misuse(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns,
                        int64_t latent) {
  float out[kMost * 4];
  const size_t wide = (size_t)(rows * columns);
  memset(out, 0, sizeof out);
  EXPECT(vaecuda_encode(NULL, x, rows, columns, out, kMost, NULL, 0), VAECUDA_CONFIG, "model is NULL");
  EXPECT(vaecuda_encode(model, NULL, rows, columns, out, kMost, NULL, 0), VAECUDA_CONFIG, "x is NULL");
  EXPECT(vaecuda_encode(model, x, rows, columns + 1, out, kMost, NULL, 0), VAECUDA_CONFIG,
         "but the model has 12");
  EXPECT(vaecuda_encode(model, x, -1, columns, out, kMost, NULL, 0), VAECUDA_CONFIG, "negative");
  EXPECT(vaecuda_encode(model, x, INT64_MAX, columns, out, kMost, NULL, 0), VAECUDA_CONFIG, "any memory");
  EXPECT(vaecuda_encode(model, x, rows, columns, out, (size_t)(rows * latent) - 1, NULL, 0), VAECUDA_CONFIG,
         "mean holds");
  EXPECT(vaecuda_encode(model, x, rows, columns, NULL, 0, out, 1), VAECUDA_CONFIG, "logvar holds 1");
  EXPECT(vaecuda_encode(model, x, rows, columns, NULL, kMost, NULL, 0), VAECUDA_CONFIG, "mean is NULL");
  EXPECT(vaecuda_decode(model, x, rows, columns, out, wide), VAECUDA_CONFIG, "z has 12 columns");
  EXPECT(vaecuda_decode(model, x, rows, latent, out, wide - 1), VAECUDA_CONFIG, "x holds");
  EXPECT(vaecuda_decode(NULL, x, rows, latent, out, wide), VAECUDA_CONFIG, "model is NULL");
  EXPECT(vaecuda_reconstruct(model, x, rows, columns, out, 0), VAECUDA_CONFIG, "result holds 0");
  EXPECT(vaecuda_reconstruct(NULL, x, rows, columns, out, wide), VAECUDA_CONFIG, "model is NULL");
  EXPECT(vaecuda_sample(model, -1, 1, 1.0, out, wide), VAECUDA_CONFIG, "negative");
  EXPECT(vaecuda_sample(model, 2, 1, -1.0, out, wide), VAECUDA_CONFIG, "temperature");
  EXPECT(vaecuda_sample(model, 2, 1, 1.0, out, 1), VAECUDA_CONFIG, "x holds 1");
  EXPECT(vaecuda_sample_latents(NULL, 2, 1, 1.0, out, wide), VAECUDA_CONFIG, "model is NULL");
  EXPECT(vaecuda_interpolate(model, x, x, latent + 1, 5, 0, out, wide), VAECUDA_CONFIG, "z1 has");
  EXPECT(vaecuda_interpolate(model, x, NULL, latent, 5, 0, out, wide), VAECUDA_CONFIG, "z2 is NULL");
  EXPECT(vaecuda_interpolate(model, x, x, latent, 1, 0, out, wide), VAECUDA_CONFIG, NULL);
  EXPECT(vaecuda_elbo(model, x, rows, columns, 1, out, 1, NULL, 0), VAECUDA_CONFIG, "reconstruction holds 1");
  EXPECT(vaecuda_score(model, x, rows, columns, 1, out, 1), VAECUDA_CONFIG, "score holds 1");
  EXPECT(vaecuda_score(NULL, x, rows, columns, 1, out, kMost), VAECUDA_CONFIG, "model is NULL");
  CHECK(out[0] == 0.0f && out[1] == 0.0f); /* refused calls write nothing */

  memcpy(out, x, sizeof(float) * wide);
  out[columns + 2] = NAN;
  EXPECT(vaecuda_score(model, out, rows, columns, 1, out + wide, kMost), VAECUDA_BAD_FILE, "row 1, column 2");
}

struct job {
  const vaecuda_model* model;
  const float* x;
  int64_t rows, columns;
  const float* wanted;
  int wrong;
};
static void* encode_in_thread(void* argument) {
  struct job* job = argument;
  float mean[kMost];
  int round;
  for (round = 0; round < 20; ++round) {
    memset(mean, 0, sizeof mean);
    if (vaecuda_encode(job->model, job->x, job->rows, job->columns, mean, kMost, NULL, 0) != VAECUDA_OK)
      ++job->wrong;
    if (!same(mean, job->wanted, job->rows)) ++job->wrong; /* the first column of latents and more */
  }
  return NULL;
}
static void test_shared_model(const vaecuda_model* model, const float* x, int64_t rows, int64_t columns) {
  struct job jobs[4];
  pthread_t threads[4];
  float wanted[kMost];
  int i;
  OK(vaecuda_encode(model, x, rows, columns, wanted, kMost, NULL, 0));
  for (i = 0; i < 4; ++i) {
    const struct job job = {model, x, rows, columns, wanted, 0};
    jobs[i] = job;
    CHECK(pthread_create(&threads[i], NULL, encode_in_thread, &jobs[i]) == 0);
  }
  for (i = 0; i < 4; ++i) {
    CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(jobs[i].wrong == 0);
  }
}

void test_model(const char* path, const float* x, int64_t columns) {
  char copy[4200];
  vaecuda_model* model = NULL;
  vaecuda_model* again = NULL;
  vaecuda_run_on on = VAECUDA_RUN_ON_INIT;
  vaecuda_model_info info = VAECUDA_MODEL_INFO_INIT;
  on.device = "cpu";
  on.threads = 1;
  OK(vaecuda_model_load(path, &on, &model));
  OK(vaecuda_model_describe(model, &info));
  CHECK(info.input_dim == columns && info.latent_dim == 2 && info.steps == 19 && info.seed == 1);
  CHECK(strcmp(info.likelihood, "bernoulli") == 0 && strcmp(info.activation, "relu") == 0);
  CHECK(strcmp(info.latent, "gaussian") == 0);
  CHECK(strcmp(info.device, "cpu") == 0 && info.image_height == 0);
  CHECK(strcmp(info.device_note, "") == 0); /* the CPU was asked for */
  CHECK(info.parameters == 12 * 8 + 8 + 8 * 4 + 4 + 2 * 8 + 8 + 8 * 12 + 12);
  test_results(model, x, 40, columns, info.latent_dim);
  test_evaluate(model, x, 40, columns);
  test_misuse(model, x, 40, columns, info.latent_dim);
  test_shared_model(model, x, 40, columns);

  snprintf(copy, sizeof copy, "%s.copy", path);
  OK(vaecuda_model_save(model, copy));
  OK(vaecuda_model_load(copy, NULL, &again));
  OK(vaecuda_model_describe(again, &info));
  CHECK((strcmp(info.device, "cpu") == 0) == (strstr(info.device_note, "running on the CPU: ") != NULL));
  info.size = offsetof(vaecuda_model_info, device_note); /* a program that does not know it */
  info.device_note = NULL;
  OK(vaecuda_model_describe(again, &info));
  CHECK(info.device_note == NULL);
  info.size = sizeof info;
  vaecuda_model_free(again);
  again = NULL;
  EXPECT(vaecuda_model_save(model, "/nowhere/model.safetensors"), VAECUDA_RUNTIME, "/nowhere");
  EXPECT(vaecuda_model_save(NULL, copy), VAECUDA_CONFIG, "model is NULL");
  EXPECT(vaecuda_model_describe(model, NULL), VAECUDA_CONFIG, "info is NULL");
  info.size = 1;
  EXPECT(vaecuda_model_describe(model, &info), VAECUDA_CONFIG, "info->size");
  vaecuda_model_free(model);

  EXPECT(vaecuda_model_load("/nowhere/model.safetensors", NULL, &again), VAECUDA_BAD_FILE, "/nowhere");
  EXPECT(vaecuda_model_load(NULL, NULL, &again), VAECUDA_CONFIG, "path is NULL");
  EXPECT(vaecuda_model_load(path, NULL, NULL), VAECUDA_CONFIG, "result is NULL");
  on.device = "tpu";
  EXPECT(vaecuda_model_load(path, &on, &again), VAECUDA_CONFIG, "tpu");
  on.device = "cuda:77";
  EXPECT(vaecuda_model_load(path, &on, &again), VAECUDA_DEVICE, NULL);
  on.device = "cpu";
  on.precision = "fp64";
  EXPECT(vaecuda_model_load(path, &on, &again), VAECUDA_CONFIG, "fp64");
  CHECK(again == NULL);
  vaecuda_model_free(NULL);
}
