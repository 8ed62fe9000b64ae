// The C face of lighter.cc: what gotch's libtch lacks. Every function that can fail returns 0 on success and
// otherwise leaves a message for lt_error on the calling OS thread. Handles are at::Tensor*, as libtch's are.
#ifndef LIGHTER_TENSOR_H
#define LIGHTER_TENSOR_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *lt_tensor;
typedef void *lt_list;

// Kinds of error, in the order of Go's ErrorKind.
enum { LT_RUNTIME, LT_OUT_OF_MEMORY, LT_VALUE, LT_INDEX, LT_NOT_IMPLEMENTED, LT_NO_SCOPE, LT_UNKNOWN_OP, LT_ARGUMENTS };

const char *lt_error(int *kind);
int lt_classify(const char *message);
void lt_backtraces(int on);

// Scopes: a stack per OS thread. A tracked handle is freed when its scope closes.
void lt_scope_open(void);
void lt_scope_close(void);
int lt_scope_depth(void);
// An autograd node with the inputs' edges whose backward pass is Go's function id; results are the outputs as they come out of it.
// The node lets go of id when it is freed, also when this fails.
int lt_node(uint64_t id, const lt_tensor *inputs, int n, const lt_tensor *outputs, int m, lt_tensor *results);
uint64_t lt_scope_id(void);
int lt_scope_is_open(uint64_t id);
int lt_track(lt_tensor t);
int lt_adopt(lt_tensor t);
int lt_return(lt_tensor t, lt_tensor *out);
lt_tensor lt_share(lt_tensor t);
void lt_free(lt_tensor t);
int64_t lt_live(void);

// Facts about a tensor.
int lt_dim(lt_tensor t);
void lt_sizes(lt_tensor t, int64_t *sizes, int64_t *strides);
int64_t lt_numel(lt_tensor t);
int lt_dtype(lt_tensor t);
int lt_device(lt_tensor t, int *index);
int lt_flag(lt_tensor t, int which);
void *lt_data(lt_tensor t);
int64_t lt_storage_offset(lt_tensor t);
void *lt_storage(lt_tensor t, int64_t *bytes);

// Data in and out; lt_read waits for the device.
lt_tensor lt_from_bytes(const void *data, const int64_t *sizes, int dim, int dtype);
int lt_read(lt_tensor t, void *data, int64_t bytes);
int lt_item(lt_tensor t, double *d, int64_t *i, int *is_int);
int lt_set_data(lt_tensor t, lt_tensor data);
int lt_to(lt_tensor t, int device, int index, int dtype, int non_blocking, lt_tensor *out);

// Autograd. Grad mode, inference mode and autocast belong to the OS thread.
int lt_set_requires_grad(lt_tensor t, int on);
lt_tensor lt_grad(lt_tensor t);
int lt_set_grad(lt_tensor t, lt_tensor grad);
int lt_backward(lt_tensor loss, lt_tensor gradient, int retain);
int lt_grad_enabled(void);
void lt_set_grad_enabled(int on);
void *lt_inference_enter(int on);
void lt_inference_exit(void *guard);
void lt_set_anomaly(int on);

// Autocast.
int lt_autocast(int device, int enabled, int dtype, int *was_enabled, int *was_dtype);
void lt_autocast_clear(void);

// Random numbers.
int lt_manual_seed(uint64_t seed);
void lt_draw_from(int own, uint64_t seed);
lt_tensor lt_rng_state(int device, int index);
int lt_set_rng_state(int device, int index, lt_tensor state);
lt_tensor lt_randperm(int64_t n, uint64_t seed);

// Lists of tensors held on the C++ side, so that a step hands over one pointer.
lt_list lt_list_new(const lt_tensor *t, int64_t n);
void lt_list_free(lt_list l);
int lt_zero_grad(lt_list params, int set_to_none);
int lt_grad_norm(lt_list params, double norm_type, lt_tensor *out);
int lt_clip_grad_norm(lt_list params, double max_norm, double norm_type, lt_tensor *out);
int lt_clip_grad_value(lt_list params, double value);
int lt_unscale_grad(lt_list params, lt_tensor inv_scale, lt_tensor found_inf);
int lt_update_scale(lt_tensor scale, lt_tensor growth_tracker, lt_tensor found_inf, double growth, double backoff,
                    int64_t interval);
