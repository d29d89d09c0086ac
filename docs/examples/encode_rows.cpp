// Encodes rows in memory, walks between two of them, and compares a reconstruction.
// Usage: encode_rows MODEL
#include <cmath>
#include <exception>
#include <iostream>
#include <span>
#include <vector>

#include "vaecuda/vaecuda.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    vaecuda::RunOn on;
    on.device = "auto";  // a GPU if there is one
    const vaecuda::Vae vae = vaecuda::Vae::load(argv[1], on);
    const auto columns = static_cast<std::size_t>(vae.info().model.input_dim);
    const auto latents = static_cast<std::size_t>(vae.info().model.latent_dim);

    // Raw values, as in the training data: bytes are 0 ... 255, scaling is the model's affair.
    vaecuda::DataSource source;
    source.path = "shapes:16x16,n=100";
    const vaecuda::Dataset data = vaecuda::load_dataset(source);
    const std::vector<float> rows(data.u8().begin(), data.u8().end());

    const vaecuda::Encoded posterior = vae.encode(rows);
    std::cout << "row 0 has the mean";
    for (std::size_t i = 0; i < latents; ++i) std::cout << ' ' << posterior.mean[i];
    std::cout << "\n";

    const std::vector<float> means = vae.reconstruct(rows);
    double error = 0.0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      error += std::fabs(static_cast<double>(rows[i]) - static_cast<double>(means[i]));
    }
    std::cout << "a pixel is off by " << error / static_cast<double>(rows.size()) << " of 255 on average\n";

    const auto z = std::span(posterior.mean);
    const std::vector<float> way = vae.interpolate(z.first(latents), z.subspan(latents, latents), 10, true);
    std::cout << way.size() / columns << " rows on the way from row 0 to row 1\n";

    const vaecuda::ElboTerms terms = vae.elbo(rows);
    std::cout << "row 0 costs " << terms.reconstruction[0] + terms.kl[0] << " nats\n";
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
