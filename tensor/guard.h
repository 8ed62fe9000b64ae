// For the C++ files beside lighter.cc: how a function reports what went wrong.
#ifndef LIGHTER_TENSOR_GUARD_H
#define LIGHTER_TENSOR_GUARD_H
#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "lighter.h"

namespace lighter {

using at::Tensor;
using List = std::vector<Tensor>;

// Runs f; an exception becomes lt_error's message and the result 1.
int guarded(const std::function<void()> &f);

inline const Tensor &tensor_of(lt_tensor t) { return *static_cast<Tensor *>(t); }
inline const List &list_of(lt_list l) { return *static_cast<List *>(l); }

} // namespace lighter
#endif
