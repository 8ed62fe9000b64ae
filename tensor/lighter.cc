#include "lighter.h"
#include "guard.h"

#include <torch/torch.h>
#include <torch/version.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorIndexing.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/record_function.h>
#include <c10/util/Logging.h>
#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/csrc/autograd/profiler_kineto.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#define LT_TORCH (TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR)

namespace {

using at::Tensor;
using List = std::vector<Tensor>;

std::atomic<int64_t> live{0};

// One stack a thread: `tracked` holds the handles of all open scopes, `marks` where each scope begins, `ids` their numbers.
struct Scopes {
  std::vector<Tensor *> tracked;
  std::vector<size_t> marks;
  std::vector<uint64_t> ids;
};
thread_local Scopes scopes;

std::mutex open_mutex;
std::unordered_set<uint64_t> open_ids; // of all threads

thread_local std::string last_error;
thread_local int last_kind = LT_RUNTIME;
bool keep_backtraces = false;

const Tensor &T(lt_tensor t) { return *static_cast<Tensor *>(t); }
const List &L(lt_list l) { return *static_cast<List *>(l); }

int classify(const std::string &m) {
  auto has = [&](const char *s) { return m.find(s) != std::string::npos; };
  if (has("can't allocate memory") || has("out of memory") || has("not enough memory") || has("bad_alloc"))
    return LT_OUT_OF_MEMORY;
  if (has("not implemented for") || has("Could not run '")) return LT_NOT_IMPLEMENTED;
  return LT_RUNTIME;
}

int fail(int kind, std::string message) {
  last_kind = kind;
  last_error = std::move(message);
  return 1;
}

// Failure is an error of ours with its kind; guard turns it into lt_error's message.
struct Failure {
  int kind;
  std::string message;
};

template <class F> int guard(F f) {
  try {
    f();
    return 0;
  } catch (const Failure &e) {
    return fail(e.kind, e.message);
  } catch (const c10::OutOfMemoryError &e) {
    return fail(LT_OUT_OF_MEMORY, e.what_without_backtrace());
  } catch (const c10::IndexError &e) {
    return fail(LT_INDEX, e.what_without_backtrace());
  } catch (const c10::NotImplementedError &e) {
    return fail(LT_NOT_IMPLEMENTED, e.what_without_backtrace());
  } catch (const c10::ValueError &e) {
    return fail(LT_VALUE, e.what_without_backtrace());
  } catch (const c10::Error &e) {
    std::string m = keep_backtraces ? e.what() : e.what_without_backtrace();
    return fail(classify(m), m);
  } catch (const std::bad_alloc &) {
    return fail(LT_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception &e) {
    return fail(classify(e.what()), e.what());
  } catch (...) {
    return fail(LT_RUNTIME, "unknown C++ exception");
  }
}

// The handle is owned by whoever receives it: a scope through lt_track, or a Go owner.
Tensor *handle(Tensor t) { return new Tensor(std::move(t)); }

void release(Tensor *t) {
  delete t;
  live.fetch_sub(1, std::memory_order_relaxed);
}

c10::Device device_of(int type, int index) {
  return c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index));
}

at::Generator generator_of(int device, int index) { return at::globalContext().defaultGenerator(device_of(device, index)); }

} // namespace

int lighter::guarded(const std::function<void()> &f) { return guard(f); }

const char *lt_error(int *kind) {
  *kind = last_kind;
  return last_error.c_str();
}

int lt_classify(const char *message) { return classify(message); }

// Without backtraces an error costs microseconds instead of the symbolising of a stack.
void lt_backtraces(int on) {
  keep_backtraces = on != 0;
#if LT_TORCH >= 203
  if (!on) c10::SetStackTraceFetcher(std::function<std::string()>([] { return std::string(); }));
#else
  if (!on) c10::SetStackTraceFetcher([] { return std::string(); });
#endif
}

// ---- scopes

void lt_scope_open(void) {
  static std::atomic<uint64_t> last{0};
  scopes.marks.push_back(scopes.tracked.size());
  scopes.ids.push_back(++last);
  std::lock_guard<std::mutex> lock(open_mutex);
  open_ids.insert(scopes.ids.back());
}

uint64_t lt_scope_id(void) { return scopes.ids.empty() ? 0 : scopes.ids.back(); }

int lt_scope_is_open(uint64_t id) {
  for (auto own : scopes.ids)
    if (own == id) return 1;
  std::lock_guard<std::mutex> lock(open_mutex);
  return open_ids.count(id);
}

void lt_scope_close(void) {
  if (scopes.marks.empty()) return;
  size_t mark = scopes.marks.back();
  scopes.marks.pop_back();
  {
    std::lock_guard<std::mutex> lock(open_mutex);
    open_ids.erase(scopes.ids.back());
  }
  scopes.ids.pop_back();
  while (scopes.tracked.size() > mark) {
    Tensor *t = scopes.tracked.back();
    scopes.tracked.pop_back();
    release(t);
  }
}

int lt_scope_depth(void) { return static_cast<int>(scopes.marks.size()); }

int lt_track(lt_tensor t) {
  live.fetch_add(1, std::memory_order_relaxed);
  if (scopes.marks.empty()) {
    release(static_cast<Tensor *>(t));
    return fail(LT_NO_SCOPE, "no tensor scope is open on this thread");
  }
  scopes.tracked.push_back(static_cast<Tensor *>(t));
  return 0;
}

int lt_adopt(lt_tensor t) {
  if (scopes.marks.empty()) return fail(LT_NO_SCOPE, "no tensor scope is open on this thread");
  scopes.tracked.push_back(static_cast<Tensor *>(t));
  return 0;
}

