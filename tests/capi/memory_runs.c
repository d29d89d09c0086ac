/* Options of files for rows in memory, presets and layers of options, and models on data sets. */
#include <math.h>
#include <stdlib.h>

#include "arrays.h"

/* A small run of one latent, from a preset with a text and an option over it. */
static vaecuda_config* small_config(const char* path) {
  vaecuda_config* config = NULL;
  OK(vaecuda_config_create(&config));
  OK(vaecuda_config_preset(config, "anomaly"));
  OK(vaecuda_config_parse(config,
                          "[model]\nhidden = [8]\nlatent_dim = 1\n[train]\nsteps = 8\ndevice = 'cpu'\n"
                          "[output]\noverwrite = true\n")); /* over the preset's epochs */
  OK(vaecuda_config_set(config, "train.epochs", "2"));      /* over the text's steps */
  OK(vaecuda_config_set(config, "output.dir", path));
  OK(vaecuda_config_set(config, "data.image", "2x3x1"));
  return config;
}

/* Options of files, for rows that come from none. */
static void test_file_options(const char* folder) {
  enum { kRows = 60, kColumns = 6 };
  static const int64_t shape[2] = {kRows, kColumns}, per_row[1] = {kRows};
  float values[kRows * kColumns];
  int32_t classes[kRows];
  char path[4096], model_path[4200];
  vaecuda_config* config = NULL;
  vaecuda_dataset* data = NULL;
  vaecuda_model* model = NULL;
  vaecuda_model_info info = VAECUDA_MODEL_INFO_INIT;
  vaecuda_array rows = array_of(values, VAECUDA_F32, 2, shape);
  vaecuda_array labels = array_of(classes, VAECUDA_I32, 1, per_row);
  float mean[kRows], x[2][kRows * kColumns], latents[kRows], score[2][kRows], kl[kRows], likelihood[kRows];
  vaecuda_dataset* codes = NULL;
  FILE* file;
  int i;
  for (i = 0; i < kRows * kColumns; ++i) values[i] = (float)(i * 5 % 7) / 7.0f;
  for (i = 0; i < kRows; ++i) classes[i] = i % 2;
  snprintf(path, sizeof path, "%s/options", folder);
  EXPECT(vaecuda_config_preset(NULL, "anomaly"), VAECUDA_CONFIG, "config is NULL");
  config = small_config(path);
  EXPECT(vaecuda_config_preset(config, "anomalies"), VAECUDA_CONFIG, "did you mean anomaly");
  OK(vaecuda_dataset_from_array(&rows, &data));
  OK(vaecuda_config_set(config, "data.image", "5x5x1"));
  EXPECT(vaecuda_train(config, data, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "5x5x1 does not fit rows of 6");
  OK(vaecuda_config_set(config, "data.image", "2x3x1"));
  OK(vaecuda_config_set(config, "data.label_column", "y"));
  EXPECT(vaecuda_train(config, data, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "data.label_column is 'y'");
  OK(vaecuda_config_set(config, "data.label_column", "none"));
  OK(vaecuda_config_set(config, "data.labels", "/nowhere.csv"));
  EXPECT(vaecuda_train(config, data, NULL, NULL, NULL, NULL), VAECUDA_BAD_FILE, "/nowhere.csv");
  vaecuda_config_free(config);
  config = small_config(path);
  OK(vaecuda_config_set(config, "data.normal_label", "1"));
  EXPECT(vaecuda_train(config, data, NULL, NULL, NULL, NULL), VAECUDA_CONFIG,
         "or labels with rows in memory");

  /* A file of labels takes effect: half of the rows are normal. */
  snprintf(model_path, sizeof model_path, "%s-labels.csv", path);
  file = fopen(model_path, "w");
  CHECK(file != NULL);
  if (file == NULL) return;
  for (i = 0; i < kRows; ++i) fprintf(file, "%d\n", classes[i]);
  fclose(file);
  OK(vaecuda_config_set(config, "data.labels", model_path));
  OK(vaecuda_train(config, data, NULL, NULL, NULL, NULL));
  OK(vaecuda_dataset_set_labels(data, &labels));
  EXPECT(vaecuda_train(config, data, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "have labels already");
  vaecuda_config_free(config);
  config = small_config(path);
  OK(vaecuda_config_set(config, "data.normal_label", "2"));
  EXPECT(vaecuda_train(config, data, NULL, NULL, NULL, NULL), VAECUDA_CONFIG, "it has 0, 1");
  vaecuda_config_free(config);
  config = small_config(path);

  /* A conditional model is told labels in training and in use. */
  OK(vaecuda_config_set(config, "model.conditional", "true"));
  OK(vaecuda_train(config, data, NULL, NULL, NULL, NULL));
  OK(vaecuda_config_set(config, "model.likelihood", "bernoulli"));
  OK(vaecuda_config_set(config, "data.standardize", "false"));
  OK(vaecuda_config_set(config, "model.sigma", "0.5"));
  EXPECT(vaecuda_train(config, data, NULL, NULL, NULL, NULL), VAECUDA_CONFIG,
         "needs a likelihood with a deviation");
  OK(vaecuda_config_set(config, "train.steps", "3"));
  OK(vaecuda_config_set(config, "model.likelihood", "gaussian"));
  EXPECT(vaecuda_train(config, data, NULL, NULL, NULL, NULL), VAECUDA_CONFIG,
         "--epochs and --steps contradict");
  vaecuda_config_free(config);
  snprintf(model_path, sizeof model_path, "%s/model.safetensors", path);
  OK(vaecuda_model_load(model_path, NULL, &model));
  OK(vaecuda_model_describe(model, &info));
  CHECK(info.image_height == 2 && info.image_width == 3 && info.image_channels == 1);
  EXPECT(vaecuda_encode(model, values, kRows, kColumns, mean, kRows, NULL, 0), VAECUDA_BAD_FILE,
         "conditional");
  OK(vaecuda_encode_dataset(model, data, mean, kRows, NULL, 0));
  rows = array_of(mean, VAECUDA_F32, 2, shape);
  {
    static const int64_t of_latents[2] = {kRows, 1};
    rows.shape = of_latents;
    OK(vaecuda_dataset_from_array(&rows, &codes));
  }
  EXPECT(vaecuda_decode_dataset(model, codes, x[0], kRows * kColumns), VAECUDA_BAD_FILE,
         "every row needs a label");
  OK(vaecuda_dataset_set_labels(codes, &labels));
  OK(vaecuda_decode_dataset(model, codes, x[0], kRows * kColumns));
  OK(vaecuda_reconstruct_dataset(model, data, x[1], kRows * kColumns));
  CHECK(memcmp(x[0], x[1], sizeof x[0]) == 0);
  OK(vaecuda_elbo_dataset(model, data, 3, score[0], kRows, kl, kRows));
  OK(vaecuda_score_dataset(model, data, 3, score[1], kRows));
  for (i = 0; i < kRows; ++i) CHECK(score[0][i] + kl[i] == score[1][i]);
  OK(vaecuda_log_likelihood_dataset(model, data, 5, 3, likelihood, kRows));
  CHECK(isfinite(likelihood[0]) && isfinite(likelihood[kRows - 1]));
  OK(vaecuda_encode_dataset(model, data, latents, kRows, kl, kRows));
  CHECK(memcmp(latents, mean, sizeof mean) == 0);
  /* Other labels, other codes. */
  for (i = 0; i < kRows; ++i) classes[i] = 1 - classes[i];
  OK(vaecuda_dataset_set_labels(data, &labels));
  OK(vaecuda_encode_dataset(model, data, latents, kRows, NULL, 0));
  CHECK(memcmp(latents, mean, sizeof mean) != 0);

  EXPECT(vaecuda_encode_dataset(NULL, data, mean, kRows, NULL, 0), VAECUDA_CONFIG, "model is NULL");
  EXPECT(vaecuda_encode_dataset(model, NULL, mean, kRows, NULL, 0), VAECUDA_CONFIG, "data is NULL");
  EXPECT(vaecuda_encode_dataset(model, data, mean, 3, NULL, 0), VAECUDA_CONFIG, "mean holds 3");
  EXPECT(vaecuda_encode_dataset(model, codes, mean, kRows, NULL, 0), VAECUDA_CONFIG,
         "memory has 1 columns, but the model has 6");
  EXPECT(vaecuda_decode_dataset(model, data, x[0], kRows * kColumns), VAECUDA_CONFIG, "but the model has 1");
  EXPECT(vaecuda_decode_dataset(model, codes, x[0], 1), VAECUDA_CONFIG, "x holds 1");
  EXPECT(vaecuda_reconstruct_dataset(model, data, x[0], 1), VAECUDA_CONFIG, "result holds 1");
  EXPECT(vaecuda_elbo_dataset(model, data, 3, score[0], 1, kl, kRows), VAECUDA_CONFIG,
         "reconstruction holds 1");
  EXPECT(vaecuda_score_dataset(model, data, 3, score[0], 1), VAECUDA_CONFIG, "score holds 1");
  EXPECT(vaecuda_log_likelihood_dataset(model, data, 5, 3, mean, 1), VAECUDA_CONFIG,
         "log_likelihood holds 1");
  EXPECT(vaecuda_log_likelihood_dataset(model, data, 0, 3, mean, kRows), VAECUDA_CONFIG, "samples");
  vaecuda_model_free(model);
  vaecuda_dataset_free(codes);
  vaecuda_dataset_free(data);
}

static void test_from_config(void) {
  vaecuda_config* config = NULL;
  vaecuda_dataset* data = NULL;
  OK(vaecuda_config_create(&config));
  EXPECT(vaecuda_dataset_from_config(config, &data), VAECUDA_CONFIG, "no data");
  EXPECT(vaecuda_dataset_from_config(NULL, &data), VAECUDA_CONFIG, "config is NULL");
  OK(vaecuda_config_set(config, "data.path", "shapes:16x16:n=20"));
  OK(vaecuda_config_set(config, "data.image", "8x32x1"));
  OK(vaecuda_dataset_from_config(config, &data));
  CHECK(info_of(data).rows == 20 && info_of(data).image_height == 8 && info_of(data).image_width == 32);
  vaecuda_dataset_free(data);
  vaecuda_config_free(config);
}

/* Columns that a model does not know may hold anything, also those of a file for a run whose rows are in
 * memory. */
static void test_further_columns(const char* folder) {
  const char* const names[2] = {"a", "label"};
  const float values[4] = {0.25f, 0.5f, 0.75f, 1.0f};
  char path[4096];
  FILE* file;
  vaecuda_config* config = NULL;
  vaecuda_dataset* train = NULL;
  vaecuda_dataset* test = NULL;
  snprintf(path, sizeof path, "%s/further.csv", folder);
  file = fopen(path, "w");
  CHECK(file != NULL);
  fprintf(file, "text,label,a\nx,0.5,0.25\ny,1,0.75\n");
  fclose(file);
  OK(vaecuda_config_create(&config));
  OK(vaecuda_config_set(config, "data.path", path));
  EXPECT(vaecuda_dataset_from_config(config, &test), VAECUDA_BAD_FILE, "text");
  EXPECT(vaecuda_dataset_from_config_for(config, NULL, 2, &test), VAECUDA_CONFIG, "names is NULL");
  EXPECT(vaecuda_dataset_from_config_for(NULL, names, 2, &test), VAECUDA_CONFIG, "config is NULL");
  OK(vaecuda_dataset_from_config_for(config, names, 2, &test));
  CHECK(info_of(test).rows == 2 && info_of(test).columns == 3 && info_of(test).classes == 0);
  OK(vaecuda_dataset_from_floats(values, 2, 2, &train));
  OK(vaecuda_dataset_set_columns(train, names, 2));
  vaecuda_config_free(config);
  OK(vaecuda_config_create(&config));
  OK(vaecuda_config_set(config, "model.hidden", "2"));
  OK(vaecuda_config_set(config, "model.latent_dim", "1"));
  OK(vaecuda_config_set(config, "train.steps", "1"));
  OK(vaecuda_config_set(config, "train.device", "cpu"));
  snprintf(path, sizeof path, "%s/further", folder);
  OK(vaecuda_config_set(config, "output.dir", path));
  OK(vaecuda_config_set(config, "output.overwrite", "true"));
  OK(vaecuda_train(config, train, NULL, test, NULL, NULL));
  EXPECT(vaecuda_train(config, test, NULL, NULL, NULL, NULL), VAECUDA_BAD_FILE, "not finite");
  vaecuda_dataset_free(test);
  vaecuda_dataset_free(train);
  vaecuda_config_free(config);
}

void test_memory_runs(const char* folder) {
  test_further_columns(folder);
  test_file_options(folder);
  test_from_config();
}