int lt_fused_sgd(lt_list params, lt_list momentum, double lr, double momentum_factor, double dampening,
                 double weight_decay, int nesterov, int maximize, int first);
int lt_fused_adam(int decoupled, lt_list params, lt_list exp_avg, lt_list exp_avg_sq, lt_list max_exp_avg_sq,
                  lt_list step, double lr, double beta1, double beta2, double weight_decay, double eps, int amsgrad,
                  int maximize);

// One step of an optimizer in PyTorch's order of operations (optim.cc). state holds the lists of its columns; step the
// counters, float32 scalars on the CPU, or nothing; first, when given, marks the parameters that have no state yet.
enum {
  LT_SGD, LT_ADAM, LT_NADAM, LT_RADAM, LT_ADAMAX, LT_ADAGRAD, LT_ADADELTA, LT_RMSPROP, LT_RPROP, LT_ASGD, LT_ADAFACTOR,
  LT_MUON, LT_SPARSE_ADAM
};
int lt_optimizer_step(int rule, lt_list params, const lt_list *state, int columns, lt_list step,
                      const unsigned char *first, const double *options, int count);
int lt_fused_adagrad(lt_list params, lt_list sum, lt_list step, double lr, double lr_decay, double weight_decay, double eps,
                     int maximize);

// Counting for metrics, on the CPU (metric.cc). ignore may be null.
int lt_outside(lt_tensor t, int64_t n, const int64_t *ignore, int64_t *count);
int lt_binary_counts(lt_tensor predicted, lt_tensor target, int64_t labels, double threshold, const int64_t *ignore,
                     lt_tensor *out);

// Arithmetic with scalars; op is one of + - * / and, in place, their upper row (see lighter.cc).
int lt_scalar(lt_tensor t, int op, double value, lt_tensor *out);
int lt_add_weighted(lt_tensor sum, lt_tensor value, double weight);
int lt_add_scaled(lt_tensor t, lt_tensor other, double alpha);

// Any ATen operator by name. Arguments and results travel in one buffer (call.go describes it).
int lt_call(const char *buf, size_t len, const char **out, size_t *out_len);
const char *lt_operators(size_t *len);
const char *lt_schemas(const char *name, size_t *len);

// For user code (invoke.go): operators by their handle, with arguments in the order of the schema; indexing; autograd.
const char *lt_overloads(const char *name, size_t *len);
int lt_invoke(uintptr_t op, const char *buf, size_t len, const char **out, size_t *out_len);
int lt_index(lt_tensor t, const char *buf, size_t len, lt_tensor *out);
int lt_index_put(lt_tensor t, const char *buf, size_t len);
int lt_backward_of(const lt_tensor *outputs, const lt_tensor *grads, int n, const lt_tensor *inputs, int count, int retain,
                   int create);
int lt_grad_of(const lt_tensor *outputs, const lt_tensor *grads, int n, const lt_tensor *inputs, int count, int retain, int create,
               int allow_unused, lt_tensor *out);
const char *lt_grad_fn(lt_tensor t);
int lt_layout(lt_tensor t);
const void *lt_identity(lt_tensor t);

// libtorch's profiler, of the calling OS thread. Options are a sum of LT_PROFILE_*. lt_profile_stop writes a Chrome trace to path
// unless that is NULL, and gives the events in one buffer (profile.go describes it).
enum { LT_PROFILE_CUDA = 1, LT_PROFILE_SHAPES = 2, LT_PROFILE_MEMORY = 4, LT_PROFILE_FLOPS = 8 };
int lt_profile_prepare(int options);
int lt_profile_start(int options);
int lt_profile_stop(const char *path, const char **events, size_t *len);
int lt_record_begin(const char *name, size_t len);
void lt_record_end(void);

// The process.
const char *lt_version(void);
void lt_set_threads(int n);
int lt_threads(void);
void lt_single_thread(void);
void lt_keep_memory(void);
void lt_deterministic(int on, int warn_only);
void lt_benchmark(int on);
const char *lt_open_library(const char *path);
const char *lt_library_path(void);
int lt_cuda_interface(void);
int lt_cuda_devices(void);
const char *lt_cuda_memory_stats(int device);

#ifdef __cplusplus
}
#endif
#endif
