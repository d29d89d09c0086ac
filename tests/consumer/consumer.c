/* A C program of someone else's. Usage: consumer_c FOLDER */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <vaecuda/vaecuda.h>

/* For one line per call below. */
static int failed(int status) {
  if (status != VAECUDA_OK) fprintf(stderr, "%s: %s\n", vaecuda_status_text(status), vaecuda_last_error());
  return status;
}

int main(int argc, char** argv) {
  vaecuda_config* config = NULL;
  vaecuda_summary summary = VAECUDA_SUMMARY_INIT;
  int status;
  if (argc != 2) return 2;
  printf("vaecuda %s, %s\n", vaecuda_version(), vaecuda_build_info());

  status = failed(vaecuda_config_create(&config));
  if (status == VAECUDA_OK && vaecuda_config_set(config, "model.latent_dim", "none") != VAECUDA_CONFIG)
    status = 1;
  if (status == VAECUDA_OK && strstr(vaecuda_last_error(), "latent_dim") == NULL) status = 1;
  if (status == VAECUDA_OK) {
    status = failed(vaecuda_config_parse(config,
                                         "data.path = 'shapes:16x16:n=300'\n"
                                         "model.hidden = [16]\n"
                                         "model.latent_dim = 3\n"
                                         "train.epochs = 2\n"
                                         "train.device = 'cpu'\n"));
  }
  if (status == VAECUDA_OK) status = failed(vaecuda_config_set(config, "--out", argv[1]));
  if (status == VAECUDA_OK) status = failed(vaecuda_train(config, NULL, NULL, NULL, NULL, &summary));
  if (status == VAECUDA_OK) {
    printf("loss %.6f after %ld steps\n", summary.train_loss, (long)summary.steps);
    if (!(summary.steps > 0 && summary.train_loss > 0.0)) status = 1;
  }
  vaecuda_config_free(config);
  return status;
}