int lt_return(lt_tensor t, lt_tensor *out) {
  if (scopes.marks.size() < 2) return fail(LT_NO_SCOPE, "no outer tensor scope is open on this thread");
  auto *copy = handle(T(t));
  live.fetch_add(1, std::memory_order_relaxed);
  size_t mark = scopes.marks.back()++;
  scopes.tracked.insert(scopes.tracked.begin() + mark, copy);
  *out = copy;
  return 0;
}

lt_tensor lt_share(lt_tensor t) {
  live.fetch_add(1, std::memory_order_relaxed);
  return handle(T(t));
}

void lt_free(lt_tensor t) { release(static_cast<Tensor *>(t)); }

int64_t lt_live(void) { return live.load(std::memory_order_relaxed); }

// ---- facts

int lt_dim(lt_tensor t) { return static_cast<int>(T(t).dim()); }

void lt_sizes(lt_tensor t, int64_t *sizes, int64_t *strides) {
  auto s = T(t).sizes();
  if (sizes) std::copy(s.begin(), s.end(), sizes);
  if (strides) {
    auto st = T(t).strides();
    std::copy(st.begin(), st.end(), strides);
  }
}

int64_t lt_numel(lt_tensor t) { return T(t).numel(); }
int lt_dtype(lt_tensor t) { return static_cast<int>(T(t).scalar_type()); }

int lt_device(lt_tensor t, int *index) {
  auto d = T(t).device();
  *index = d.index();
  return static_cast<int>(d.type());
}

int lt_flag(lt_tensor t, int which) {
  const Tensor &x = T(t);
  switch (which) {
  case 0: return x.defined();
  case 1: return x.requires_grad();
  case 2: return x.is_leaf();
  case 3: return x.is_contiguous();
  case 4: return x.is_contiguous(at::MemoryFormat::ChannelsLast);
  case 5: return x.is_floating_point();
  case 6: return x.layout() == at::kStrided;
  case 7: return x.is_inference();
  }
  return 0;
}

void *lt_data(lt_tensor t) { return T(t).data_ptr(); }
int64_t lt_storage_offset(lt_tensor t) { return T(t).storage_offset(); }

void *lt_storage(lt_tensor t, int64_t *bytes) {
  auto s = T(t).storage();
  *bytes = static_cast<int64_t>(s.nbytes());
  return const_cast<void *>(s.data());
}

// ---- data

lt_tensor lt_from_bytes(const void *data, const int64_t *sizes, int dim, int dtype) {
  Tensor *out = nullptr;
  guard([&] {
    Tensor t = at::empty(at::IntArrayRef(sizes, dim), at::TensorOptions(static_cast<at::ScalarType>(dtype)));
    if (t.numel() > 0) std::memcpy(t.data_ptr(), data, t.nbytes());
    out = handle(std::move(t));
  });
  return out;
}

int lt_read(lt_tensor t, void *data, int64_t bytes) {
  return guard([&] {
    Tensor c = T(t).detach().cpu().contiguous();
    TORCH_CHECK(static_cast<int64_t>(c.nbytes()) == bytes, "tensor holds ", c.nbytes(), " bytes, not ", bytes);
    if (bytes > 0) std::memcpy(data, c.data_ptr(), bytes);
  });
}

int lt_item(lt_tensor t, double *d, int64_t *i, int *is_int) {
  return guard([&] {
    at::Scalar s = T(t).item();
    *is_int = s.isIntegral(true);
    if (*is_int) {
      *i = s.to<int64_t>();
      *d = static_cast<double>(*i);
    } else {
      *d = s.to<double>();
    }
  });
}

int lt_set_data(lt_tensor t, lt_tensor data) {
  return guard([&] { static_cast<Tensor *>(t)->set_data(T(data)); });
}

int lt_to(lt_tensor t, int device, int index, int dtype, int non_blocking, lt_tensor *out) {
  return guard([&] {
    *out = handle(T(t).to(device_of(device, index), static_cast<at::ScalarType>(dtype), non_blocking != 0));
  });
}

// ---- autograd

int lt_set_requires_grad(lt_tensor t, int on) {
  return guard([&] { T(t).set_requires_grad(on != 0); });
}

lt_tensor lt_grad(lt_tensor t) {
  const Tensor &g = T(t).grad();
  return g.defined() ? handle(g) : nullptr;
}

int lt_set_grad(lt_tensor t, lt_tensor grad) {
  return guard([&] { T(t).mutable_grad() = grad ? T(grad) : Tensor(); });
}

int lt_backward(lt_tensor loss, lt_tensor gradient, int retain) {
  return guard([&] { T(loss).backward(gradient ? T(gradient) : Tensor(), retain != 0); });
}

int lt_grad_enabled(void) { return at::GradMode::is_enabled(); }
void lt_set_grad_enabled(int on) { at::GradMode::set_enabled(on != 0); }
void *lt_inference_enter(int on) { return new c10::InferenceMode(on != 0); }
void lt_inference_exit(void *guard) { delete static_cast<c10::InferenceMode *>(guard); }
void lt_set_anomaly(int on) { torch::autograd::AnomalyMode::set_enabled(on != 0, true); }

// ---- autocast

int lt_autocast(int device, int enabled, int dtype, int *was_enabled, int *was_dtype) {
  return guard([&] {
    auto type = static_cast<c10::DeviceType>(device);
    auto want = static_cast<at::ScalarType>(dtype);
#if LT_TORCH >= 204
    *was_enabled = at::autocast::is_autocast_enabled(type);
    *was_dtype = static_cast<int>(at::autocast::get_autocast_dtype(type));
    at::autocast::set_autocast_enabled(type, enabled != 0);
    at::autocast::set_autocast_dtype(type, want);
#else
    if (type == at::kCUDA) {
      *was_enabled = at::autocast::is_enabled();
      *was_dtype = static_cast<int>(at::autocast::get_autocast_gpu_dtype());
      at::autocast::set_enabled(enabled != 0);
      at::autocast::set_autocast_gpu_dtype(want);
    } else {
      *was_enabled = at::autocast::is_cpu_enabled();
      *was_dtype = static_cast<int>(at::autocast::get_autocast_cpu_dtype());
      at::autocast::set_cpu_enabled(enabled != 0);
      at::autocast::set_autocast_cpu_dtype(want);
    }
#endif
  });
}

