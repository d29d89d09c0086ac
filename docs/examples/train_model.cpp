// Trains a small model on the built-in pictures, and draws from it.
// Usage: train_model FOLDER
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "vaecuda/vaecuda.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    vaecuda::RunConfig config;
    config.data.train.path = "shapes:16x16,n=2000";
    config.data.test_fraction = 0.1;
    config.model.hidden = {64};
    config.model.latent_dim = 8;
    config.train.epochs = 5;
    config.output.dir = argv[1];
    config.output.overwrite = true;
    vaecuda::TrainObserver observer;
    observer.progress = [](const vaecuda::Progress& now) {
      if (now.epoch_end) std::cout << "epoch " << now.epoch << ": " << now.train.loss << " nats\n";
    };
    const vaecuda::TrainSummary summary = vaecuda::Trainer(config, observer).run();
    std::cout << "test: " << summary.test->loss << " nats, model " << summary.model << "\n";

    const vaecuda::Vae vae = vaecuda::Vae::load(summary.model);
    const std::vector<float> samples = vae.sample(16, 1);
    vaecuda::SheetOptions bytes;
    bytes.range = vaecuda::ValueRange{0.0f, 255.0f};
    vaecuda::write_sheet(std::string(argv[1]) + "/drawn.png", samples, vae.info().model.input_dim,
                         vae.info().image, bytes);
  } catch (const vaecuda::Error& error) {
    std::cerr << "error: " << error.what() << "\n";
    return error.exit_code();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
