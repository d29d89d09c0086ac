#include "bench/shapes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::bench {
namespace {

std::vector<Shape> make_shapes() {
  return {
      {"A", 784, {400}, 20, 128, 1, "the tutorial VAE on pictures of digits"},
      {"B", 784, {200, 200}, 50, 20, 1, "research on likelihoods, millions of small steps"},
      {"B-K50", 784, {200, 200}, 50, 20, 50, "the same with importance weighting's 50 samples"},
      {"C-128", 2000, {128, 128}, 30, 128, 1, "single-cell genomics"},
      {"C-1024", 2000, {128, 128}, 30, 1024, 1, "single-cell genomics"},
      {"D-500", 20108, {600}, 200, 500, 1, "recommendation"},
      {"D-24576", 20108, {600}, 200, 24576, 1, "recommendation"},
      {"E-256", 304, {512, 512}, 32, 256, 1, "metagenome binning"},
      {"E-1024", 304, {512, 512}, 32, 1024, 1, "metagenome binning"},
      {"E-4096", 304, {512, 512}, 32, 4096, 1, "metagenome binning"},
      {"F", 4096, {1200, 1200}, 10, 2048, 1, "disentanglement of 64x64 pictures"},
      {"G", 18, {20, 15, 7}, 2, 128, 1, "anomaly detection on a narrow table"},
      {"W", 4096, {4096, 4096}, 512, 8192, 1, "wide layers, bound by the tensor cores"},
  };
}

std::string family_of(const Shape& shape) {
  return shape.name.substr(0, shape.name.find('-'));
}

bool is_called(const Shape& shape, std::string_view name) {
  return name == "all" || name == shape.name || name == family_of(shape);
}

[[noreturn]] void refuse(std::string_view name) {
  std::vector<std::string> names = {"all"};
  for (const Shape& shape : named_shapes()) {
    if (names.back() != family_of(shape)) names.push_back(family_of(shape));
    if (names.back() != shape.name) names.push_back(shape.name);
  }
  const std::string nearest = nearest_name(name, std::vector<std::string_view>(names.begin(), names.end()));
  throw ConfigError(fmt::format("--shape: '{}' is no shape; {}", name,
                                nearest.empty() ? "--list shows all" : "did you mean " + nearest + "?"));
}

}  // namespace

std::span<const Shape> named_shapes() {
  static const std::vector<Shape> kShapes = make_shapes();
  return kShapes;
}

std::vector<Shape> find_shapes(std::string_view list) {
  std::vector<std::string_view> names;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  const auto shapes = named_shapes();
  for (const std::string_view name : names) {
    if (std::none_of(shapes.begin(), shapes.end(), [&](const Shape& s) { return is_called(s, name); })) {
      refuse(name);
    }
  }
  std::vector<Shape> found;
  for (const Shape& shape : shapes) {
    if (std::any_of(names.begin(), names.end(), [&](std::string_view n) { return is_called(shape, n); })) {
      found.push_back(shape);
    }
  }
  return found;
}

std::string network_of(const Shape& shape) {
  std::string text = fmt::format("{}-", shape.input);
  for (const std::int64_t width : shape.hidden) text += fmt::format("{}-", width);
  return text + fmt::format("{}", shape.latent_dim);
}

}  // namespace vaecuda::bench