void lt_autocast_clear(void) { at::autocast::clear_cache(); }

// ---- random numbers

int lt_manual_seed(uint64_t seed) {
  return guard([&] { at::manual_seed(seed); });
}

lt_tensor lt_rng_state(int device, int index) {
  Tensor *out = nullptr;
  guard([&] {
    auto g = generator_of(device, index);
    std::lock_guard<std::mutex> lock(g.mutex());
    out = handle(g.get_state());
  });
  return out;
}

int lt_set_rng_state(int device, int index, lt_tensor state) {
  return guard([&] {
    auto g = generator_of(device, index);
    std::lock_guard<std::mutex> lock(g.mutex());
    g.set_state(T(state));
  });
}

lt_tensor lt_randperm(int64_t n, uint64_t seed) {
  Tensor *out = nullptr;
  guard([&] { out = handle(at::randperm(n, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kLong))); });
  return out;
}

// ---- lists and optimizers

lt_list lt_list_new(const lt_tensor *t, int64_t n) {
  auto *l = new List();
  l->reserve(n);
  for (int64_t i = 0; i < n; i++) l->push_back(t[i] ? T(t[i]) : Tensor());
  return l;
}

void lt_list_free(lt_list l) { delete static_cast<List *>(l); }

namespace {

// Gradients of those parameters that have one; `keep` lists their indices when some have none.
List grads_of(const List &params, std::vector<size_t> &keep) {
  List g;
  g.reserve(params.size());
  for (size_t i = 0; i < params.size(); i++) {
    const Tensor &p = params[i].grad();
    if (!p.defined()) continue;
    g.push_back(p);
    keep.push_back(i);
  }
  return g;
}

// The members of a list at the kept indices: the list itself (no copy) when all are kept.
struct Kept {
  List copy;
  at::TensorList view;
  Kept(lt_list l, const std::vector<size_t> &keep) {
    if (!l) return;
    const List &all = L(l);
    if (keep.size() == all.size()) {
      view = all;
      return;
    }
    for (size_t i : keep)
      if (i < all.size()) copy.push_back(all[i]);
    view = copy;
  }
};

// Adds 1 to a step counter: a float32 scalar, as a rule on the CPU, where no operator is worth its dispatch.
void count_up(const Tensor &step) {
  if (step.is_cpu() && step.scalar_type() == at::kFloat && step.numel() == 1)
    *step.data_ptr<float>() += 1;
  else
    step.add_(1);
}

Tensor grad_norm(const List &grads, double norm_type) {
  if (grads.empty()) return at::zeros({});
  auto norms = at::_foreach_norm(grads, norm_type);
  for (auto &n : norms) n = n.to(norms[0].device());
  return at::linalg_vector_norm(at::stack(norms), norm_type);
}

} // namespace

int lt_zero_grad(lt_list params, int set_to_none) {
  return guard([&] {
    for (const Tensor &p : L(params)) {
      if (!p.grad().defined()) continue;
      if (set_to_none)
        p.mutable_grad().reset();
      else
        p.mutable_grad().detach_().zero_();
    }
  });
}

int lt_grad_norm(lt_list params, double norm_type, lt_tensor *out) {
  return guard([&] {
    std::vector<size_t> keep;
    *out = handle(grad_norm(grads_of(L(params), keep), norm_type));
  });
}

// torch.nn.utils.clip_grad_norm_: the coefficient is clamped on the device, so the host never waits.
int lt_clip_grad_norm(lt_list params, double max_norm, double norm_type, lt_tensor *out) {
  return guard([&] {
    at::NoGradGuard no_grad;
    std::vector<size_t> keep;
    List grads = grads_of(L(params), keep);
    Tensor total = grad_norm(grads, norm_type);
    // Python divides a number by a tensor so, to the last bit.
    Tensor coef = at::clamp((total + 1e-6).reciprocal() * max_norm, c10::nullopt, at::Scalar(1.0));
    for (Tensor &g : grads) g.mul_(coef.to(g.device()));
    *out = handle(total);
  });
}

int lt_clip_grad_value(lt_list params, double value) {
  return guard([&] {
    at::NoGradGuard no_grad;
    std::vector<size_t> keep;
    for (Tensor &g : grads_of(L(params), keep)) g.clamp_(-value, value);
  });
}

// torch.amp.GradScaler's unscale_: gradients are multiplied by inv_scale in one call for each device and element type, and
// found_inf, a scalar, becomes 1 when one is not finite.
int lt_unscale_grad(lt_list params, lt_tensor inv_scale, lt_tensor found_inf) {
  return guard([&] {
    at::NoGradGuard no_grad;
    std::vector<size_t> keep;
    std::vector<List> groups;
    for (Tensor &g : grads_of(L(params), keep)) {
      TORCH_CHECK(g.scalar_type() != at::kHalf, "Attempting to unscale FP16 gradients.");
      Tensor values = g.is_sparse() ? g._values() : g;
      auto same = [&](const List &l) { return l[0].device() == values.device() && l[0].scalar_type() == values.scalar_type(); };
      auto group = std::find_if(groups.begin(), groups.end(), same);
      if (group == groups.end()) group = groups.insert(groups.end(), List());
      group->push_back(values);
    }
    for (List &g : groups) {
      Tensor inf = T(found_inf).to(g[0].device());
      at::_amp_foreach_non_finite_check_and_unscale_(g, inf, T(inv_scale).to(g[0].device()));
      if (!inf.is_same(T(found_inf))) T(found_inf).copy_(at::maximum(T(found_inf), inf.to(T(found_inf).device())));
    }
  });
}

