#include "host/cuda/node.hpp"

namespace vaecuda::cuda {
namespace {

void place(kernels::GatherArgs& args, const ProgramMemory& memory, const View& rows) {
  if (!rows.valid()) return;  // they are in the resident data
  args.rows = memory.single(rows);
  args.data_rows = memory.rows(rows);
}

void place(kernels::LoadRowsArgs& args, const ProgramMemory& memory, const View& rows) {
  args.whole = memory.in(rows);
  args.whole_rows = memory.rows(rows);
}

void place(kernels::StoreRowsArgs& args, const ProgramMemory& memory, const View& rows) {
  args.whole = memory.single(rows);
  args.whole_stride = rows.stride;
  args.whole_rows = memory.rows(rows);
}

/// Of a launch that does not say otherwise (kernels/).
template <typename Args>
int kernels_of(const Args&) {
  return 1;
}

struct Enqueue {
  const ProgramMemory& memory;
  kernels::Stream stream;

  void operator()(const Product& product) const { product.gemm->enqueue(stream); }
  template <typename Args>
  void operator()(const Placed<Args>& placed) const {
    Args args = placed.args;
    place(args, memory, placed.rows);
    kernels::launch(args, stream);
  }
  template <typename Args>
  void operator()(const Args& args) const {
    kernels::launch(args, stream);
  }
};

}  // namespace

int Node::kernels() const {
  return std::visit([](const auto& args) { return kernels_of(args); }, launch);
}

void Node::enqueue(const ProgramMemory& memory, kernels::Stream stream) const {
  std::visit(Enqueue{memory, stream}, launch);
}

}  // namespace vaecuda::cuda
