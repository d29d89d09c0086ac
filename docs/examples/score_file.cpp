// Scores the rows of a file of any size in bounded memory: the highest scores are the least expected rows.
// Usage: score_file MODEL DATA SCORES.npy
#include <exception>
#include <iostream>
#include <memory>
#include <vector>

#include "vaecuda/vaecuda.hpp"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  try {
    const vaecuda::Vae vae = vaecuda::Vae::load(argv[1]);
    vaecuda::DataSource source;
    source.path = argv[2];
    const std::unique_ptr<vaecuda::RowSource> rows = vaecuda::open_rows(source);
    vaecuda::RowWriter writer(argv[3], 0);
    std::vector<float> scores;
    const std::int64_t count = vae.elbo(*rows, vae.info().seed, [&](const vaecuda::ElboBlock& block) {
      scores.clear();
      for (std::size_t i = 0; i < block.kl.size(); ++i)
        scores.push_back(block.reconstruction[i] + block.kl[i]);
      writer.append(scores);
    });
    writer.commit();
    std::cout << count << " rows scored\n";
  } catch (const vaecuda::FileError& error) {
    std::cerr << "bad data: " << error.what() << "\n";  // names file, row and column
    return 3;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