int lt_update_scale(lt_tensor scale, lt_tensor growth_tracker, lt_tensor found_inf, double growth, double backoff,
                    int64_t interval) {
  return guard([&] {
    at::NoGradGuard no_grad;
    Tensor value = T(scale), tracker = T(growth_tracker);
    at::_amp_update_scale_(value, tracker, T(found_inf), growth, backoff, interval);
  });
}

int lt_fused_sgd(lt_list params, lt_list momentum, double lr, double momentum_factor, double dampening,
                 double weight_decay, int nesterov, int maximize, int first) {
#if LT_TORCH >= 203
  return guard([&] {
    at::NoGradGuard no_grad;
    std::vector<size_t> keep;
    List grads = grads_of(L(params), keep);
    if (grads.empty()) return;
    Kept p(params, keep), m(momentum, keep);
    at::_fused_sgd_(p.view, grads, m.view, weight_decay, momentum_factor, lr, dampening, nesterov != 0, maximize != 0,
                    first != 0);
  });
#else
  return fail(LT_NOT_IMPLEMENTED, "this libtorch has no fused SGD");
#endif
}

int lt_fused_adam(int decoupled, lt_list params, lt_list exp_avg, lt_list exp_avg_sq, lt_list max_exp_avg_sq,
                  lt_list step, double lr, double beta1, double beta2, double weight_decay, double eps, int amsgrad,
                  int maximize) {
  return guard([&] {
    at::NoGradGuard no_grad;
    std::vector<size_t> keep;
    List grads = grads_of(L(params), keep);
    if (grads.empty()) return;
    Kept p(params, keep), a(exp_avg, keep), s(exp_avg_sq, keep), x(max_exp_avg_sq, keep), t(step, keep);
    for (const Tensor &n : t.view) count_up(n);
    if (decoupled)
      at::_fused_adamw_(p.view, grads, a.view, s.view, x.view, t.view, lr, beta1, beta2, weight_decay, eps,
                        amsgrad != 0, maximize != 0);
    else
      at::_fused_adam_(p.view, grads, a.view, s.view, x.view, t.view, lr, beta1, beta2, weight_decay, eps,
                       amsgrad != 0, maximize != 0);
  });
}

// ---- scalars

int lt_scalar(lt_tensor t, int op, double value, lt_tensor *out) {
  return guard([&] {
    const Tensor &x = T(t);
    switch (op) {
    case '+': *out = handle(x.add(value)); return;
    case '-': *out = handle(x.sub(value)); return;
    case '*': *out = handle(x.mul(value)); return;
    case '/': *out = handle(x.div(value)); return;
    case 'a': x.add_(value); return;
    case 'm': x.mul_(value); return;
    case 'd': x.div_(value); return;
    case 'f': x.fill_(value); return;
    }
    TORCH_CHECK(false, "no such scalar operation");
  });
}

int lt_add_scaled(lt_tensor t, lt_tensor other, double alpha) {
  return guard([&] {
    const Tensor &x = T(t);
    bool whole = at::isIntegralType(x.scalar_type(), true);
    x.add_(T(other), whole ? at::Scalar(static_cast<int64_t>(alpha)) : at::Scalar(alpha));
  });
}

// sum += value * weight, rounded after each of the two as separate operations would. Scalars on the CPU, what a step
// logs, are added without going through the dispatcher.
int lt_add_weighted(lt_tensor sum, lt_tensor value, double weight) {
  return guard([&] {
    at::NoGradGuard no_grad;
    const Tensor &s = T(sum), &v = T(value);
    if (s.is_cpu() && v.is_cpu() && s.scalar_type() == at::kFloat && v.scalar_type() == at::kFloat && s.numel() == 1 &&
        v.numel() == 1) {
      volatile float product = *v.const_data_ptr<float>() * static_cast<float>(weight);
      *s.data_ptr<float>() += product;
      return;
    }
    s.add_(v.detach().to(s.scalar_type()).mul(weight));
  });
}

// ---- operators by name

