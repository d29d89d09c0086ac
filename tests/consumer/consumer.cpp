// A C++ program of someone else's. Usage: consumer_cpp FOLDER
#include <cmath>
#include <cstdio>
#include <vaecuda/vaecuda.hpp>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::printf("vaecuda %s, %s\n", vaecuda::version(), vaecuda::build_info());

  // An error of the library is caught by its type, also across the border of a shared library.
  try {
    vaecuda::RunConfig wrong;
    vaecuda::find_option_by_key("model.latent_dim")->set(wrong, "none", "latent_dim");
    return 1;
  } catch (const vaecuda::ConfigError& error) {
    std::printf("caught: %s\n", error.what());
  }

  try {
    vaecuda::RunConfig config;
    config.data.train.path = "shapes:16x16:n=300";
    config.model.hidden = {16};
    config.model.latent_dim = 3;
    config.train.epochs = 2;
    config.train.device = "cpu";
    config.output.dir = argv[1];
    const vaecuda::TrainSummary summary = vaecuda::Trainer(config).run();
    std::printf("loss %.6f after %lld steps\n", summary.train.loss, static_cast<long long>(summary.steps));
    return std::isfinite(summary.train.loss) ? 0 : 1;
  } catch (const vaecuda::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
