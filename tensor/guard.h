// For the C++ files beside lighter.cc: how a function reports what went wrong, and how values pass to Go and back.
#ifndef LIGHTER_TENSOR_GUARD_H
#define LIGHTER_TENSOR_GUARD_H
#include <ATen/ATen.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "lighter.h"

namespace lighter {

using at::Tensor;
using List = std::vector<Tensor>;

// Runs f; an exception becomes lt_error's message and the result 1.
int guarded(const std::function<void()> &f);

inline const Tensor &tensor_of(lt_tensor t) { return *static_cast<Tensor *>(t); }
inline const List &list_of(lt_list l) { return *static_cast<List *>(l); }

using Kwargs = std::vector<std::pair<std::string, c10::IValue>>;

// A call as call.go writes it.
struct CallBuffer {
  std::string name;
  std::vector<c10::IValue> args;
  Kwargs kwargs;
};
CallBuffer read_call(const char *buf, size_t len);

// Places the arguments on the stack by schema; false when they do not fit it.
bool place(const c10::FunctionSchema &schema, const std::vector<c10::IValue> &args, const Kwargs &kwargs,
           std::vector<c10::IValue> &stack);

// Writes values as call.go reads them, valid until the thread's next call. Their tensors go to the innermost scope.
void write_results(const std::vector<c10::IValue> &values, const char **out, size_t *out_len);

} // namespace lighter
#endif