namespace {

struct Reader {
  const char *p, *end;
  template <class V> V get() {
    TORCH_CHECK(p + sizeof(V) <= end, "call buffer too short");
    V v;
    std::memcpy(&v, p, sizeof v);
    p += sizeof v;
    return v;
  }
  std::string text() {
    auto n = get<uint32_t>();
    TORCH_CHECK(p + n <= end, "call buffer too short");
    std::string s(p, n);
    p += n;
    return s;
  }
};

using torch::jit::IValue;

IValue read_list(Reader &r);

IValue read_value(Reader &r) {
  switch (r.get<char>()) {
  case 'n': return IValue();
  case 't': return IValue(*reinterpret_cast<Tensor *>(r.get<uint64_t>()));
  case 'i': return IValue(r.get<int64_t>());
  case 'd': return IValue(r.get<double>());
  case 'b': return IValue(r.get<char>() != 0);
  case 's': return IValue(r.text());
  case 'v': {
    auto type = r.get<int32_t>(), index = r.get<int32_t>();
    return IValue(device_of(type, index));
  }
  case 'l': {
    auto n = r.get<uint32_t>();
    c10::impl::GenericList items(c10::AnyType::get());
    for (uint32_t i = 0; i < n; i++) items.push_back(read_value(r));
    return IValue(items);
  }
  case 'w': { // a number where a tensor stands: it takes part in type promotion as Python's numbers do
    Tensor number = c10::scalar_to_tensor(read_value(r).toScalar());
    number.unsafeGetTensorImpl()->set_wrapped_number(true);
    return IValue(std::move(number));
  }
  case 'L': return read_list(r);
  case 'm': {
    auto n = r.get<uint32_t>();
    c10::impl::GenericDict items(c10::StringType::get(), c10::AnyType::get());
    for (uint32_t i = 0; i < n; i++) {
      auto key = r.text();
      items.insert(std::move(key), read_value(r));
    }
    return IValue(items);
  }
  }
  TORCH_CHECK(false, "unknown tag in a call buffer");
}

// A list whose element type is given: t tensors, o tensors or None, i ints, d floats, b bools, x numbers, s texts.
IValue read_list(Reader &r) {
  auto kind = r.get<char>();
  auto n = r.get<uint32_t>();
  auto fill = [&](auto list, auto value) {
    list.reserve(n);
    for (uint32_t i = 0; i < n; i++) list.push_back(value(read_value(r)));
    return IValue(std::move(list));
  };
  switch (kind) {
  case 't': return fill(c10::List<Tensor>(), [](IValue v) { return v.toTensor(); });
  case 'o':
    return fill(c10::List<c10::optional<Tensor>>(), [](IValue v) { return v.isNone() ? c10::optional<Tensor>() : c10::optional<Tensor>(v.toTensor()); });
  case 'i': return fill(c10::List<int64_t>(), [](IValue v) { return v.toInt(); });
  case 'd': return fill(c10::List<double>(), [](IValue v) { return v.isInt() ? static_cast<double>(v.toInt()) : v.toDouble(); });
  case 'b': return fill(c10::List<bool>(), [](IValue v) { return v.toBool(); });
  case 'x': {
    c10::impl::GenericList items(c10::NumberType::get());
    for (uint32_t i = 0; i < n; i++) items.push_back(read_value(r));
    return IValue(std::move(items));
  }
  case 's': return fill(c10::List<std::string>(), [](IValue v) { return v.toStringRef(); });
  }
  TORCH_CHECK(false, "unknown kind of list in a call buffer");
}

void put(std::string &out, const void *v, size_t n) { out.append(static_cast<const char *>(v), n); }

void write_value(std::string &out, const IValue &v) {
  auto list = [&](auto items) {
    out.push_back('l');
    uint32_t n = items.size();
    put(out, &n, 4);
    for (const auto &i : items) write_value(out, IValue(i));
  };
  if (v.isTensor()) {
    Tensor *t = handle(v.toTensor());
    if (lt_track(t)) throw Failure{last_kind, last_error};
    out.push_back('t');
    uint64_t h = reinterpret_cast<uint64_t>(t);
    put(out, &h, 8);
  } else if (v.isInt()) {
    out.push_back('i');
    int64_t i = v.toInt();
    put(out, &i, 8);
  } else if (v.isDouble()) {
    out.push_back('d');
    double d = v.toDouble();
    put(out, &d, 8);
  } else if (v.isBool()) {
    out.push_back('b');
    out.push_back(v.toBool());
  } else if (v.isString()) {
    out.push_back('s');
    const std::string &s = v.toStringRef();
    uint32_t n = s.size();
    put(out, &n, 4);
    out += s;
  } else if (v.isList()) {
    list(v.toListRef());
  } else if (v.isTuple()) {
    list(v.toTupleRef().elements());
  } else if (v.isGenericDict()) {
    out.push_back('m');
    uint32_t n = v.toGenericDict().size();
    put(out, &n, 4);
    for (const auto &item : v.toGenericDict()) {
      std::ostringstream key;
      if (!item.key().isString()) key << item.key();
      std::string name = item.key().isString() ? item.key().toStringRef() : key.str();
      uint32_t length = name.size();
      put(out, &length, 4);
      out += name;
      write_value(out, item.value());
    }
  } else if (v.isScalar()) {
    write_value(out, v.toScalar().isIntegral(true) ? IValue(v.toScalar().toLong()) : IValue(v.toScalar().toDouble()));
  } else {
    out.push_back('n');
  }
}

// What Python's binding allows and the interpreter's schemas do not: an int for a float, a number for a list of
// them, a list whose element type is only known from the schema. False when v does not fit.
bool coerce(IValue &v, const c10::TypePtr &type, c10::optional<int32_t> n) {
  switch (type->kind()) {
  case c10::TypeKind::OptionalType: return v.isNone() || coerce(v, type->castRaw<c10::OptionalType>()->getElementType(), n);
  case c10::TypeKind::TensorType: return v.isTensor();
  case c10::TypeKind::FloatType:
    if (v.isInt()) v = IValue(static_cast<double>(v.toInt()));
    return v.isDouble();
  case c10::TypeKind::IntType:
  case c10::TypeKind::SymIntType: return v.isInt();
  case c10::TypeKind::BoolType: return v.isBool();
  case c10::TypeKind::NumberType: return v.isInt() || v.isDouble() || v.isBool();
  case c10::TypeKind::StringType: return v.isString();
  case c10::TypeKind::DeviceObjType: return v.isDevice();
  case c10::TypeKind::GeneratorType: return v.isNone();
  case c10::TypeKind::ListType: {
    auto element = type->castRaw<c10::ListType>()->getElementType();
    c10::impl::GenericList items(element);
    if (v.isList()) {
      for (IValue i : v.toListRef()) {
        if (!coerce(i, element, c10::nullopt)) return false;
        items.push_back(i);
      }
    } else {
      if (!n || *n <= 0 || !coerce(v, element, c10::nullopt)) return false;
      for (int32_t i = 0; i < *n; i++) items.push_back(v);
    }
    v = IValue(items);
    return true;
  }
  case c10::TypeKind::TupleType: {
    const auto &elements = type->castRaw<c10::TupleType>()->elements();
    if (!v.isList() || v.toListRef().size() != elements.size()) return false;
    std::vector<IValue> items = v.toListRef().vec();
    for (size_t i = 0; i < items.size(); i++)
      if (!coerce(items[i], elements[i], c10::nullopt)) return false;
    v = c10::ivalue::Tuple::create(std::move(items));
    return true;
  }
  case c10::TypeKind::DictType: {
    const auto *dict = type->castRaw<c10::DictType>();
    if (!v.isGenericDict() || dict->getKeyType()->kind() != c10::TypeKind::StringType) return false;
    c10::impl::GenericDict items(dict->getKeyType(), dict->getValueType());
    for (const auto &item : v.toGenericDict()) {
      IValue value = item.value();
      if (!coerce(value, dict->getValueType(), c10::nullopt)) return false;
      items.insert(item.key(), value);
    }
    v = IValue(items);
    return true;
  }
  default: return true;
  }
}

} // namespace

