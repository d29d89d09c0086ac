// The folder of counts that 10x's Cell Ranger writes: cells by genes, each file as it is or in gzip.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/data/source_facts.hpp"

namespace vaecuda::data {

struct TenxFiles {
  std::string matrix;    ///< matrix.mtx: genes × cells
  std::string features;  ///< features.tsv, of older versions genes.tsv: a line for each gene
  std::string barcodes;  ///< barcodes.tsv: a line for each cell
};

/// What messages say of such a folder.
inline constexpr std::string_view kTenxExpected =
    "matrix.mtx[.gz] with features.tsv[.gz] (or genes.tsv) and barcodes.tsv[.gz] (10x counts)";

/// Absent where the folder has no matrix.mtx. \throws FileError naming the other file that it lacks
[[nodiscard]] std::optional<TenxFiles> find_tenx(const std::string& folder);

/// A row for each cell, sparse; the columns are called by the genes' ids. Of a table of features with types
/// only those of gene expression are taken. \throws FileError for files that do not fit together
[[nodiscard]] LoadedRows read_tenx(const TenxFiles& files);

}  // namespace vaecuda::data
