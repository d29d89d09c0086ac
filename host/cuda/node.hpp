// A launch of a lowered plan as data: which kernel or matrix product, and all of its arguments.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <variant>

#include "host/cuda/program_memory.hpp"
#include "kernels/activation.hpp"
#include "kernels/codebook.hpp"
#include "kernels/counts.hpp"
#include "kernels/gather.hpp"
#include "kernels/importance.hpp"
#include "kernels/latent.hpp"
#include "kernels/library/gemm.hpp"
#include "kernels/likelihood.hpp"
#include "kernels/rows.hpp"
#include "kernels/update.hpp"

namespace vaecuda::cuda {

/// What was asked of the library, and what it gave.
struct Product {
  kernels::GemmSpec spec;
  std::unique_ptr<kernels::Gemm> gemm;
};

/// A kernel over rows of an exchange buffer, in whose place a run may bind memory of the caller's: where they
/// lie is looked up at every launch. A captured graph keeps what it was captured with.
template <typename Args>
struct Placed {
  Args args;  ///< all but these rows
  View rows;  ///< invalid: the arguments are complete
};

using Launch =
    std::variant<Product, Placed<kernels::GatherArgs>, Placed<kernels::LoadRowsArgs>,
                 Placed<kernels::StoreRowsArgs>, kernels::BiasActivationArgs, kernels::ActivationGradientArgs,
                 kernels::BiasGradientArgs, kernels::ConvertArgs, kernels::VectorQuantizeArgs,
                 kernels::VectorQuantizeBackwardArgs, kernels::CodebookGradientArgs,
                 kernels::CodebookAverageArgs, kernels::LookUpCodesArgs, kernels::SampleCodesArgs,
                 kernels::ImportanceWeightsArgs, kernels::WeighRowsArgs, kernels::LatentForwardArgs,
                 kernels::LatentBackwardArgs, kernels::LatentPenaltyArgs, kernels::LatentKlArgs,
                 kernels::SamplePriorArgs, kernels::LikelihoodArgs, kernels::ObservationMeanArgs,
                 kernels::CountLikelihoodArgs, kernels::CountMeanArgs, kernels::TransformInputArgs,
                 kernels::AdvancePositionArgs, kernels::GradNormArgs, kernels::UpdateArgs>;

struct Node {
  std::string name;
  std::size_t op = 0;  ///< of the plan that it is part of
  Launch launch;

  /// Kernels that it starts; a matrix product counts as one.
  [[nodiscard]] int kernels() const;
  /// `memory`: that which the plan was lowered for.
  void enqueue(const ProgramMemory& memory, kernels::Stream stream) const;
};

}  // namespace vaecuda::cuda