bool lighter::place(const c10::FunctionSchema &schema, const std::vector<IValue> &args, const Kwargs &kwargs,
                    std::vector<IValue> &stack) {
  const auto &params = schema.arguments();
  if (args.size() > params.size()) return false;
  size_t used = 0;
  for (size_t i = 0; i < params.size(); i++) {
    const auto &param = params[i];
    IValue v;
    bool given = false;
    if (i < args.size()) {
      if (param.kwarg_only()) return false;
      v = args[i];
      given = true;
    }
    for (const auto &kw : kwargs) {
      if (kw.first != param.name()) continue;
      if (given) return false;
      v = kw.second;
      given = true;
      used++;
    }
    if (!given) {
      if (!param.default_value()) return false;
      stack.push_back(*param.default_value());
      continue;
    }
    if (!coerce(v, param.type(), param.N())) return false;
    stack.push_back(std::move(v));
  }
  return used == kwargs.size();
}

namespace {

using Operators = std::vector<std::shared_ptr<torch::jit::Operator>>;

const Operators &operators(const std::string &name) {
  thread_local std::unordered_map<std::string, Operators> known;
  auto it = known.find(name);
  if (it == known.end()) {
    auto qualified = name.find("::") == std::string::npos ? "aten::" + name : name;
    it = known.emplace(name, torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(qualified))).first;
  }
  return it->second;
}

thread_local std::string call_result;

} // namespace

lighter::CallBuffer lighter::read_call(const char *buf, size_t len) {
  Reader r{buf, buf + len};
  CallBuffer c;
  c.name = r.text();
  for (auto n = r.get<uint32_t>(); n > 0; n--) c.args.push_back(read_value(r));
  for (auto n = r.get<uint32_t>(); n > 0; n--) {
    auto key = r.text();
    c.kwargs.emplace_back(std::move(key), read_value(r));
  }
  return c;
}

void lighter::write_results(const std::vector<IValue> &values, const char **out, size_t *out_len) {
  call_result.clear();
  uint32_t n = values.size();
  put(call_result, &n, 4);
  for (const auto &v : values) write_value(call_result, v);
  *out = call_result.data();
  *out_len = call_result.size();
}

// ---- random numbers of a thread's own

namespace {
thread_local std::optional<at::Generator> drawn_from;

// An operator that may not be there; before libtorch 2.5 the optional is c10's own.
using Found = decltype(c10::Dispatcher::singleton().findSchema(std::declval<c10::OperatorName>()));

// Lets an operator that draws take its numbers from the thread's own generator, if it has one and the call names none. Overloads
// without the argument have a sibling with it: rand.generator, randint.low_generator.
void draw_from(Found &op, torch::jit::Stack &stack) {
  if (!drawn_from) return;
  const auto &schema = op->schema();
  const auto &params = schema.arguments();
  auto takes = [](const c10::Argument &a) { return a.name() == "generator"; };
  for (size_t i = 0; i < params.size(); i++)
    if (takes(params[i])) {
      if (stack[i].isNone()) stack[i] = *drawn_from;
      return;
    }
  const std::string &overload = schema.overload_name();
  auto sibling = c10::Dispatcher::singleton().findSchema({schema.name(), overload.empty() ? "generator" : overload + "_generator"});
  if (!sibling) return;
  torch::jit::Stack with;
  for (const auto &a : sibling->schema().arguments()) {
    if (takes(a)) {
      with.push_back(*drawn_from);
      continue;
    }
    auto at = schema.argumentIndexWithName(a.name());
    if (!at && !a.default_value()) return;
    with.push_back(at ? stack[*at] : *a.default_value());
  }
  stack = std::move(with);
  op = *sibling;
}
} // namespace

void lt_draw_from(int own, uint64_t seed) {
  if (own) drawn_from = at::make_generator<at::CPUGeneratorImpl>(seed);
  else drawn_from.reset();
}

int lt_call(const char *buf, size_t len, const char **out, size_t *out_len) {
  return guard([&] {
    auto [name, args, kwargs] = lighter::read_call(buf, len);
    const auto &candidates = operators(name);
    if (candidates.empty()) throw Failure{LT_UNKNOWN_OP, name};
    for (const auto &op : candidates) {
      torch::jit::Stack stack;
      // `out=` overloads are chosen only by the keyword: place() refuses them, their out argument has no default.
      if (!lighter::place(op->schema(), args, kwargs, stack)) continue;
      Found own;
      if (drawn_from) own = c10::Dispatcher::singleton().findSchema(op->schema().operator_name());
      if (own) {
        draw_from(own, stack);
        own->callBoxed(stack);
      } else {
        op->getOperation()(stack);
      }
      lighter::write_results(stack, out, out_len);
      return;
    }
    std::ostringstream m;
    m << name << ": no overload takes these arguments; it takes";
    for (const auto &op : candidates) m << (candidates.size() > 1 ? "\n  " : " ") << op->schema();
    throw Failure{LT_ARGUMENTS, m.str()};
  });
}

const char *lt_operators(size_t *len) {
  static const std::string names = [] {
    std::set<std::string> seen;
    for (const auto &op : torch::jit::getAllOperators()) {
      std::string n = op->schema().name();
      if (n.rfind("aten::", 0) == 0) seen.insert(n.substr(6));
    }
    std::string all;
    for (const auto &n : seen) all += n + "\n";
    return all;
  }();
  *len = names.size();
  return names.data();
}

