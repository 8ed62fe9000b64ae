// compat.h lets gotch v0.9.1, whose C++ shim was written for libtorch 2.1, compile unmodified
// against newer libtorch. It is forced into every C++ file by CGO_CXXFLAGS (see build/env.sh).
//
// Each function below has the argument list of libtorch 2.1 and hides, in namespace torch, the
// function of the same name that newer libtorch has with another one.
#ifndef LIGHTER_COMPAT_H
#define LIGHTER_COMPAT_H

#include <torch/torch.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR > 1

#include <tuple>

namespace torch {

// The optional alpha and out_dtype came in between bias and transpose_result.
inline at::Tensor _cslt_sparse_mm(const at::Tensor &compressed_A, const at::Tensor &dense_B,
                                  const at::Tensor &bias, bool transpose_result) {
  return at::_cslt_sparse_mm(compressed_A, dense_B, bias, {}, {}, transpose_result);
}

// The scales became mandatory and amax is no longer returned: there is nothing to forward to.
inline std::tuple<at::Tensor, at::Tensor> _scaled_mm(const at::Tensor &, const at::Tensor &,
                                                     const at::Tensor &,
                                                     c10::optional<at::ScalarType>,
                                                     const at::Tensor &, const at::Tensor &,
                                                     const at::Tensor &) {
  TORCH_CHECK(false, "gotch's _scaled_mm needs libtorch 2.1: call aten::_scaled_mm by name");
}

inline std::tuple<at::Tensor, at::Tensor> _scaled_mm_out(at::Tensor &, at::Tensor &,
                                                         const at::Tensor &, const at::Tensor &,
                                                         const at::Tensor &,
                                                         c10::optional<at::ScalarType>,
                                                         const at::Tensor &, const at::Tensor &,
                                                         const at::Tensor &) {
  TORCH_CHECK(false, "gotch's _scaled_mm_out needs libtorch 2.1: call aten::_scaled_mm by name");
}

} // namespace torch

#endif
#endif // LIGHTER_COMPAT_H
