// The whole public C++ API. Start here:
//
//   vaecuda::RunConfig config;
//   config.data.train.path = "shapes";
//   config.output.dir = "runs/shapes";
//   vaecuda::TrainSummary summary = vaecuda::Trainer(config).run();
//
//   vaecuda::Vae vae = vaecuda::Vae::load(summary.model);
//   std::vector<float> pictures = vae.sample(64, 1);
#pragma once

#include "vaecuda/array.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/device.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/evaluate.hpp"
#include "vaecuda/latent.hpp"
#include "vaecuda/likelihood.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/output.hpp"
#include "vaecuda/presets.hpp"
#include "vaecuda/ranking.hpp"
#include "vaecuda/report.hpp"
#include "vaecuda/row_source.hpp"
#include "vaecuda/sparse.hpp"
#include "vaecuda/trainer.hpp"
#include "vaecuda/vae.hpp"
#include "vaecuda/version.hpp"