const char *lt_schemas(const char *name, size_t *len) {
  std::ostringstream m;
  for (const auto &op : operators(name)) m << op->schema() << "\n";
  call_result = m.str();
  *len = call_result.size();
  return call_result.data();
}

// ---- user code

namespace {

// What is not a Failure of the guard but of the scopes: no result of a call could be owned.
#define LT_NEEDS_SCOPE() if (scopes.marks.empty()) return lt_adopt(nullptr)

Tensor *tracked(Tensor t) {
  Tensor *out = handle(std::move(t));
  lt_track(out);
  return out;
}

// An index as Python writes it: n None, e ..., i an int, b a bool, t a tensor, r a slice (three optional ints).
std::vector<at::indexing::TensorIndex> read_index(Reader &r) {
  std::vector<at::indexing::TensorIndex> index;
  for (auto n = r.get<uint32_t>(); n > 0; n--) {
    switch (r.get<char>()) {
    case 'n': index.emplace_back(at::indexing::None); break;
    case 'e': index.emplace_back(at::indexing::Ellipsis); break;
    case 'i': index.emplace_back(r.get<int64_t>()); break;
    case 'b': index.emplace_back(r.get<char>() != 0); break;
    case 't': index.emplace_back(*reinterpret_cast<Tensor *>(r.get<uint64_t>())); break;
    case 'r': {
      c10::optional<c10::SymInt> part[3];
      for (auto &p : part)
        if (r.get<char>()) p = c10::SymInt(r.get<int64_t>());
      index.emplace_back(at::indexing::Slice(part[0], part[1], part[2]));
      break;
    }
    default: TORCH_CHECK(false, "unknown tag in an index");
    }
  }
  return index;
}

List tensors_of(const lt_tensor *t, int n) {
  List l;
  for (int i = 0; i < n; i++) l.push_back(t && t[i] ? T(t[i]) : Tensor());
  return l;
}

} // namespace

// The overloads of an operator that the dispatcher knows, a line each: the handle for lt_invoke and the schema.
const char *lt_overloads(const char *name, size_t *len) {
  std::ostringstream m;
  for (const auto &op : operators(name)) {
    auto found = c10::Dispatcher::singleton().findSchema(op->schema().operator_name());
    if (!found) continue;
    m << reinterpret_cast<uintptr_t>(new c10::OperatorHandle(*found)) << "\t" << op->schema() << "\n"; // for as long as the program runs
  }
  call_result = m.str();
  *len = call_result.size();
  return call_result.data();
}

int lt_invoke(uintptr_t op, const char *buf, size_t len, const char **out, size_t *out_len) {
  LT_NEEDS_SCOPE();
  return guard([&] {
    Reader r{buf, buf + len};
    Found handle = *reinterpret_cast<c10::OperatorHandle *>(op);
    const auto &params = handle->schema().arguments();
    torch::jit::Stack stack;
    stack.reserve(params.size());
    for (const auto &p : params) {
      if (*r.p == 'y') { // the schema's default
        r.p++;
        stack.push_back(*p.default_value());
      } else {
        stack.push_back(read_value(r));
      }
    }
    draw_from(handle, stack);
    handle->callBoxed(stack);
    call_result.clear();
    uint32_t n = stack.size();
    put(call_result, &n, 4);
    for (const auto &v : stack) write_value(call_result, v);
    *out = call_result.data();
    *out_len = call_result.size();
  });
}

int lt_index(lt_tensor t, const char *buf, size_t len, lt_tensor *out) {
  LT_NEEDS_SCOPE();
  return guard([&] {
    Reader r{buf, buf + len};
    *out = tracked(T(t).index(read_index(r)));
  });
}

// The value, a tensor or a number, stands before the index.
int lt_index_put(lt_tensor t, const char *buf, size_t len) {
  return guard([&] {
    Reader r{buf, buf + len};
    IValue value = read_value(r);
    auto index = read_index(r);
    Tensor self = T(t);
    if (value.isTensor())
      self.index_put_(index, value.toTensor());
    else
      self.index_put_(index, value.toScalar());
  });
}

int lt_backward_of(const lt_tensor *outputs, const lt_tensor *grads, int n, const lt_tensor *inputs, int count, int retain,
                   int create) {
  return guard([&] {
    torch::autograd::backward(tensors_of(outputs, n), grads ? tensors_of(grads, n) : List(), retain != 0, create != 0, tensors_of(inputs, count));
  });
}

// Gradients of inputs; a null result where an input was not used.
int lt_grad_of(const lt_tensor *outputs, const lt_tensor *grads, int n, const lt_tensor *inputs, int count, int retain, int create,
               int allow_unused, lt_tensor *out) {
  LT_NEEDS_SCOPE();
  return guard([&] {
    auto result = torch::autograd::grad(tensors_of(outputs, n), tensors_of(inputs, count), grads ? tensors_of(grads, n) : List(), retain != 0, create != 0, allow_unused != 0);
    for (int i = 0; i < count; i++) out[i] = result[i].defined() ? tracked(result[i]) : nullptr;
  });
}

// The name of the node that computes t's gradient, "AddBackward0"; "" for a leaf.
const char *lt_grad_fn(lt_tensor t) {
  call_result.clear();
  guard([&] {
    if (const auto &node = T(t).grad_fn()) call_result = node->name();
  });
  return call_result.c_str();
}

int lt_layout(lt_tensor t) { return static_cast<int>(T(t).layout()); }

// What several handles of one tensor share.
const void *lt_identity(lt_tensor t) { return T(t).unsafeGetTensorImpl(); }

// ---- the process

// Profiling.

