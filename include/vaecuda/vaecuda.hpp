// Start here: the whole public API.
//
//   vaecuda::RunConfig config;
//   config.data.train.path = "shapes";
//   config.output.dir = "runs/shapes";
//   vaecuda::TrainSummary summary = vaecuda::TrainingRun(config).run();
#pragma once

#include "vaecuda/config.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/device.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"
#include "vaecuda/trainer.hpp"
#include "vaecuda/version.hpp"