namespace {

namespace profiler = torch::autograd::profiler;
namespace profiling = torch::profiler::impl;

// Before 2.3 kineto counted microseconds.
template <class E> auto start_ns(const E &e, int) -> decltype(int64_t(e.startNs())) { return int64_t(e.startNs()); }
template <class E> auto start_ns(const E &e, long) -> decltype(int64_t(e.startUs())) { return int64_t(e.startUs()) * 1000; }
template <class E> auto duration_ns(const E &e, int) -> decltype(int64_t(e.durationNs())) { return int64_t(e.durationNs()); }
template <class E> auto duration_ns(const E &e, long) -> decltype(int64_t(e.durationUs())) { return int64_t(e.durationUs()) * 1000; }
template <class E> auto hidden(const E &e, int) -> decltype(bool(e.isHiddenEvent())) { return e.isHiddenEvent(); }
template <class E> bool hidden(const E &, long) { return false; }

profiling::ProfilerConfig profile_config(int options) {
  return profiling::ProfilerConfig(profiling::ProfilerState::KINETO, (options & LT_PROFILE_SHAPES) != 0,
                                   (options & LT_PROFILE_MEMORY) != 0, false, (options & LT_PROFILE_FLOPS) != 0, false);
}

std::set<profiling::ActivityType> profile_activities(int options) {
  std::set<profiling::ActivityType> a{profiling::ActivityType::CPU};
  if (options & LT_PROFILE_CUDA) a.insert(profiling::ActivityType::CUDA);
  return a;
}

std::string profile_events; // of the last lt_profile_stop
bool profiles_cuda = false;

// Records are closed in the reverse order of their beginning.
thread_local std::vector<std::unique_ptr<at::RecordFunction>> open_records;

template <class V> void put(std::string &out, V v) { out.append(reinterpret_cast<const char *>(&v), sizeof v); }

void put_text(std::string &out, const std::string &text) {
  put(out, uint32_t(text.size()));
  out += text;
}

} // namespace

int lt_profile_prepare(int options) {
  return guard([&] { profiler::prepareProfiler(profile_config(options), profile_activities(options)); });
}

int lt_profile_start(int options) {
  return guard([&] {
    profiles_cuda = (options & LT_PROFILE_CUDA) != 0;
    profiler::enableProfiler(profile_config(options), profile_activities(options));
  });
}

int lt_profile_stop(const char *path, const char **events, size_t *len) {
  return guard([&] {
    if (profiles_cuda) at::detail::getCUDAHooks().deviceSynchronize(0); // kernels under way belong to the record
    auto result = profiler::disableProfiler();
    profile_events.clear();
    for (const auto &e : result->events()) {
      if (hidden(e, 0)) continue;
      std::ostringstream shapes;
      if (e.hasShapes())
        for (const auto &s : e.shapes()) shapes << (shapes.tellp() > 0 ? ", [" : "[") << c10::Join(", ", s) << "]";
      put_text(profile_events, e.name());
      put_text(profile_events, shapes.str());
      put(profile_events, start_ns(e, 0));
      put(profile_events, duration_ns(e, 0));
      put(profile_events, uint64_t(e.startThreadId()));
      put(profile_events, uint64_t(e.correlationId()));
      put(profile_events, uint64_t(e.linkedCorrelationId()));
      put(profile_events, int64_t(e.nBytes()));
      put(profile_events, uint64_t(e.flops()));
      put(profile_events, int32_t(e.deviceType()));
      put(profile_events, int32_t(e.isAsync()));
    }
    if (path) result->save(path);
    *events = profile_events.data();
    *len = profile_events.size();
  });
}

int lt_record_begin(const char *name, size_t len) {
  return guard([&] {
    open_records.push_back(std::make_unique<at::RecordFunction>(at::RecordScope::USER_SCOPE));
    open_records.back()->before(std::string(name, len));
  });
}

void lt_record_end(void) {
  if (!open_records.empty()) open_records.pop_back();
}

const char *lt_version(void) { return TORCH_VERSION; }
void lt_set_threads(int n) { at::set_num_threads(n); }
int lt_threads(void) { return at::get_num_threads(); }

// The calling thread's operations run on it alone. libtorch's own setting is the process's, which a thread takes over at its
// first use: so that comes before.
void lt_single_thread(void) {
  at::get_num_threads();
  if (auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) set(1);
}

// glibc gives every large block back to the kernel and pays for its pages again on the next step; keeping them
// is worth a fifth of a convolutional step on the CPU. One arena for all threads: what a loader's thread made and another freed
// is there for the next batch, whoever makes it, so that memory does not grow with the threads.
void lt_keep_memory(void) {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2000000000);
  mallopt(M_TOP_PAD, 64 << 20);
}

void lt_deterministic(int on, int warn_only) { at::globalContext().setDeterministicAlgorithms(on != 0, warn_only != 0); }
void lt_benchmark(int on) { at::globalContext().setBenchmarkCuDNN(on != 0); }

const char *lt_open_library(const char *path) { return dlopen(path, RTLD_NOW | RTLD_GLOBAL) ? nullptr : dlerror(); }

// Where the libtorch_cpu in use was loaded from.
const char *lt_library_path(void) {
  Dl_info info;
  static const std::string path = dladdr(reinterpret_cast<void *>(&at::get_num_threads), &info) ? info.dli_fname : "";
  return path.c_str();
}

// The number of the interface that the opened liblighter_cuda.so offers, 0 when none is open.
int lt_cuda_interface(void) {
  auto number = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "ltc_interface"));
  return number ? number() : 0;
}

// The text of liblighter_cuda.so's ltc_memory_stats; null when it fails or is not open.
const char *lt_cuda_memory_stats(int device) {
  auto stats = reinterpret_cast<const char *(*)(int)>(dlsym(RTLD_DEFAULT, "ltc_memory_stats"));
  auto error = reinterpret_cast<const char *(*)()>(dlsym(RTLD_DEFAULT, "ltc_error"));
  const char *text = stats ? stats(device) : nullptr;
  if (!text) fail(LT_RUNTIME, stats && error ? error() : "CUDA's library is not open");
  return text;
}

int lt_cuda_devices(void) {
  int n = 0;
  guard([&] { n = torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0; });
  return n;
}
